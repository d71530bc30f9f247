"""The settlement loop: every so often, what the store has taken since is judged and the ledger corrected.

One task; the work happens in a thread. How far it is settled is kept in the store, so that a start goes on
where the last stop was; a settlement that was cut off is done again, and writes only what is missing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from prometheus_client import Counter, Gauge

from sightline_collector.errors import Fault
from sightline_collector.health import Health
from sightline_collector.settle.arrivals import Arrival, of_batches, through_the_door
from sightline_collector.settle.given_again import AGAIN_NS, remember
from sightline_collector.settle.lease import AWAY_NS, Lease, LeaseLost
from sightline_collector.settle.settling import Settled, settle_arrival
from sightline_collector.settle.suspects import Look
from sightline_collector.store.engine import Engine

JOIN_S = 5.0
"""How long a stop waits for the round under way; what it leaves is done at the next start."""

SPANS_AT_ONCE = 200_000
"""Spans whose traces are judged in one settlement, give or take a segment."""

EVERY = 2**64 - 1
"""No segment has a higher number."""

DOOR = "otel_traces"
"""Who is said to have written what clients insert themselves, without segments."""

DOOR_LAG_NS = 60 * 10**9
"""How much later than its time of receipt such a span can be seen: an insert takes that long at most."""

NEXT = """
select max(batch)
from (
    select batch, sum(count()) over (order by batch) as spans, count() as own
    from spans_v1
    where writer = {writer:String} and batch > {after:UInt64} and batch <= {whole:UInt64} and entry = 'span'
    group by batch
    having max(received_at) <= fromUnixTimestamp64Nano({before:Int64}, 'UTC'))
where spans - own < {most:UInt64}
"""

LAST = """
select until, keys
from settlements_v1
where writer = {writer:String}
order by until desc, settled_at desc
limit 1
"""

KEYS = """
select writer, sum(span_key) as keys
from spans_v1
where batch in {batches:Array(UInt64)} and (writer, batch) in {segments:Array(Tuple(String, UInt64))}
    and entry = 'span'
group by writer
"""
"""Another number as soon as a span of a segment comes or goes."""

WRITERS = """
select writer, max(batch) as last
from spans_v1
where batch > 0 and entry = 'span' and received_at > fromUnixTimestamp64Nano({since:Int64}, 'UTC')
group by writer
"""

HEARD_NS = 80 * 86_400 * 10**9
"""Of whom nothing came for so long all is settled: how far is kept for 90 days."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a writer's segments are settled. `keys` is what KEYS said of the last; None when it does not
    matter."""

    until: int
    keys: int | None = None


class SettleLoop:
    """Settles one store, in which `writer` stores the segments of this collector.

    `whole_until` is the last segment that is stored whole; None when all are that can be seen. One that is
    still being inserted piece by piece is settled later; another collector's when it is old, and once more
    when more of it has come. `again_ns` is how long an answer is known that is given again.
    """

    def __init__(
        self,
        engine: Engine,
        health: Health,
        writer: Callable[[], str],
        *,
        whole_until: Callable[[], int | None] = lambda: None,
        interval_s: float,
        again_ns: int = AGAIN_NS,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._lease = Lease(engine, writer, clock_ns)
        self._whole_until = whole_until
        self._interval_s = interval_s
        self._look = Look(again_ns)
        self._clock_ns = clock_ns
        self._stopping = asyncio.Event()
        self._settled: dict[str, Mark] = {}
        self._leads = not self._lease.shared
        self._once_more: dict[str, Mark] = {}
        self._once_more_ns = 0
        self._finished = time.monotonic()
        self._measure(health)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Settle inside the block; at its end the round under way is waited for, JOIN_S at most."""
        settling = asyncio.create_task(self._run(), name="settle")
        try:
            yield
        finally:
            self._stopping.set()
            await asyncio.wait([settling], timeout=JOIN_S)
            if settling.done():
                leaving = asyncio.create_task(asyncio.to_thread(self._leave), name="settle-leave")
                await asyncio.wait([leaving], timeout=JOIN_S)
            settling.cancel()

    def _leave(self) -> None:
        with suppress(Fault):  # a store that is away: it is noticed by its silence
            self._lease.leave()

    async def _run(self) -> None:
        """Round after round. The first comes after a while: what a kill has left is repaired before it."""
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._interval_s)
                return
            await asyncio.to_thread(self._round)

    def _round(self) -> None:
        try:
            self.round()
        except Fault as e:
            self._failed.inc()
            # What was sent without an answer may yet come: it is settled once more, as after another settler.
            self._leads = not self._lease.shared
            log.warning("calls not settled", reason=e.reason, error=e.message)
        except Exception:
            # The collector takes spans also when its ledger is at fault.
            self._failed.inc()
            log.exception("calls not settled")
        else:
            self._finished = time.monotonic()

    def round(self) -> Settled:
        """Settle all that has come, if it is this collector that settles, and as long as it is. Raises a
        Fault when the store fails."""
        try:
            return self._what_came() if self._leading() else Settled()
        except LeaseLost:
            log.info("another collector settles")
            self._leads = False
            return Settled()

    def _leading(self) -> bool:
        """Whether this collector settles. One that takes over settles all from there once more when whatever
        the last one was still writing is in: some of it may have been written twice."""
        self._lease.announce()
        if not self._lease.held():
            self._leads = False
        elif not self._leads:
            self._settled.clear()
            self._once_more = {writer: self._mark(writer) for writer in (DOOR, *self._last_batches())}
            self._leads, self._once_more_ns = True, self._clock_ns() + AWAY_NS
        elif self._once_more and self._clock_ns() > self._once_more_ns:
            self._settled |= self._once_more
            self._once_more = {}
        return self._leads

    def _what_came(self) -> Settled:
        done = Settled()
        last = self._last_batches()
        self._look_again(last)
        for writer in (writer for writer in last if last[writer] > self._after(writer)):
            while (until := self._next_batch(writer)) is not None and not self._stopping.is_set():
                done += self._settle(writer, until, of_batches(writer, self._after(writer), until))
        now_ns = self._clock_ns()
        seen_ns = max(0, self._after(DOOR) - DOOR_LAG_NS)
        if self._came_through_the_door(seen_ns):
            done += self._settle(DOOR, now_ns, through_the_door(DOOR, seen_ns, now_ns))
        return done

    def _look_again(self, writers: Iterable[str]) -> None:
        """Go back to another collector's last segment when there is more of it than was settled, or less: it
        was stored in pieces, by a search that takes long or a process that was killed. Those before it are
        whole, for they are stored in their order."""
        marks = {writer: mark for writer in writers if (mark := self._mark(writer)).keys is not None}
        found = self._keys({writer: mark.until for writer, mark in marks.items()})
        for writer, mark in marks.items():
            if found[writer] != mark.keys:
                self._settled[writer] = Mark(mark.until - 1)

    def _settle(self, writer: str, until: int, arrival: Arrival) -> Settled:
        keys = self._keys({writer: until})[writer]
        remember(self._engine, arrival, self._look.again_ns)
        done = settle_arrival(self._engine, arrival, self._clock_ns, look=self._look, keep=self._lease.keep)
        row = {"writer": writer, "until": until, "keys": keys, "corrections": done.corrections}
        self._engine.insert("settlements_v1", [row])
        self._settled[writer] = Mark(until, keys)
        self._judged.inc(done.traces)
        self._corrections.inc(max(0, done.corrections))
        self._failed_groups.inc(done.failed_groups)
        self._cut.inc(done.cut_traces)
        return done

    def _after(self, writer: str) -> int:
        """The last batch, or moment, that is settled."""
        return self._mark(writer).until

    def _mark(self, writer: str) -> Mark:
        if writer not in self._settled:
            found = self._engine.rows(LAST, {"writer": writer})
            self._settled[writer] = Mark(found[0]["until"], found[0]["keys"]) if found else Mark(0)
        return self._settled[writer]

    def _keys(self, batches: Mapping[str, int]) -> dict[str, int | None]:
        """Which spans of a segment of each writer are there; None where none can come later."""
        segments = [
            (writer, batch) for writer, batch in batches.items() if writer not in (DOOR, self._writer())
        ]
        asked = {"segments": segments, "batches": [batch for _, batch in segments]}
        rows = self._engine.rows(KEYS, asked) if segments else []
        found = dict.fromkeys(batches) | {writer: 0 for writer, _ in segments}
        return found | {str(row["writer"]): int(row["keys"]) for row in rows}

    def _last_batches(self) -> dict[str, int]:
        """Whose segments are settled, and the last of each that came: a server's are of all collectors that
        share it, and of each of their starts."""
        if not self._lease.shared:
            return {self._writer(): EVERY}
        rows = self._engine.rows(WRITERS, {"since": self._clock_ns() - HEARD_NS})
        return {str(row["writer"]): int(row["last"]) for row in rows}

    def _next_batch(self, writer: str) -> int | None:
        """Up to which segment the next settlement goes; None when all are settled. What another collector is
        still inserting piece by piece is known by its age."""
        own = writer == self._writer()
        whole = self._whole_until() if own else None
        found = self._engine.value(
            NEXT,
            {
                "writer": writer,
                "after": self._after(writer),
                "most": SPANS_AT_ONCE,
                "whole": EVERY if whole is None else whole,
                "before": self._clock_ns() - (0 if own else AWAY_NS),
            },
        )
        return int(found) or None if found is not None else None

    def _came_through_the_door(self, seen_ns: int) -> bool:
        found = self._engine.value(
            "select 1 from spans_v1 where writer = {writer:String} and entry = 'span'"
            " and received_at > fromUnixTimestamp64Nano({seen:Int64}, 'UTC') limit 1",
            {"writer": DOOR, "seen": seen_ns},
        )
        return found is not None

    def _measure(self, health: Health) -> None:
        registry = health.registry
        lag = Gauge("sightline_settle_lag_seconds", "Since all that came was last settled", registry=registry)
        lag.set_function(lambda: time.monotonic() - self._finished)
        self._failed = Counter(
            "sightline_settle_failed_rounds",
            "Settlements that the store or a fault cut short",
            registry=registry,
        )
        self._judged = Counter(
            "sightline_settle_traces", "Traces that were judged, again and again", registry=registry
        )
        self._failed_groups = Counter(
            "sightline_settle_failed_groups",
            "Groups of traces whose corrections the store refused",
            registry=registry,
        )
        self._cut = Counter(
            "sightline_settle_cut_traces",
            "Long traces of which a settlement saw only what lay around the spans that had come",
            registry=registry,
        )
        self._corrections = Counter(
            "sightline_settle_corrections", "Corrections appended to the ledger", registry=registry
        )
