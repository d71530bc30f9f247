"""One embedded engine for the whole test process, and a database of its own for each module that asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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


@pytest.fixture(scope="module")
def engine(engine_folder: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A migrated store in a fresh database, named after the test module."""
    opened = fresh_database(engine_folder, request.module.__name__)
    migrate(opened)
    yield opened
    opened.command(f"drop database {opened.database}")
    opened.close()


def fresh_database(folder: Path, name: str) -> Engine:
    """An engine on an empty database whose name is derived from the given one."""
    database = re.sub(r"\W", "_", name)
    return Engine(StoreUrl(folder, "", 0, "", "", database, secure=False))
