"""A store that prices, whose priced calls are caught in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from collector.prices.calls import make_store
from conftest import fresh_database

from sightline_collector.sql.catalog import Catalog
from sightline_collector.store.engine import Engine


@pytest.fixture(scope="module")
def pricer(priced_store: Engine) -> Engine:
    """What priced_spans makes of mapped_spans is in priced_calls. Functions are the whole engine's: another
    module's store has replaced them by its own."""
    for function in Catalog(priced_store.database).relations("functions"):
        priced_store.command(function.body)
    return priced_store


@pytest.fixture(scope="session")
def priced_store(engine_folder: Path) -> Iterator[Engine]:
    """A store with the installed prices."""
    with fresh_database(engine_folder, "prices") as engine:
        make_store(engine)
        yield engine
