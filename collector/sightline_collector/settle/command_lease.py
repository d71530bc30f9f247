"""A person's `sightline settle` or `reprice` on a store that several collectors share: it goes first.

    claim said ──▶ every other collector was heard again ──▶ write, write, …
                   (so it has seen the claim, and what it was writing is in)

A claim is a lease like a settler's, and older than any: whoever settles sees before its next write that it
does not any more. So it is waited until each of them has said once more that it is alive, or is gone. Of two
claims the first goes first. One stays for a while after its last use, for who asks is answered step by step.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from uuid import uuid4

from sightline_collector.errors import StoreRefused
from sightline_collector.settle.lease import AWAY_NS, AWAY_S, SAY_NS, Lease, LeaseLost
from sightline_collector.store.engine import Engine

AHEAD_NS = 3650 * 86_400 * 10**9
"""How much longer a claim says that it has been there: longer than any collector."""

TAKE_S = 60.0
"""How long is waited for the others. Who asked waits ten times as long for an answer."""

LOOK_S = 0.25

HEARD = """
select holder, toString(max(seen_at)) as seen
from settlers_v1
where seen_at > fromUnixTimestamp64Milli({after:Int64}, 'UTC') and holder != {holder:String}
group by holder
having max(since) < toDateTime('2200-01-01 00:00:00', 'UTC')
"""


class CommandLease(Lease):
    """One collector's claim on behalf of who asks it. Safe to use from several threads."""

    def __init__(
        self,
        engine: Engine,
        clock_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        name = f"asked-{uuid4().hex}"
        super().__init__(engine, lambda: name, clock_ns, ahead_ns=AHEAD_NS)
        self._sleep = sleep
        self._taking = Lock()
        self._taken = False

    def take(self) -> None:
        """Returns once nobody else writes corrections. Raises a Fault when that takes too long."""
        if not self.shared:
            return
        with self._taking:
            still = self._taken and self._clock_ns() - self._said_ns < AWAY_NS // 2
            self.announce()
            if not (still and self.held()):
                self._taken = False
                self._wait()
                self._taken = True

    def keep(self) -> None:
        """Make sure that it is still so, for as long as an insert takes. Raises a Fault."""
        try:
            super().keep()
        except LeaseLost:
            raise _busy() from None

    def _wait(self) -> None:
        before = self._heard()
        ends_ns = self._clock_ns() + int(TAKE_S * 1e9)
        while not self.held() or any(seen == before.get(who) for who, seen in self._heard().items()):
            if self._clock_ns() > ends_ns:
                raise _busy()
            self._sleep(LOOK_S)
            if self._clock_ns() - self._said_ns > SAY_NS:
                self.announce()

    def _heard(self) -> dict[str, str]:
        """When each other one was last heard of."""
        after = self._clock_ns() // 10**6 - AWAY_S * 1000
        rows = self._engine.rows(HEARD, {"after": after, "holder": self._holder()})
        return {row["holder"]: row["seen"] for row in rows}


def nothing() -> None:
    """What keeps a claim of who does not write."""


def _busy() -> StoreRefused:
    return StoreRefused(
        "another collector writes corrections to this store, or died at it",
        hint=f"ask again in {AWAY_S // 60} minutes",
    )
