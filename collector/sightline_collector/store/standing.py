"""An insert that stands open: planned once, while each statement of its own is planned anew.

    segment ──▶ pipe ──▶ insert … select, open for days ──▶ coming (Buffer)
                                                              │ optimize, once all rows are there
                                                              ▼
                                                          come (Memory) ──insert──▶ spans_v1

Planning the way of a span takes up to a second, and is most of what one span costs. What stands open reads
views that a migration has made, and one of the pipe, which is there while it is. Only the last statement
stores anything, so a segment is stored whole or not at all. For the embedded engine alone: a server is asked
by others, too. Whatever is odd ends the standing insert, and for a while segments are inserted by statements
of their own, which say what it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import structlog
from clickhouse_connect.driver.client import Client

from sightline_collector.errors import Fault
from sightline_collector.store.piped import STALLS_S, End, Ended, Piped
from sightline_collector.store.standing_metrics import StandingMetrics, State

FIRST = 8
"""From which insert on it pays: to open one costs as much as a few statements."""
REST_S, REST_MOST_S = 10.0, 600.0
"""How long after its end the next is opened, longer each time until one has stored: who sends what ends it
could else keep a processor busy."""
RENEWED = 2000
"""After how many inserts another is opened: what the engine reckons that it holds, and bounds, grows by 50 KB
each, for others let go what it has made."""
LOOK_S, LOOK_MOST_S = 0.003, 0.05
"""How soon it is looked whether all have come, and how seldom in the end. A look takes two milliseconds."""
LOOKS = 8
"""As often it is looked in the time in which a file was written: what is still to be done takes as long."""

log = structlog.get_logger(__name__)


class Writes(Protocol):
    """The engine's write handle."""

    def command(self, sql: str) -> None: ...
    def write_value(self, sql: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class Statements:
    """The tables on the way and what makes them, what makes the view of what is read, what stands open, what
    stores the rows that came, and the names of all that is made."""

    coming: str
    come: str
    making: tuple[str, ...]
    requests: str
    open: str
    store: str
    made: tuple[str, ...]


@dataclass(slots=True)
class Standing:
    """Takes files of requests, one after the other. `close()` it before the engine."""

    writes: Writes
    connect: Callable[[], Client]
    statements: Statements
    metrics: StandingMetrics
    _lock: Lock = field(default_factory=Lock, init=False)
    _inserts: int = field(default=0, init=False)
    _stored: int = field(default=0, init=False)
    _failed: int = field(default=0, init=False)
    _stuck: bool = field(default=False, init=False)
    _rests_until_s: float = field(default=0.0, init=False)
    _piped: Piped | None = field(default=None, init=False)

    def takes(self, file: Path, items: int) -> bool:
        """Insert a file of so many items. False when it must be inserted in another way: nothing of it is
        stored then. Raises a Fault of the last statement, which stores all or nothing."""
        with self._lock:
            self._inserts += 1
            came = self._inserts >= FIRST and not self._stuck and self._has_come(file, items)
            if came:
                self._store()
                self._renew()
            self.metrics.went(standing=came)
            return came

    @property
    def is_open(self) -> bool:
        """Whether the next file will not be planned anew."""
        return self.state is State.OPEN

    @property
    def state(self) -> State:
        """How it stands."""
        if self._stuck:
            return State.STUCK
        if (piped := self._piped) is not None:
            return State.OPEN if piped.is_open else State.OPENING
        return State.RESTING if time.monotonic() < self._rests_until_s else State.CLOSED

    def close(self) -> None:
        """Let it end, wait for that, and leave nothing."""
        with self._lock:
            self._end(End.CLOSED)

    def _has_come(self, file: Path, items: int) -> bool:
        """Whether all of a file's rows came by what stands open."""
        try:
            piped = self._ready()
            if piped is not None:
                self._bring(piped, file, items)
        except (Ended, Fault, OSError) as e:
            self._rest(e)
            return False
        return piped is not None

    def _ready(self) -> Piped | None:
        """What stands open; None while it is planned, or must not be opened yet."""
        if self._piped is None and time.monotonic() >= self._rests_until_s:
            for sql in self.statements.making:
                self.writes.command(sql)
            self._piped = Piped(self.connect(), self.statements.requests, self.statements.open)
        return self._piped if self._piped and self._piped.reads() else None

    def _bring(self, piped: Piped, file: Path, items: int) -> None:
        """Have all of a file's rows come, and nothing else."""
        if self._came():
            raise Ended(End.UNAWAITED, "rows came that nobody awaited")
        begun_s = time.monotonic()
        piped.write(file)
        moved_s = time.monotonic()
        here, look_s = 0, min(max((moved_s - begun_s) / LOOKS, LOOK_S), LOOK_MOST_S)
        time.sleep(look_s)
        while (now_here := self._came()) < items:
            piped.refuse_ended()
            if now_here > here:
                here, moved_s = now_here, time.monotonic()
            elif time.monotonic() - moved_s > STALLS_S:
                raise Ended(End.STALLED, f"{here} of {items} rows came")
            time.sleep(look_s)
            look_s = min(1.5 * look_s, LOOK_MOST_S)
        self.writes.command(f"optimize table {self.statements.coming}")

    def _came(self) -> int:
        return int(self.writes.write_value(f"select count() from {self.statements.coming}"))  # noqa: S608

    def _store(self) -> None:
        try:
            self.writes.command(self.statements.store)
        finally:
            try:
                self.writes.command(f"truncate table {self.statements.come}")
            except Fault as e:
                self._rest(e)

    def _renew(self) -> None:
        self._stored, self._failed = self._stored + 1, 0
        if self._stored % RENEWED == 0:
            self._end(End.RENEWED)

    def _rest(self, why: Exception) -> None:
        rest_s = min(REST_S * 2**self._failed, REST_MOST_S)
        self._failed = min(self._failed + 1, 10)
        log.warning("segments are inserted by statements of their own", why=str(why)[:300], for_s=rest_s)
        self._rests_until_s = time.monotonic() + rest_s
        self._end(why.end if isinstance(why, Ended) else End.STORE if isinstance(why, Fault) else End.FILE)

    def _end(self, why: End) -> None:
        if self._piped is not None or why is not End.CLOSED:
            self.metrics.ended(why)
        if self._piped is not None and not self._piped.end():
            # Its tables are its own until it ends: whoever asked for them would wait with it.
            log.error("an insert that stood open does not end", hint="restart the collector")
            self._stuck = True
        self._piped = None
        for made in () if self._stuck else self.statements.made:
            with suppress(Fault):
                self.writes.command(f"drop table if exists {made} sync")
