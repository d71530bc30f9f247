"""Brings a store's tables, functions and views to this program's version; safe to run twice.

Stored tables change by numbered migrations, each recorded once it is done, with a fingerprint of the tables
as they are then; a store whose record has none is taken as it is. Everything else is derived from the SQL
files and rows of data: when its fingerprint differs from the recorded one, it is dropped and made again.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from sightline_collector.errors import StoreDiffers, StoreNewer
from sightline_collector.prices.load import load as load_prices
from sightline_collector.sql.catalog import DATA, SQL, Catalog, Relation, quoted
from sightline_collector.store.batch import make_staging, staged, staging_is_there
from sightline_collector.store.durable import sync_all
from sightline_collector.store.engine import Engine
from sightline_collector.store.migration_lock import alone

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
    """Apply what is missing, while no other collector does. True when anything changed.

    Raises StoreNewer when the store has a migration that this program does not know, StoreDiffers when it has
    all of them and yet other tables.
    """
    with alone(engine):
        return _migrate(engine)


def _migrate(engine: Engine) -> bool:
    catalog = Catalog(engine.database)
    tables = {t.name: t for t in catalog.relations("tables")}
    engine.command(tables["schema_v1"].body)
    applied, of_tables, made = _applied(engine)
    known, fingerprint = migrations(), _fingerprint(catalog)
    if applied > len(known):
        raise StoreNewer(
            f"the store has migration {applied}, this program knows {len(known)}",
            hint="run the sightline version that wrote the store, or a newer one",
        )
    if applied == len(known) and of_tables not in ("", _fingerprint_of_tables()):
        raise StoreDiffers(
            f"the store at {engine.url} was made by another build of this version, with other tables",
            hint="run that build, or name another store; `sightline wal replay` sends on what waits in a log",
        )
    for migration in known[applied:]:
        _apply(engine, catalog, tables, migration)
    if engine.embedded:
        _leave_compression(engine)
    load_prices(engine)
    staged = not engine.embedded or staging_is_there(engine)
    same = made == fingerprint and applied == len(known)
    if same and staged and _all_there(engine, catalog) and _filled(engine):
        return False
    _say_derived(engine, "")  # what is not made to its end is made again
    _make_derived(engine, catalog)
    if engine.url.path is not None:
        make_staging(engine)
    _say_derived(engine, fingerprint)
    if engine.url.path is not None:
        sync_all(engine.url.path)
    return True


def _fingerprint(catalog: Catalog) -> str:
    """Changes when anything does that can be made again: a relation, a step of an insert, what its segments
    go through, a row of data."""
    data = ((DATA / file).read_text("utf8") for file in FILLED.values())
    parts = [catalog.fingerprint, *staged(catalog), *data]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def _fingerprint_of_tables() -> str:
    """Changes when a stored table is made otherwise: not with comments, not with the database's name."""
    bodies = (re.sub(r"--.*", "", table.body).split() for table in Catalog("").relations("tables"))
    return hashlib.sha256("\0".join(map(" ".join, bodies)).encode()).hexdigest()


def _applied(engine: Engine) -> tuple[int, str, str]:
    """The last migration, the fingerprint of its tables, and that of what is derived."""
    row = engine.rows(
        "select maxIf(number, kind = 'migration') as number,"
        " argMaxIf(fingerprint, applied_at, kind = 'migration') as of_tables,"
        " argMaxIf(fingerprint, applied_at, kind = 'derived') as of_derived from schema_v1"
    )[0]
    return int(row["number"]), str(row["of_tables"]), str(row["of_derived"])


def _all_there(engine: Engine, catalog: Catalog) -> bool:
    """Whether nobody has dropped a view, a dictionary or a Null table."""
    found = engine.rows("select name from system.tables where database = currentDatabase()")
    names = {row["name"] for row in found}
    return all(r.name in names for r in catalog.derived if r.folder != "functions")


def _rows_of(file: str) -> list[dict[str, str]]:
    return list(csv.DictReader((DATA / file).read_text("utf8").splitlines()))


def _filled(engine: Engine) -> bool:
    """Whether each filled table holds its file's rows, each once."""
    for table, file in FILLED.items():
        wanted = _rows_of(file)
        found = engine.rows(f"select {', '.join(wanted[0])} from {table}")  # noqa: S608 - a file's own columns
        held = sorted(tuple(str(value) for value in row.values()) for row in found)
        if held != sorted(tuple(row.values()) for row in wanted):
            return False
    return True


def _apply(engine: Engine, catalog: Catalog, tables: dict[str, Relation], migration: Migration) -> None:
    for statement in _statements(migration.text, tables):
        engine.command(catalog.render(statement))
    done = {"number": migration.number, "name": migration.name, "fingerprint": _fingerprint_of_tables()}
    engine.insert("schema_v1", [{"kind": "migration", **done}])


def _leave_compression(engine: Engine) -> None:
    """To the embedded engine, whose own file says how: a server knows only what a table says."""
    said = (
        "select name from system.tables where database = currentDatabase()"
        " and position(engine_full, 'default_compression_codec') > 0"
    )
    for table in engine.rows(said):
        engine.command(f"alter table {table['name']} reset setting default_compression_codec")


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
        engine.insert(table, _rows_of(file))
    for relation in catalog.derived:
        comment = f"\ncomment {quoted(relation.says)}" if relation.folder == "views" else ""
        engine.command(relation.body + comment)
    for dictionary in FILLED:
        engine.command(f"system reload dictionary {engine.database}.{dictionary.removesuffix('_v1')}")


def _say_derived(engine: Engine, fingerprint: str) -> None:
    """Record of what all that is derived was made."""
    row = {"kind": "derived", "number": 0, "name": "derived", "fingerprint": fingerprint}
    engine.insert("schema_v1", [row])


def _drop_derived(engine: Engine) -> None:
    """Drop all views, then the Null tables; functions and dictionaries are replaced in place."""
    found = engine.rows(
        "select name, engine from system.tables where database = currentDatabase()"
        " and engine in ('View', 'MaterializedView', 'Null') order by engine = 'Null'"
    )
    for row in found:
        kind = "table" if row["engine"] == "Null" else "view"
        engine.command(f"drop {kind} if exists {row['name']}")
