"""The rows of one segment in the store: inserted, counted, deleted, by batch and writer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sightline_collector.sql.catalog import DATA
from sightline_collector.store.engine import ANSWER_S, Engine
from sightline_collector.wal.segment import Signal

INSERT_MEMORY_BYTES = 1 << 30
"""One insert's bound: what needs more is halved. A 32 MB segment needs about 100 MB."""

INSERT_S = ANSWER_S - 10
"""What an insert may take. Less than a client waits for its answer: a server that went on after the client
had left would insert a second time what the client had meanwhile inserted again."""

INSERT_SETTINGS = (
    # One segment is one block, so that an insert is all or nothing.
    "max_block_size = 1000000000, min_insert_block_size_rows = 1000000000000,"
    " min_insert_block_size_bytes = 1000000000000000, max_threads = 1,"
    # A view that fails must fail the insert; equal segments are not duplicates.
    " materialized_views_ignore_errors = 0, deduplicate_insert = 'disable',"
    # The chain's plans are one way through: looking for better ones costs a sixth of a small insert.
    " query_plan_enable_optimizations = 0,"
    f" max_memory_usage = {INSERT_MEMORY_BYTES}, max_execution_time = {INSERT_S}"
)

TABLES: dict[Signal, tuple[str, ...]] = {
    Signal.TRACES: ("spans_v1",),
    Signal.LOGS: ("logs_v1", "feedback_v1", "losses_v1"),
    Signal.METRICS: ("metrics_v1",),
}
"""Where a signal's rows land. The first holds one row an item and is the one that is counted."""

OF_BATCH = "batch = {batch:UInt64} and writer = {writer:String}"


class CountDiffers(Exception):  # noqa: N818 - it names what was seen
    """The store holds another number of rows of a batch than were inserted."""


@cache
def _schema(signal: Signal) -> str:
    parts = (DATA / "otlp" / "any_value.proto", DATA / "otlp" / f"{signal.value}.proto")
    return "\n".join(part.read_text("utf8") for part in parts)


def insert_segment(engine: Engine, signal: Signal, file: Path) -> None:
    """Insert a segment file; its rows go the whole way through the views. Raises StoreRefused."""
    engine.insert_protobuf(f"otlp_{signal.value}", file, _schema(signal), INSERT_SETTINGS)


@dataclass(frozen=True, slots=True)
class Batch:
    """What the store holds of one segment."""

    engine: Engine
    signal: Signal
    number: int
    writer: str

    def insert(self, file: Path, items: int) -> None:
        """Insert a file of the batch and count. Raises StoreRefused, CountDiffers."""
        insert_segment(self.engine, self.signal, file)
        held = self.count()
        if held != items:
            raise CountDiffers(f"batch {self.number} has {held} rows in the store, {items} were inserted")

    def count(self) -> int:
        """Its items that the store holds."""
        sql = f"select count() from {TABLES[self.signal][0]} where {OF_BATCH}"  # noqa: S608 - a constant
        return int(self.engine.write_value(sql, self._parameters))

    def delete(self) -> None:
        """Delete all of its rows, in each table that they reach."""
        for table in TABLES[self.signal]:
            sql = f"delete from {table} where {OF_BATCH}"  # noqa: S608 - a constant
            self.engine.command(sql, self._parameters)

    @property
    def _parameters(self) -> dict[str, int | str]:
        return {"batch": self.number, "writer": self.writer}
