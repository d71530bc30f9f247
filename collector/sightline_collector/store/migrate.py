"""Brings a store's tables, functions and views to this program's version; safe to run twice.

Stored tables change by numbered migrations, each recorded once it is done. Everything else is derived
from the SQL files: when its fingerprint differs from the recorded one, it is dropped and made again.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sightline_collector.errors import StoreNewer
from sightline_collector.prices.load import load as load_prices
from sightline_collector.sql.catalog import DATA, SQL, Catalog, Relation, quoted
from sightline_collector.store.batch import make_staging, staging_is_there
from sightline_collector.store.engine import Engine

FILLED = {
    "dialects_v1": "dialects.csv",
    "message_keys_v1": "message_keys.csv",
    "operations_v1": "operations.csv",
}
"""Tables whose rows are a file of data/: refilled whenever the derived relations are made."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file of migrations/."""

    number: int
    name: str
    text: str


def migrations() -> list[Migration]:
    """All migrations of this program, in order. Raises ValueError when a number is missing or twice."""
    files = sorted(f.name for f in (SQL / "migrations").iterdir() if f.name.endswith(".sql"))
    found = [
        Migration(int(name[:4]), name.removesuffix(".sql"), (SQL / "migrations" / name).read_text("utf8"))
        for name in files
    ]
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations must be numbered 0001, 0002 … without a gap: {files}")
    return found


def migrate(engine: Engine) -> bool:
    """Apply what is missing. True when anything changed.

    Raises StoreNewer when the store has a migration that this program does not know.
    """
    catalog = Catalog(engine.database)
    tables = {t.name: t for t in catalog.relations("tables")}
    engine.command(tables["schema_v1"].body)
    applied, made = _applied(engine)
    known = migrations()
    if applied > len(known):
        raise StoreNewer(
            f"the store has migration {applied}, this program knows {len(known)}",
            hint="run the sightline version that wrote the store, or a newer one",
        )
    for migration in known[applied:]:
        _apply(engine, catalog, tables, migration)
    load_prices(engine)
    staged = not engine.embedded or staging_is_there(engine)
    if made == catalog.fingerprint and applied == len(known) and staged and _all_there(engine, catalog):
        return False
    _make_derived(engine, catalog)
    if engine.embedded:
        make_staging(engine)
    return True


def _applied(engine: Engine) -> tuple[int, str]:
    row = engine.rows(
        "select maxIf(number, kind = 'migration') as number,"
        " argMaxIf(fingerprint, applied_at, kind = 'derived') as fingerprint from schema_v1"
    )[0]
    return int(row["number"]), str(row["fingerprint"])


def _all_there(engine: Engine, catalog: Catalog) -> bool:
    """Whether nobody has dropped a view, a dictionary or a Null table."""
    found = engine.rows("select name from system.tables where database = currentDatabase()")
    names = {row["name"] for row in found}
    return all(r.name in names for r in catalog.derived if r.folder != "functions")


def _apply(engine: Engine, catalog: Catalog, tables: dict[str, Relation], migration: Migration) -> None:
    for statement in _statements(migration.text, tables):
        engine.command(catalog.render(statement))
    engine.insert(
        "schema_v1",
        [{"kind": "migration", "number": migration.number, "name": migration.name, "fingerprint": ""}],
    )


def _statements(text: str, tables: dict[str, Relation]) -> Iterator[str]:
    """A migration's statements; a line `@create PATTERN` stands for the files of those tables."""
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    for pattern in (line.split()[1] for line in lines if line.startswith("@create ")):
        matching = [t.body for t in tables.values() if fnmatchcase(t.name, pattern)]
        if not matching:
            raise ValueError(f"a migration creates {pattern!r}, and no file in tables/ has that name")
        yield from matching
    rest = "\n".join(line for line in lines if not line.startswith("@create "))
    yield from (s.strip() for s in re.split(r";\s*\n", rest) if s.strip(" ;\n"))


def _make_derived(engine: Engine, catalog: Catalog) -> None:
    _drop_derived(engine)
    for table, file in FILLED.items():
        engine.command(f"truncate table {table}")
        engine.insert(table, list(csv.DictReader((DATA / file).read_text("utf8").splitlines())))
    for relation in catalog.derived:
        comment = f"\ncomment {quoted(relation.says)}" if relation.folder == "views" else ""
        engine.command(relation.body + comment)
    for dictionary in FILLED:
        engine.command(f"system reload dictionary {engine.database}.{dictionary.removesuffix('_v1')}")
    engine.insert(
        "schema_v1",
        [{"kind": "derived", "number": 0, "name": "derived", "fingerprint": catalog.fingerprint}],
    )


def _drop_derived(engine: Engine) -> None:
    """Drop all views, then the Null tables; functions and dictionaries are replaced in place."""
    found = engine.rows(
        "select name, engine from system.tables where database = currentDatabase()"
        " and engine in ('View', 'MaterializedView', 'Null') order by engine = 'Null'"
    )
    for row in found:
        kind = "table" if row["engine"] == "Null" else "view"
        engine.command(f"drop {kind} if exists {row['name']}")
