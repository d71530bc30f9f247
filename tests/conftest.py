"""One embedded engine for the whole test process, and a store without rows for each module that asks."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import collector_process
import pytest
from hypothesis import HealthCheck, settings
from migrated_stores import MigratedFolder, MigratedStores
from servers import chosen_store

from sightline_collector.store.engine import Engine
from sightline_collector.store.url import DEFAULT_DATABASE, StoreUrl

# How fast examples are drawn says something of the machine's load, nothing of the law under test.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# Tests start hundreds of processes: without kept bytecode each compiles all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

LONGEST_FIRST = (
    "end_to_end/test_demo.py",
    "end_to_end/test_libraries.py",
    "faults/test_power.py",
    "faults/test_full_disk.py",
    "faults/test_kill.py",
    "end_to_end/test_demo_provider.py",
    "collector/store/test_insert.py",
    "collector/settle/test_long_traces.py",
    "collector/store/test_standing.py",
    "servers/test_late_inserts.py",
    "faults/test_stages.py",
    "servers/test_store_faults.py",
    "collector/prices/test_reprice.py",
    "faults/test_extremes.py",
    "faults/test_stop.py",
    "collector/settle/test_loop.py",
    "sql/views/test_cases.py",
    "faults/test_old_folder.py",
    "servers/test_on_servers.py",
    "collector/access/test_forget_running.py",
    "sdk/test_processes.py",
    "soak/test_soak.py",
    "sql/ingest/test_otlp_traces.py",
    "faults/test_refusals_to_start.py",
    "sdk/test_examples.py",
    "collector/operate/test_backup.py",
    "end_to_end/test_settlement.py",
    "collector/access/test_running.py",
    "collector/gateway/test_bounds.py",
    "test_readme.py",
    "collector/settle/test_paid_once.py",
    "collector/alerts/test_loop.py",
    "collector/alerts/test_shipped_rules.py",
    "collector/store/test_migrate.py",
    "collector/prices/test_price_commands.py",
    "collector/demo/test_interrupted.py",
    "collector/gateway/test_requests.py",
    "collector/access/test_boundary.py",
    "collector/operate/test_retention.py",
    "collector/access/test_secrets.py",
    "sdk/test_instrument.py",
    "sdk/test_spooling.py",
    "collector/settle/test_labels.py",
    "sdk/test_masking_laws.py",
    "collector/conformance/test_suite.py",
    "collector/gateway/test_hostile.py",
    "collector/prices/test_load.py",
    "sql/ingest/test_exporter_door.py",
    "collector/settle/test_laws.py",
    "sql/drift/test_traffic.py",
    "corpora/test_corpora.py",
)
"""Left for the end, one of these would keep one process busy while the others have nothing to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Processes take files in this order where nothing else orders them (--no-loadscope-reorder)."""
    ranks = {Path(__file__).parent / name: rank for rank, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


@pytest.fixture(scope="module", autouse=True)
def nothing_left() -> Iterator[None]:
    """What a module changes in the process, and does not change back, all later ones would meet."""
    before = _process_wide()
    yield
    assert _process_wide() == before


def _process_wide() -> dict[str, object]:
    root = logging.getLogger()
    return {
        "handlers": [one for one in root.handlers if "_pytest" not in type(one).__module__],
        "level": root.level,
        "signals": [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)],
        "zone": os.environ.get("TZ"),
        "folder": Path.cwd(),
    }


@pytest.fixture(scope="session", autouse=True)
def migrated(tmp_path_factory: pytest.TempPathFactory) -> MigratedFolder:
    """A store as a first start leaves it: collectors begin with a copy."""
    own = tmp_path_factory.getbasetemp()
    collector_process.migrated = MigratedFolder(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)
    return collector_process.migrated


@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory: pytest.TempPathFactory, migrated: MigratedFolder) -> Iterator[Path]:
    """The one folder that this process has the embedded engine open on. Each start of the engine costs half a
    second, and it ends with its last handle: one is kept."""
    folder = tmp_path_factory.mktemp("engine") / "store"
    migrated.copy(folder)
    kept = Engine(StoreUrl(folder, "", 0, "", "", DEFAULT_DATABASE, secure=False))
    yield folder
    kept.close()


@pytest.fixture(scope="session")
def stores(engine_folder: Path) -> MigratedStores:
    """The store that modules use one after the other."""
    return MigratedStores(engine_folder)


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A migrated store without rows, for the test module alone."""
    if server := chosen_store.server():
        yield from chosen_store.lent(server, request.module.__name__)
        return
    stores: MigratedStores = request.getfixturevalue("stores")
    lent = stores.lend()
    yield lent
    stores.take_back(lent)


@contextmanager
def fresh_database(folder: Path, name: str) -> Iterator[Engine]:
    """An engine on an empty database whose name is derived from the given one; gone after the block."""
    opened = _empty(folder, name)
    try:
        yield opened
        opened.command(f"drop database {opened.database}")
    finally:
        opened.close()


def _empty(folder: Path, name: str) -> Engine:
    if server := chosen_store.server():
        own = chosen_store.database(server, name)
        chosen_store.drop(own)
        return Engine(own)
    database = re.sub(r"\W", "_", name)
    return Engine(StoreUrl(folder, "", 0, "", "", database, secure=False))
