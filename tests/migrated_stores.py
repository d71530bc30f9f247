"""Stores as a first start leaves them, for tests of what comes after it. Migrating takes seconds.

once a test run                each test process                     each module with `engine`
a folder is migrated ──copied──▶ engine_folder: database `sightline` ──lent, refilled──▶ Engine
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

OF_BOTH = "from system.tables where database in ({database:String}, {staging:String}) order by database, name"
DATABASES = {"database": DEFAULT_DATABASE, "staging": database_of(DEFAULT_DATABASE)}

TABLES = f"select name, create_table_query as text {OF_BOTH}"
TOUCHED = f"select uuid, metadata_modification_time as at {OF_BOTH}"

FUNCTIONS = "select name, create_query from system.functions where origin = 'SQLUserDefined' order by name"

DICTIONARIES = "select name from system.dictionaries where database = currentDatabase()"

IN_FORCE = "select kind, number, argMax(fingerprint, applied_at) from schema_v1 group by kind, number"
"""Where derived relations were only made again, it is the same store."""

KEPT = "kept"
"""The database that has the rows which a migration fills tables with."""

Row = dict[str, Any]


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
        self._relations: list[Row] = []
        self._touched: list[Row] = []
        self._functions: list[Row] = []
        self._contents: dict[str, Row] = {}

    def lend(self) -> Engine:
        """A store as a migration leaves it, through a handle of its own."""
        engine = self._opened()
        if not self._relations:
            self._keep(engine)
        elif self._altered(engine):
            engine = self._migrated_anew(engine)
            self._keep(engine)
        else:
            self._refill(engine)
        # Functions are the whole engine's: a store that a test made has replaced them by its own.
        if engine.rows(FUNCTIONS) != self._functions:
            for function in Catalog(DEFAULT_DATABASE).relations("functions"):
                engine.command(function.body)
            self._functions = engine.rows(FUNCTIONS)
        return engine

    def take_back(self, engine: Engine) -> None:
        """Empty it for the next module."""
        for table in tables(engine):
            if not is_filled(table):
                engine.command(f"truncate table {table}")
        engine.close()

    def _keep(self, engine: Engine) -> None:
        """Remember how it was made, and what its tables were filled with: to fill them is quicker than to
        migrate."""
        self._relations, self._contents = relations(engine), contents(engine)
        self._touched = engine.rows(TOUCHED, DATABASES)
        engine.command(f"drop database if exists {KEPT} sync")
        engine.command(f"create database {KEPT}")
        for table in self._contents:
            engine.command(f"create table {KEPT}.{table} as {table}")
            engine.command(f"insert into {KEPT}.{table} select * from {table}")

    def _altered(self, engine: Engine) -> bool:
        """Whether a relation is made otherwise than it was; statements are read where one was touched."""
        before, self._touched = self._touched, engine.rows(TOUCHED, DATABASES)
        return self._touched != before and relations(engine) != self._relations

    def _refill(self, engine: Engine) -> None:
        """Give the tables that have other rows their own again, and the dictionaries over them."""
        changed = [table for table, row in contents(engine).items() if row != self._contents[table]]
        for table in changed:
            engine.command(f"truncate table {table}")
            engine.command(f"insert into {table} select * from {KEPT}.{table}")
        for row in engine.rows(DICTIONARIES) if changed else ():
            engine.command(f"system reload dictionary {row['name']}")

    def _migrated_anew(self, engine: Engine) -> Engine:
        for database in (database_of(DEFAULT_DATABASE), DEFAULT_DATABASE):
            engine.command(f"drop database {database} sync")
        engine.close()
        anew = self._opened()
        migrate(anew)
        return anew

    def _opened(self) -> Engine:
        return Engine(StoreUrl(self._folder, "", 0, "", "", DEFAULT_DATABASE, secure=False))


def relations(engine: Engine) -> list[Row]:
    """Each relation with the statement that makes it."""
    return engine.rows(TABLES, DATABASES)


def contents(engine: Engine) -> dict[str, Row]:
    """What is in each filled table: how many rows, and their sum."""
    sums = " union all ".join(
        f"select '{table}' as name, count() as n, sum(cityHash64(*)) as h from"
        f" ({IN_FORCE if table == 'schema_v1' else f'select * from {table}'})"
        for table in tables(engine)
        if is_filled(table)
    )
    return {row["name"]: row for row in engine.rows(sums)}


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
