"""
Writes the installed price data into the store, once for each version of it, and makes the engine see it.

An export gets new model and point numbers and the old rows stay, so the price of an old span can always be
explained. Its row in `price_exports_v1` is written last: rows of a load that was cut off are never looked
at, and the next load starts behind them. Dictionaries do not swap at once, so those that hold every export
are reloaded first, and then the two that lead to them: any mix is a whole old or a whole new price.

One collector loads at a time; two that start on one empty store would use the same numbers.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

LIBRARY = "genai-prices"

SETS_PRICES = ("data.py", "data_units.py", "types.py", "units.py")
"""The library's files that decide what a call costs; an export is made again when one of them changes."""

RELOAD_ORDER = (
    "price_checks",
    "price_marginals",
    "price_points",
    "price_contexts",
    "price_models",
    "price_model_rules",
    "price_provider_rules",
)
"""What is led to before what leads to it."""

FIRST_FREE_NUMBERS = """
select
    (select greatest(max(export), (select max(export) from price_rules_v1)) from price_exports_v1) + 1
        as export,
    (select max(model) from price_models_v1) + 1 as model,
    (select max(point) from price_points_v1) + 1 as point,
    (select max(lattice) from price_points_v1) + 1 as lattice
"""

NEWEST_EXPORT = """
select export, source, fingerprint, models, points from price_exports_v1 order by export desc limit 1
"""

MADE = "select name from system.dictionaries where database = currentDatabase()"
"""The dictionaries that are there: in a new store they are made after the rows, as the engine refuses a tree
of no patterns."""

RUN_EVERY_PATTERN = (
    "select countIf(match('', regexp)) as matches from price_rules_v1 where export = {export:UInt32}"
)


class Store(Protocol):
    """What loading needs of the engine."""

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None: ...

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]: ...

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None: ...


@dataclass(frozen=True, slots=True)
class LoadedPrices:
    """The export that the store prices with. `fresh` when this load wrote it."""

    export: int
    source: str
    models: int
    points: int
    fresh: bool


def load(store: Store) -> LoadedPrices:
    """Brings the installed prices into the store; a few milliseconds when they are there already.

    Raises UnsupportedPatternError, or the store's refusal, before the new prices count: the last good ones
    then stay in force.
    """
    source, fingerprint = f"{LIBRARY} {version(LIBRARY)}", _fingerprint()
    for row in store.rows(NEWEST_EXPORT):
        if row["fingerprint"] == fingerprint and row["source"] == source:
            return LoadedPrices(row["export"], source, row["models"], row["points"], fresh=False)
    loaded = _write(store, source, fingerprint)
    made = {row["name"] for row in store.rows(MADE)}
    for dictionary in RELOAD_ORDER:
        if dictionary in made:
            store.command(f"system reload dictionary {dictionary}")
    return loaded


def _write(store: Store, source: str, fingerprint: str) -> LoadedPrices:
    from genai_prices.data_snapshot import get_snapshot  # 0.2 s to import: only when there is news

    from sightline_collector.prices.export import Numbering, export

    numbering = Numbering(**store.rows(FIRST_FREE_NUMBERS)[0])
    tables = export(get_snapshot(), source, numbering)
    for table, rows in tables.by_table():
        store.insert(table, rows)
    store.rows(RUN_EVERY_PATTERN, {"export": numbering.export})
    models, points = len(tables.models), len(tables.points)
    store.insert(
        "price_exports_v1",
        [
            {
                "export": numbering.export,
                "source": source,
                "fingerprint": fingerprint,
                "models": models,
                "points": points,
            }
        ],
    )
    return LoadedPrices(numbering.export, source, models, points, fresh=True)


def _fingerprint() -> str:
    """Changes when the library's prices do, or our way of turning them into rows."""
    digest = hashlib.sha256()
    for file in (*_library_files(), *sorted(Path(__file__).parent.glob("*.py"))):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _library_files() -> Iterator[Path]:
    """The library's files, found without importing it."""
    found = find_spec("genai_prices")
    folders = (found.submodule_search_locations or ()) if found else ()
    for folder in folders:
        yield from (Path(folder) / name for name in SETS_PRICES)
