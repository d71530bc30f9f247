"""A store with a few model calls, served on a port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from collector.gateway.serving import Port, serving

from sightline_collector.store.engine import Engine


@pytest.fixture(scope="module")
def port(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """The gateway of the module's store."""
    with serving(engine, tmp_path_factory.mktemp("gateway")) as opened:
        yield opened
