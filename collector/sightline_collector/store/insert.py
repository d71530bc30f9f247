"""Segments into the store, exactly once, confirmed by count.

    sealed ──insert──▶ count = items at the door? ──yes──▶ let go
       ▲                  │ no            │ error
       │                  ▼               ▼
       │            is the chain whole?   whose fault?
       │              │ no      │ yes       │ the data's    │ the store's
       │              ▼         ▼           ▼               │
       │            wait      by halves: requests that fail │
       │              │       alone become dead letters,    │
       │              │       the rest stays inserted; one  │
       │              │       that is too much is cut       │
       └── delete ◀───┴──────────────◀── wait ◀─────────────┘

An insert that returns proves nothing: a dropped view loses every row quietly. So after each insert the rows
of its batch are counted, and only then is the segment let go. A segment in doubt (left by an earlier process,
or after an answer that never came) is counted first: let go at once when it is whole, else counted again when
nothing of it can come any more. Exactly-once rests on this count alone.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import structlog

from sightline_collector.errors import Fault, LogClosed, LogUnwritable, StoreRefused
from sightline_collector.health import Health
from sightline_collector.store.batch import TABLES, Batch, CountDiffers
from sightline_collector.store.engine import Engine
from sightline_collector.store.golden import chain_holds
from sightline_collector.store.search import Search, items_of
from sightline_collector.store.verdict import Verdict, is_slow, judge, reason
from sightline_collector.wal.appender import Segment
from sightline_collector.wal.segment import Record, Signal, records

RETRY_FIRST_S, RETRY_MOST_S = 0.5, 5.0
"""A store that is back is seen within seconds: an attempt on one that is away costs next to nothing."""
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
    _search: Search | None = field(default=None, init=False)
    _unburied: deque[tuple[Record, Exception]] = field(default_factory=deque, init=False)
    _refused: bool = field(default=False, init=False)
    _tried_at_s: float = field(default=math.inf, init=False)
    _leaving: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Insert, confirm and let go until the log has no more to give."""
        while True:
            try:
                segment = await self.gate.sealed(self.signal)
            except LogClosed:
                return
            except LogUnwritable as e:
                self._refused = True
                log.error("a segment cannot be read", signal=self.signal, error=str(e))
                await asyncio.sleep(RETRY_MOST_S)
                continue
            await self._settle(segment)

    def stuck(self, silence_s: float) -> bool:
        """Whether the next segment was refused when it was last tried, or a server is silent for so long."""
        silent = not self.engine.embedded and time.monotonic() - self._tried_at_s > silence_s
        return self._refused or silent

    def leave(self) -> None:
        """Begin no more inserts of a segment that fails: no thread can be ended, and they may take hours."""
        self._leaving = True

    async def _settle(self, segment: Segment) -> None:
        in_doubt, pause_s = segment.in_doubt, RETRY_FIRST_S
        while True:
            self._tried_at_s = time.monotonic()
            try:
                await self._in_thread(self._store, segment, in_doubt)
                break
            except Exception as e:
                in_doubt = self._refused = True
                stored = bool(self._unburied)  # only the dead letters have no room
                self.health.store_up.set(stored)
                self.health.retried(self.signal, reason(e), str(e)[:300])
                log.warning(
                    "a dead letter waits for room" if stored else "an insert will be tried again",
                    signal=self.signal, batch=segment.batch, error=str(e)[:300], pause_s=pause_s,
                )  # fmt: skip
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, RETRY_MOST_S)
        self._refused, self._tried_at_s = False, math.inf
        self.health.store_up.set(1)
        self.health.stored(self.signal)
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
        """All of a segment. Where only the dead letters had no room, the rest is not stored a second time:
        each time would rewrite the parts that it lies in."""
        if not self._unburied:
            self._insert(segment, in_doubt)
        if self._unburied:
            self._bury(segment)

    def _insert(self, segment: Segment, in_doubt: bool) -> None:
        began = time.perf_counter()
        writer = self._writer_of(segment) if in_doubt else self.gate.writer
        batch = Batch(self.engine, self.signal, segment.batch, writer)
        if in_doubt and not self._has_all(segment, batch):
            self.engine.refuse_while_due(segment.path, left=segment.in_doubt)
        if self._search is None:
            if in_doubt and self._is_whole(segment, batch):
                return
            self._search = self._tried(segment, batch)
        items = self._store_the_good(self._search, segment, batch) if self._search else segment.items
        lag_s = self.clock() - segment.first_received_at_ns / 1e9
        self.health.inserted(self.signal, items, time.perf_counter() - began, max(0.0, lag_s))

    def _writer_of(self, segment: Segment) -> str:
        """The writer that its records name: the folder's name may have changed since."""
        found = records(segment.path.read_bytes(), segment.batch)
        return found[0].writer if found else self.gate.writer

    def _has_all(self, segment: Segment, batch: Batch) -> bool:
        """Whether all of it has come: then nothing more can, for each insert is sent once, after a count."""
        return not self._search and len(TABLES[self.signal]) == 1 and batch.count() == segment.items

    def _is_whole(self, segment: Segment, batch: Batch) -> bool:
        """Whether the store holds the segment already; what it holds in part is deleted."""
        held = batch.count()
        found = "whole" if held == segment.items else "short" if held else "absent"
        self.health.repaired(self.signal, found)
        # A kill between two tables' commits leaves the first whole and another short: only one is counted.
        counted_all = len(TABLES[self.signal]) == 1
        if found == "short" or not counted_all:
            batch.delete()
        return found == "whole" and counted_all

    def _is_in_the_data(self, error: Exception, *, first: bool = False) -> bool:
        """A segment's first failure, a wrong count, or too much time, is the data's fault only when a known
        request still comes out right."""
        if not isinstance(error, CountDiffers) and judge(error) is Verdict.WAIT:
            return False
        if first or isinstance(error, CountDiffers) or is_slow(error):
            return chain_holds(self.engine, self.signal, self.scratch)
        return True

    def _tried(self, segment: Segment, batch: Batch) -> Search | None:
        """Insert it whole; when it fails for something in it, what is to be looked through."""
        try:
            batch.insert(segment.path, segment.items)
        except (Fault, CountDiffers) as e:
            if not self._is_in_the_data(e, first=True):
                raise
            search, data = Search(self.signal), segment.path.read_bytes()
            search.failed(records(data, segment.batch), e, data)
            return search
        return None

    def _store_the_good(self, search: Search, segment: Segment, batch: Batch) -> int:
        """Insert all but the requests that fail alone; those are to become dead letters. Items stored.

        What fails is halved, the whole first: it may be one request that does, or all of them together. What
        failed may have left rows, and of a batch only all of them can be deleted.
        """
        data = segment.path.read_bytes()
        if self._differs(batch, search.held):
            batch.delete()
            search.begin_again()
        while search.waiting:
            if self._leaving:
                raise LogClosed("the collector stops", hint="its next start goes on with what is left")
            piece = search.waiting[-1]
            try:
                self._insert_piece(data, batch, piece, search.held)
            except (Fault, CountDiffers) as e:
                if not self._is_in_the_data(e):
                    raise
                search.waiting.pop()
                search.failed(piece, e, data)
                if self._differs(batch, search.held):
                    batch.delete()
                    self._insert_piece(data, batch, search.join(), 0)
            else:
                search.good.append(search.waiting.pop())
        self._unburied.extend(search.bad)
        self._search = None
        return search.held

    def _differs(self, batch: Batch, held: int) -> bool:
        """Whether the store may hold other rows of the batch; of several tables only one is counted."""
        return len(TABLES[self.signal]) > 1 or batch.count() != held

    def _insert_piece(self, data: bytes, batch: Batch, piece: list[Record], held: int) -> None:
        if not piece:
            return
        file = self.scratch / f"{self.signal}.piece"
        file.write_bytes(b"".join(record.framed(data) for record in piece))
        try:
            batch.insert(file, items_of(piece), held)
        finally:
            file.unlink(missing_ok=True)

    def _bury(self, segment: Segment) -> None:
        """Put aside what is to be, each once. Raises OSError while there is no room for it."""
        data = segment.path.read_bytes()
        while self._unburied:
            record, error = self._unburied[0]
            why = error.message if isinstance(error, Fault) else str(error)
            code = error.code if isinstance(error, StoreRefused) else 0
            self.dead_letters.put(self.signal, bytes(record.framed(data)), record, why, code)
            self._unburied.popleft()
            self.health.dead_letter(self.signal, reason(error), record.items)
            log.error(
                "a request was put aside",
                signal=self.signal, batch=record.batch, items=record.items, error=why[:300],
            )  # fmt: skip
