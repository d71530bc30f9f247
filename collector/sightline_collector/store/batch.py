"""The rows of one segment in the store: inserted, counted, deleted, by batch and writer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from sightline_collector.sql.catalog import DATA, Catalog
from sightline_collector.store import steps
from sightline_collector.store.connection import ANSWER_S
from sightline_collector.store.engine import Engine, Messages
from sightline_collector.store.piped import ROWS_MAX
from sightline_collector.store.staging import Insertion, Way, database_of, insertion, standing, tables, views
from sightline_collector.store.standing import Statements
from sightline_collector.wal.segment import Signal

INSERT_MEMORY_BYTES = 1 << 30
"""One insert's bound: what needs more is halved. A 64 MB segment needs about 200 MB."""

INSERT_S = ANSWER_S - 10
"""What an insert may take. Less than a client waits for its answer: a server that went on after the client
had left would insert a second time what the client had meanwhile inserted again."""

INSERT_SETTINGS = {
    # Blocks small enough to stay in the processor's caches on their way, and one at its end, so that an
    # insert is all or nothing.
    "max_threads": 1,
    "max_block_size": 65_536,
    "input_format_max_block_size_bytes": 4 << 20,
    "min_insert_block_size_rows": 10**12,
    "min_insert_block_size_bytes": 10**15,
    # A view that fails must fail the insert; equal segments are not duplicates.
    "materialized_views_ignore_errors": 0,
    "deduplicate_insert": "'disable'",
    # The plan is one way through: looking for a better one costs more than a small insert's work.
    "query_plan_enable_optimizations": 0,
    "optimize_and_compare_chain": 0,
    # Compiling so many expressions takes a second, and what comes of it is no faster.
    "compile_expressions": 0,
    "max_memory_usage": INSERT_MEMORY_BYTES,
    "max_execution_time": INSERT_S,
}

STANDING_SETTINGS = INSERT_SETTINGS | {
    "max_block_size": ROWS_MAX,
    "input_format_max_block_size_bytes": 36 << 20,  # two of a full segment, with the request that fills it
    "max_execution_time": 0,
}
"""Of an insert that stands open: as nothing is planned, larger blocks pay, which are begun more seldom."""

WAYS: dict[Signal, Way] = {
    Signal.TRACES: Way(
        "spans_v1",
        (
            "otlp_items", "parted_spans", "unfolded_spans", "spelled_spans", "gathered_spans", "raw_spans",
            "conversed_spans", "recognised_spans", "mapped_spans", "priced_spans",
        ),
        cuts=("recognised_spans", "mapped_spans"),
        views=("gathered_spans", "recognised_spans", "mapped_spans"),
    ),
    Signal.LOGS: Way("raw_logs", ("otlp_items", "spelled_logs", "decoded_logs")),
    Signal.METRICS: Way("metrics_v1", ("otlp_items", "metric_points", "spelled_metrics", "decoded_metrics")),
}  # fmt: skip
"""Where a signal's requests go, and the steps on the way."""

TABLES: dict[Signal, tuple[str, ...]] = {
    Signal.TRACES: ("spans_v1",),
    Signal.LOGS: ("logs_v1", "feedback_v1", "losses_v1", "audit_v1"),
    Signal.METRICS: ("metrics_v1",),
}
"""Where a signal's rows land. The first holds one row an item and is the one that is counted."""

LEDGER = frozenset({"entry", "why", "span_received_at", "span_key", "calls", "priced", "unpriced"})
"""Columns that a span leaves to their defaults; corrections fill them."""

COUNT_SETTINGS = "optimize_use_projections = 0, optimize_use_implicit_projections = 0, max_threads = 1"
"""None serves this question: looking for one that does takes longer than the answer."""

DELETE_TRIES = 5
"""How often rows are asked for again that a merge had taken into another part before they were deleted."""

OF_BATCH = "batch = {batch:UInt64} and writer = {writer:String}"


STAGED = """
select
    table,
    arrayStringConcat(
        arrayMap(each -> each.2, arraySort(groupArray((position, concat(name, ' ', type))))), ', ') as columns
from system.columns where database = {database:String} group by table
"""


class CountDiffers(Exception):  # noqa: N818 - it names what was seen
    """The store holds another number of rows of a batch than were inserted."""


@cache
def _requests(signal: Signal) -> Messages:
    parts = (DATA / "otlp" / "any_value.proto", DATA / "otlp" / f"{signal.value}.proto")
    structure = Catalog("").render(f"{{type:otlp_{signal.value}}}")
    return Messages("\n".join(part.read_text("utf8") for part in parts), structure)


@cache
def _insertion(
    database: str, embedded: bool, signal: Signal, columns: tuple[str, ...], without: frozenset[str]
) -> Insertion:
    """What takes a signal's requests all the way. A server is not cut: its tables others would fill, too."""
    way = WAYS[signal] if embedded else replace(WAYS[signal], cuts=())
    return insertion(Catalog(database), way, columns, _spelled(INSERT_SETTINGS), without)


@cache
def _standing(database: str, signal: Signal, columns: tuple[tuple[str, str], ...]) -> Statements:
    """What takes them by an insert that stands open."""
    settings = (_spelled(STANDING_SETTINGS), _spelled(INSERT_SETTINGS))
    return standing(Catalog(database), WAYS[signal], dict(columns), *settings)


def _spelled(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in settings.items())


def staged(catalog: Catalog) -> Iterator[str]:
    """The statements that make what segments go through, but for the columns that views are told."""
    for signal, way in WAYS.items():
        structure = _requests(signal).structure
        yield from tables(catalog, way, structure).values()
        yield from views(catalog, way, structure, {})


def make_staging(engine: Engine) -> None:
    """Make the tables in memory through which an embedded engine's segments go, and the views that an insert
    reads which stands open."""
    catalog = Catalog(engine.database)
    engine.command(f"create database if not exists {database_of(engine.database)}")
    for signal, way in WAYS.items():
        structure = _requests(signal).structure
        for statement in tables(catalog, way, structure).values():
            engine.command(statement)
        made = engine.rows(STAGED, {"database": database_of(engine.database)})
        columns = {row["table"]: row["columns"] for row in made}
        for statement in views(catalog, way, structure, columns):
            engine.command(statement)


def staging_is_there(engine: Engine) -> bool:
    """Whether all of them are."""
    found = engine.rows(
        "select name from system.tables where database = {database:String}",
        {"database": database_of(engine.database)},
    )
    made = {name for way in WAYS.values() for name in (*way.cuts, *way.view_names.values())}
    return made <= {row["name"] for row in found}


def insert_segment(engine: Engine, signal: Signal, file: Path, items: int = 0) -> None:
    """Insert a segment file; its rows go the whole way. One whose items are known need not be planned anew.

    Raises StoreRefused."""
    way = WAYS[signal]
    typed = {name: type_ for name, type_ in engine.columns(way.target).items() if name not in LEDGER}
    if items and engine.embedded and way.views:
        stands = _standing(engine.database, signal, tuple(typed.items()))
        if engine.insert_standing(stands, file, items, _requests(signal)):
            return
    without = steps.left_out(way.steps, file)
    statements = _insertion(engine.database, engine.embedded, signal, tuple(typed), without)
    engine.insert_messages(statements, file, _requests(signal))


@dataclass(frozen=True, slots=True)
class Batch:
    """What the store holds of one segment."""

    engine: Engine
    signal: Signal
    number: int
    writer: str

    def insert(self, file: Path, items: int, held: int = 0) -> None:
        """Insert a file of the batch, of which `held` rows are there, and count.

        Raises StoreRefused, CountDiffers.
        """
        insert_segment(self.engine, self.signal, file, items)
        came = self.count() - held
        if came != items:
            raise CountDiffers(f"batch {self.number} has {came} rows in the store, {items} were inserted")

    def count(self) -> int:
        """Its items that the store holds."""
        return self._rows(TABLES[self.signal][0])

    def delete(self) -> None:
        """Delete all rows that it has now, in each table that they have reached: asking takes less than a
        mutation.

        They are named by their parts, whose names are never used again: a statement that a proxy delivers
        when the batch was inserted once more finds none of the new ones. A merge may rename parts meanwhile.
        """
        for table in TABLES[self.signal]:
            for _ in range(DELETE_TRIES):
                if not (parts := self._parts(table)):
                    break
                sql = f"delete from {table} where {OF_BATCH} and _part in {{parts:Array(String)}}"  # noqa: S608
                self.engine.command(sql, {**self._parameters, "parts": parts})
            else:
                if self._parts(table):
                    raise CountDiffers(f"rows of batch {self.number} in {table} moved as they were deleted")

    def _rows(self, table: str) -> int:
        return int(self._found("count()", table))

    def _parts(self, table: str) -> list[str]:
        return list(self._found("groupUniqArray(_part)", table))

    def _found(self, what: str, table: str) -> Any:
        sql = f"select {what} from {table} where {OF_BATCH} settings {COUNT_SETTINGS}"  # noqa: S608
        return self.engine.write_value(sql, self._parameters)

    @property
    def _parameters(self) -> dict[str, int | str]:
        return {"batch": self.number, "writer": self.writer}
