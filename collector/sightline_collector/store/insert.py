"""Segments into the store, exactly once, confirmed by count.

    sealed ──insert──▶ count = items at the door? ──yes──▶ let go
       ▲                  │ no            │ error
       │                  ▼               ▼
       └──delete what is there──wait──◀── the store's fault   the data's fault ──▶ halve, insert each half;
                                                              a single request goes to the dead letters

An insert that returns proves nothing: a dropped view loses every row quietly. So after each insert the rows
of its batch are counted, and only then is the segment let go. A segment in doubt (left by an earlier process,
or after an answer that never came) is counted first. Exactly-once rests on this count alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import structlog

from sightline_collector.errors import Fault, LogClosed, LogUnwritable
from sightline_collector.health import Health
from sightline_collector.sql.catalog import DATA
from sightline_collector.store.engine import Engine
from sightline_collector.store.verdict import Verdict, judge, reason
from sightline_collector.wal.appender import Segment
from sightline_collector.wal.segment import Record, Signal, records

RETRY_FIRST_S, RETRY_MOST_S = 0.5, 30.0
INSERT_MEMORY_BYTES = 1 << 30
"""One insert's bound: what needs more is halved. A 32 MB segment needs about 100 MB."""

TABLES: dict[Signal, tuple[str, ...]] = {
    Signal.TRACES: ("spans_v1",),
    Signal.LOGS: ("logs_v1", "feedback_v1", "losses_v1"),
    Signal.METRICS: ("metrics_v1",),
}
"""Where a signal's rows land. The first holds one row an item and is the one that is counted."""

OF_BATCH = "batch = {batch:UInt64} and writer = {writer:String}"

log = structlog.get_logger(__name__)


class DeadLetters(Protocol):
    """Takes a request that the engine will never take; True when it was kept, False when there is no room."""

    def put(self, signal: Signal, framed: bytes, record: Record, why: str, code: int) -> bool: ...


class Gate(Protocol):
    """Where segments come from, and whom to tell that one is safe."""

    @property
    def writer(self) -> str: ...
    async def sealed(self, signal: Signal) -> Segment: ...
    async def let_go(self, segment: Segment) -> None: ...


class CountDiffers(Exception):  # noqa: N818 - it names what was seen
    """The store holds another number of rows of a batch than were inserted."""


INSERT_SETTINGS = (
    # One segment is one block, so that an insert is all or nothing.
    "max_block_size = 1000000000, min_insert_block_size_rows = 1000000000000,"
    " min_insert_block_size_bytes = 1000000000000000, max_threads = 1,"
    # A view that fails must fail the insert; equal segments are not duplicates.
    " materialized_views_ignore_errors = 0, deduplicate_insert = 'disable',"
    # The chain's plans are one way through: looking for better ones costs a sixth of a small insert.
    " query_plan_enable_optimizations = 0,"
    f" max_memory_usage = {INSERT_MEMORY_BYTES}"
)


@cache
def _schema(signal: Signal) -> str:
    parts = (DATA / "otlp" / "any_value.proto", DATA / "otlp" / f"{signal.value}.proto")
    return "\n".join(part.read_text("utf8") for part in parts)


def insert_segment(engine: Engine, signal: Signal, file: Path) -> None:
    """Insert a segment file; its rows go the whole way through the views. Raises StoreRefused."""
    engine.insert_protobuf(f"otlp_{signal.value}", file, _schema(signal), INSERT_SETTINGS)


@dataclass(slots=True)
class Inserter:
    """Takes one signal's segments in their order. `run()` until the log is drained."""

    signal: Signal
    engine: Engine
    gate: Gate
    dead_letters: DeadLetters
    health: Health
    scratch: Path
    threads: ThreadPoolExecutor
    clock: Callable[[], float] = time.time

    async def run(self) -> None:
        """Insert, confirm and let go until the log has no more to give."""
        while True:
            try:
                segment = await self.gate.sealed(self.signal)
            except LogClosed:
                return
            except LogUnwritable as e:
                log.error("a segment cannot be read", signal=self.signal, error=str(e))
                await asyncio.sleep(RETRY_MOST_S)
                continue
            await self._settle(segment)

    async def _settle(self, segment: Segment) -> None:
        in_doubt, pause_s = segment.in_doubt, RETRY_FIRST_S
        while True:
            try:
                await self._in_thread(self._store, segment, in_doubt)
                break
            except Exception as e:
                in_doubt = True
                self.health.store_up.set(0)
                self.health.retried(self.signal, reason(e))
                log.warning(
                    "an insert will be tried again",
                    signal=self.signal, batch=segment.batch, error=str(e)[:300], pause_s=pause_s,
                )  # fmt: skip
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, RETRY_MOST_S)
        self.health.store_up.set(1)
        await self._let_go(segment)

    async def _let_go(self, segment: Segment) -> None:
        try:
            await self.gate.let_go(segment)
        except Fault as e:
            log.error("a stored segment stays", batch=segment.batch, error=str(e))

    async def _in_thread(self, work: Callable[..., None], *args: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self.threads, work, *args)

    # -- in a thread -------------------------------------------------------------------------------

    def _store(self, segment: Segment, in_doubt: bool) -> None:
        began = time.perf_counter()
        if in_doubt and self._is_whole(segment):
            return
        try:
            insert_segment(self.engine, self.signal, segment.path)
            self._confirm(segment.batch, segment.items)
            items = segment.items
        except Fault as e:
            if judge(e) is Verdict.WAIT:
                raise
            items = self._store_by_halves(segment)
        lag_s = self.clock() - segment.first_received_at_ns / 1e9
        self.health.inserted(self.signal, items, time.perf_counter() - began, max(0.0, lag_s))

    def _is_whole(self, segment: Segment) -> bool:
        """Whether the store holds the segment already; what it holds in part is deleted."""
        held = self._count(segment.batch)
        found = "whole" if held == segment.items else "short" if held else "absent"
        self.health.repaired(self.signal, found)
        # A kill between two tables' commits leaves the first whole and another short: only one is counted.
        counted_all = len(TABLES[self.signal]) == 1
        if found == "short" or not counted_all:
            self._delete(segment.batch)
        return found == "whole" and counted_all

    def _confirm(self, batch: int, items: int) -> None:
        held = self._count(batch)
        if held != items:
            raise CountDiffers(f"batch {batch} has {held} rows in the store, {items} were inserted")

    def _count(self, batch: int) -> int:
        sql = f"select count() from {TABLES[self.signal][0]} where {OF_BATCH}"  # noqa: S608 - a constant
        return int(self.engine.write_value(sql, {"batch": batch, "writer": self.gate.writer}))

    def _delete(self, batch: int) -> None:
        for table in TABLES[self.signal]:
            sql = f"delete from {table} where {OF_BATCH}"  # noqa: S608 - a constant
            self.engine.command(sql, {"batch": batch, "writer": self.gate.writer})

    def _store_by_halves(self, segment: Segment) -> int:
        """Insert all but the requests that the engine refuses; those become dead letters. Items stored."""
        self._delete(segment.batch)
        data = segment.path.read_bytes()
        stored, waiting = 0, [records(data, segment.batch)]
        while waiting:
            piece = waiting.pop()
            try:
                stored += self._store_piece(segment, data, piece, stored)
            except Fault as e:
                if judge(e) is Verdict.WAIT:
                    raise
                if len(piece) == 1:
                    self._bury(data, piece[0], e)
                else:
                    middle = len(piece) // 2
                    waiting += [piece[middle:], piece[:middle]]
        return stored

    def _store_piece(self, segment: Segment, data: bytes, piece: list[Record], before: int) -> int:
        file = self.scratch / f"{segment.path.stem}.piece"
        file.write_bytes(b"".join(r.framed(data) for r in piece))
        try:
            insert_segment(self.engine, self.signal, file)
            items = sum(r.items for r in piece)
            self._confirm(segment.batch, before + items)
        finally:
            file.unlink(missing_ok=True)
        return items

    def _bury(self, data: bytes, record: Record, error: Fault) -> None:
        code = getattr(error, "code", 0)
        self.dead_letters.put(self.signal, bytes(record.framed(data)), record, error.message, code)
        self.health.dead_letter(self.signal, reason(error), record.items)
        log.error(
            "a request was put aside",
            signal=self.signal,
            batch=record.batch,
            items=record.items,
            error=error.message[:300],
        )
