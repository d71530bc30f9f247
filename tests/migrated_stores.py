"""Stores as a first start leaves them, for tests of what comes after it. Migrating takes seconds.

once a test run                each test process                     each module with `engine`
a folder is migrated ──copied──▶ engine_folder: database `sightline` ──lent, emptied──▶ Engine
                     ──copied──▶ data folders of collectors
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from sightline_collector.sql.catalog import Catalog
from sightline_collector.store.engine import Engine
from sightline_collector.store.migrate import FILLED, migrate
from sightline_collector.store.staging import database_of
from sightline_collector.store.url import DEFAULT_DATABASE, StoreUrl

FIRST_START = """
import sys
from sightline_collector.config import load
from sightline_collector.core import open_store

open_store(load({"store": "chdb:" + sys.argv[1]}, {})).close()
"""

TABLES = """
select name, create_table_query as text from system.tables
where database in ({database:String}, {staging:String}) order by database, name
"""

IN_FORCE = "select kind, number, argMax(fingerprint, applied_at) from schema_v1 group by kind, number"
"""Where derived relations were only made again, it is the same store."""


class MigratedFolder:
    """A migrated store that nobody has open. Whichever process asks first makes it; the others wait."""

    def __init__(self, shared: Path) -> None:
        """`shared` is a folder that all test processes see."""
        self._folder = shared / "migrated"

    def copy(self, folder: Path) -> None:
        """Make the embedded engine's folder as a first start would have left it."""
        with self._folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._folder.exists():
                making = self._folder.with_suffix(".making")
                subprocess.run([sys.executable, "-c", FIRST_START, str(making)], check=True)
                making.rename(self._folder)
        shutil.copytree(self._folder / "store", folder, symlinks=True)


class MigratedStores:
    """Lends one store. Whatever a module has left in it is gone before the next one has it."""

    def __init__(self, folder: Path) -> None:
        """`folder` is a copy of the migrated one."""
        self._folder = folder
        self._as_made: list[dict[str, Any]] = []

    def lend(self) -> Engine:
        """A store as a migration leaves it, through a handle of its own."""
        engine = self._opened()
        found = state(engine)
        self._as_made = self._as_made or found
        if found != self._as_made:
            for database in (database_of(DEFAULT_DATABASE), DEFAULT_DATABASE):
                engine.command(f"drop database {database} sync")
            engine.close()
            engine = self._opened()
            migrate(engine)
            self._as_made = state(engine)
        # Functions are the whole engine's: a store that a test made has replaced them by its own.
        for function in Catalog(DEFAULT_DATABASE).relations("functions"):
            engine.command(function.body)
        return engine

    def take_back(self, engine: Engine) -> None:
        """Empty it for the next module."""
        for table in tables(engine):
            if not is_filled(table):
                engine.command(f"truncate table {table}")
        engine.close()

    def _opened(self) -> Engine:
        return Engine(StoreUrl(self._folder, "", 0, "", "", DEFAULT_DATABASE, secure=False))


def state(engine: Engine) -> list[dict[str, Any]]:
    """Each relation with the statement that makes it, each filled table with what is in it."""
    contents = [
        row
        for table in tables(engine)
        if is_filled(table)
        for row in engine.rows(
            f"select '{table}' as name, count() as n, sum(cityHash64(*)) as h from"
            f" ({IN_FORCE if table == 'schema_v1' else f'select * from {table}'})"
        )
    ]
    both = {"database": DEFAULT_DATABASE, "staging": database_of(DEFAULT_DATABASE)}
    return engine.rows(TABLES, both) + contents


def tables(engine: Engine) -> list[str]:
    """Those that store rows."""
    found = engine.rows(
        "select name from system.tables where database = currentDatabase() and engine like '%MergeTree'"
        " order by name"
    )
    return [row["name"] for row in found]


def is_filled(table: str) -> bool:
    """Whether a migration puts rows into it."""
    return table in FILLED or table == "schema_v1" or table.startswith("price_")
