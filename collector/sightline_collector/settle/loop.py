"""The settlement loop: every so often, what the store has taken since is judged and the ledger corrected.

One task; the work happens in a thread. How far it is settled is kept in the store, so that a start goes on
where the last stop was; a settlement that was cut off is done again, and writes only what is missing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog
from prometheus_client import Counter, Gauge

from sightline_collector.errors import Fault
from sightline_collector.health import Health
from sightline_collector.settle.arrivals import Arrival, last_corrected
from sightline_collector.settle.given_again import AGAIN_NS, remember
from sightline_collector.settle.lease import AWAY_NS, Lease, LeaseLost
from sightline_collector.settle.progress import Mark, Portion, Progress
from sightline_collector.settle.settling import Settled, settle_arrival
from sightline_collector.settle.suspects import Look
from sightline_collector.store.engine import Engine

JOIN_S = 5.0
"""How long a stop waits for the round under way; what it leaves is done at the next start."""

log = structlog.get_logger(__name__)


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
        self._lease = Lease(engine, writer, clock_ns)
        self._whole_until = whole_until
        self._interval_s = interval_s
        self._look = Look(again_ns)
        self._clock_ns = clock_ns
        self._stopping = asyncio.Event()
        self._progress = Progress(engine, writer, self._lease, clock_ns)
        self._leads = not self._lease.shared
        self._once_more: dict[str, Mark] = {}
        self._once_more_ns = 0
        self._whole = False
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
            self._once_more = self._progress.read_anew()
            self._leads, self._whole = True, False
            self._once_more_ns = self._clock_ns() + AWAY_NS + int(self._engine.late_s * 1e9)
        elif self._once_more and self._clock_ns() > self._once_more_ns:
            self._progress.go_back(self._once_more)
            self._once_more, self._whole = {}, False
        return self._leads

    def _what_came(self) -> Settled:
        done = self._last_corrected()
        for portion in self._progress.portions(self._whole_until):
            if self._stopping.is_set():
                break
            done += self._settle(portion)
        return done

    def _last_corrected(self) -> Settled:
        """Make whole what a command was writing when it was cut off: nobody notes how far one is."""
        came = None if self._whole else last_corrected(self._engine)
        done = self._judge(came) if came is not None else Settled()
        self._whole = True
        return done

    def _settle(self, portion: Portion) -> Settled:
        remember(self._engine, portion.came, self._look.again_ns)
        done = self._judge(portion.came)
        self._progress.settled(portion, done.corrections)
        return done

    def _judge(self, came: Arrival) -> Settled:
        done = settle_arrival(self._engine, came, self._clock_ns, look=self._look, keep=self._lease.keep)
        self._judged.inc(done.traces)
        self._corrections.inc(max(0, done.corrections))
        self._failed_groups.inc(done.failed_groups)
        self._cut.inc(done.cut_traces)
        return done

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
