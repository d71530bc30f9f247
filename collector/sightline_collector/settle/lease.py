"""Who settles a store that several collectors share: the one that has been there longest.

Each says every round, and before it writes, that it is alive. A collector that has said nothing for a while
is gone, or that said so when it stopped, and the next one goes on where it stopped; one that comes back has
become the youngest. Two that start at once see each other before their first round.
"""

from __future__ import annotations

from collections.abc import Callable

from sightline_collector.store.engine import Engine

AWAY_S = 120
"""A collector that was not heard of for so long is gone: several rounds, and the longest insert."""

AWAY_NS = AWAY_S * 10**9

SAY_NS = AWAY_NS // 12
"""How often it is said in a round that takes long."""

GONE_NS = 7_258_118_400 * 10**9
"""The year 2200: since when one has been there that has left."""

OLDEST = """
select holder
from settlers_v1
where seen_at > fromUnixTimestamp64Milli({after:Int64}, 'UTC')
group by holder
having max(since) < toDateTime('2200-01-01 00:00:00', 'UTC')
order by min(since), holder
limit 1
"""

ALIVE = (
    "select distinct holder from settlers_v1 where seen_at > fromUnixTimestamp64Milli({after:Int64}, 'UTC')"
)


class LeaseLost(Exception):  # noqa: N818 - nobody's fault: what is left is another collector's to do
    """Another collector settles, or may: what was about to be written may be written by it."""


class Lease:
    """One collector's claim to settle a store, which others may share unless it is embedded.

    `ahead_ns`: by how much earlier it says that it came than it did.
    """

    def __init__(
        self, engine: Engine, holder: Callable[[], str], clock_ns: Callable[[], int], *, ahead_ns: int = 0
    ) -> None:
        self._engine = engine
        self._holder = holder
        self._clock_ns = clock_ns
        self._ahead_ns = ahead_ns
        self._since_ns = self._said_ns = clock_ns()
        self.shared = not engine.embedded

    def announce(self) -> None:
        """Say that this collector is alive. Raises a Fault when the store fails."""
        if not self.shared:
            return
        now_ns = self._clock_ns()
        if now_ns - self._said_ns > AWAY_NS:
            self._since_ns = now_ns
        since = _stored(self._since_ns - self._ahead_ns)
        self._say(since, now_ns)
        self._said_ns = now_ns

    def leave(self) -> None:
        """Say that it will not write again, so that nobody waits for it. Raises a Fault when the store
        fails."""
        if self.shared:
            self._say(_stored(GONE_NS), self._clock_ns())

    def _say(self, since: str, now_ns: int) -> None:
        row = {"holder": self._holder(), "since": since, "seen_at": _stored(now_ns)}
        self._engine.insert("settlers_v1", [row])

    def held(self) -> bool:
        """Whether this collector is the one that settles. Raises a Fault when the store fails."""
        if not self.shared:
            return True
        after = self._clock_ns() // 10**6 - AWAY_S * 1000
        return bool(self._engine.value(OLDEST, {"after": after}) == self._holder())

    def alive(self) -> set[str]:
        """Who was heard of lately. Raises a Fault when the store fails."""
        after = self._clock_ns() // 10**6 - AWAY_S * 1000
        return {str(row["holder"]) for row in self._engine.rows(ALIVE, {"after": after})}

    def keep(self) -> None:
        """Make sure that nobody else settles, for as long as an insert takes. Raises LeaseLost, a Fault when
        the store fails."""
        if not self.shared:
            return
        silent_ns = self._clock_ns() - self._said_ns
        if silent_ns > SAY_NS:
            self.announce()
        if silent_ns > AWAY_NS or not self.held():
            raise LeaseLost(self._holder())


def _stored(ns: int) -> str:
    return f"{ns // 10**9}.{ns // 10**6 % 1000:03d}"
