"""A store that prices, whose priced calls are caught in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from collector.prices.calls import make_store
from conftest import fresh_database

from sightline_collector.store.engine import Engine


@pytest.fixture(scope="session")
def pricer(engine_folder: Path) -> Iterator[Engine]:
    """What priced_spans makes of mapped_spans is in priced_calls."""
    engine = fresh_database(engine_folder, "prices")
    make_store(engine)
    yield engine
    engine.command(f"drop database {engine.database}")
    engine.close()
