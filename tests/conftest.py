"""One embedded engine for the whole test process, and a database of its own for each module that asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sightline_collector.prices.load import load
from sightline_collector.sql.catalog import Catalog, Relation
from sightline_collector.store.engine import Engine
from sightline_collector.store.migrate import migrate
from sightline_collector.store.url import StoreUrl

# How fast examples are drawn says something of the machine's load, nothing of the law under test.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one folder that this process opens the embedded engine on."""
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="session")
def priced_database(engine_folder: Path) -> Iterator[str]:
    """A database that holds the installed prices: making their rows takes longer than copying them."""
    opened = fresh_database(engine_folder, "installed_prices")
    for table in price_tables():
        opened.command(table.body)
    load(opened)
    yield opened.database
    opened.close()


def price_tables() -> list[Relation]:
    """The tables that prices are loaded into."""
    return [table for table in Catalog("").relations("tables") if table.name.startswith("price_")]


@pytest.fixture(scope="module")
def engine(engine_folder: Path, priced_database: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A migrated store in a fresh database, named after the test module."""
    opened = fresh_database(engine_folder, request.module.__name__)
    for table in price_tables():
        opened.command(f"create table {table.name} as {priced_database}.{table.name}")
        opened.command(f"insert into {table.name} select * from {priced_database}.{table.name}")
    migrate(opened)
    yield opened
    opened.command(f"drop database {opened.database}")
    opened.close()


def fresh_database(folder: Path, name: str) -> Engine:
    """An engine on an empty database whose name is derived from the given one."""
    database = re.sub(r"\W", "_", name)
    return Engine(StoreUrl(folder, "", 0, "", "", database, secure=False))
