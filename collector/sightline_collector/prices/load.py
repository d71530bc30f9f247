"""
Writes the prices in force into the store, once for each state of them, and makes the engine see it.

In force are the published prices (the installed library's, or a price list that was imported since that was
installed), those of the second source, and the overrides. An export gives new numbers to what is new and the
old rows stay, so the price of an old span can always be explained. Its row in `price_exports_v1` is written
last: rows of a load that was cut off are never looked at, and the next load starts behind them. Dictionaries
do not swap at once, so those that hold every export are reloaded first, and then the two that lead to them:
any mix is a whole old or a whole new price.

One collector loads at a time; two that start on one empty store would use the same numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sightline_collector.prices.published import fingerprint, from_file, installed, installed_source, second

if TYPE_CHECKING:
    from sightline_collector.prices.override import Override
    from sightline_collector.prices.published import Published

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

KNOWN_MODELS = """
select digest, model from price_models_v1 where export in (select export from price_exports_v1)
"""

NEWEST_EXPORT = """
select export, source, fingerprint, models, points, count() over (partition by export) as times
from price_exports_v1 order by export desc limit 1
"""
"""Of several `times`, two loads have used the same numbers: none of its rules can be read."""

OVERRIDES = "select * except set_at from price_overrides_v1 order by set_at desc limit 1 by id"

NEWEST_IMPORT = """
select source, imported_at, data from price_imports_v1 where installed = {installed:String}
order by imported_at desc limit 1
"""

MADE = "select name from system.dictionaries where database = currentDatabase()"
"""The dictionaries that are there: in a new store they are made after the rows, as the engine refuses a tree
of no patterns."""

RUN_EVERY_PATTERN = (
    "select countIf(match('', regexp)) as matches from price_rules_v1 where export = {export:UInt32}"
)

Row = Mapping[str, Any]


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


def load(store: Store, change: Mapping[str, Row] | None = None) -> LoadedPrices:
    """Brings the prices in force into the store; a few milliseconds when they are there already.

    `change` is a row of price_overrides_v1 or price_imports_v1, by table, which is written down and counts
    once it was found to fit. Raises BadConfiguration, UnsupportedPatternError, or the store's refusal, before
    the new prices count: the last good ones then stay in force.
    """
    changed = change or {}
    overrides = _rows_of_overrides(store, changed.get("price_overrides_v1"))
    imported = _import(store, changed.get("price_imports_v1"))
    source = str(imported["source"]) if imported else installed_source()
    mark = _digest(fingerprint(), overrides, imported)
    for row in store.rows(NEWEST_EXPORT):
        same = row["fingerprint"] == mark and row["source"] == source and row["times"] == 1
        if same and not changed:
            return LoadedPrices(row["export"], source, row["models"], row["points"], fresh=False)
    loaded = _write(store, overrides, imported, changed, mark)
    made = {row["name"] for row in store.rows(MADE)}
    for dictionary in RELOAD_ORDER:
        if dictionary in made:
            store.command(f"system reload dictionary {dictionary}")
    return loaded


def _rows_of_overrides(store: Store, added: Row | None) -> list[Row]:
    """Those in force, by id; `added` takes the place of the one of its id."""
    by_id: dict[str, Row] = {row["id"]: row for row in store.rows(OVERRIDES)}
    if added is not None:
        by_id[added["id"]] = {name: value for name, value in added.items() if name != "set_at"}
    return [by_id[name] for name in sorted(by_id)]


def _import(store: Store, added: Row | None) -> Row | None:
    """The price list that was imported since the installed library was installed, if any."""
    if added is not None:
        return added
    return next(iter(store.rows(NEWEST_IMPORT, {"installed": installed_source()})), None)


def _digest(library: str, overrides: Sequence[Row], imported: Row | None) -> str:
    told = [library, str(imported["data"]) if imported else ""]
    told += [repr(_override(row)) for row in overrides]
    return hashlib.sha256("\0".join(told).encode()).hexdigest()


def _override(row: Row) -> Override:
    from sightline_collector.prices.override import Override

    return Override.model_validate({**row, "prices": row["prices"] or None})


def published_in_force(store: Store) -> Published:
    """The price list that most models are sold by now."""
    return _published(_import(store, None))


def _published(imported: Row | None) -> Published:
    return from_file(imported["data"], imported["source"]) if imported else installed()


def _write(
    store: Store, overrides: Sequence[Row], imported: Row | None, changed: Mapping[str, Row], mark: str
) -> LoadedPrices:
    # 0.2 s to import: only when there is news.
    from sightline_collector.prices.catalogue import catalogue
    from sightline_collector.prices.export import (
        Numbering,
        export,
    )

    set_now = [_override(row) for row in overrides]
    first = _published(imported)
    known = {row["digest"]: row["model"] for row in store.rows(KNOWN_MODELS)}
    numbering = Numbering(**store.rows(FIRST_FREE_NUMBERS)[0], known=known)
    tables = export(catalogue(first, second(), set_now), set_now, numbering)
    for table, rows in tables.by_table():
        store.insert(table, rows)
    store.rows(RUN_EVERY_PATTERN, {"export": numbering.export})
    for table, row in changed.items():
        store.insert(table, [row])
    done = {
        "export": numbering.export,
        "source": first.source,
        "fingerprint": mark,
        "models": len(tables.sold),
        "points": len(tables.points),
    }
    store.insert("price_exports_v1", [{**done, "sold": tables.sold}])
    return LoadedPrices(numbering.export, first.source, len(tables.sold), len(tables.points), fresh=True)
