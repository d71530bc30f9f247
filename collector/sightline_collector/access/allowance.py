"""What a key may send: spans a second, bytes a day. Pure, but for the clock that is given.

A request is never cut in two: it passes while anything is left, and what it takes beyond is paid back before
the next one passes. So every request passes some time, however large it is. One that is refused after all
takes nothing. A key and those that took its place have one allowance together.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sightline_collector.access.key import Key
from sightline_collector.errors import OverAllowance

BURST_S = 5.0
"""Spans of so many seconds may come at once: batch processors send every five."""
RETRY_S_MAX = 3
"""Clients give up after 10 s in all: one that is to come back is told to soon."""
DAY_S = 86_400
"""Days are UTC's."""


class Allowance:
    """Of one key: `check` before a request is read, `spend` once it is counted, `give_back` when it could not
    be kept. Lives on one event loop."""

    def __init__(self, key: Key, clock_s: Callable[[], float] = time.time) -> None:
        self._clock_s = clock_s
        self._at_s = clock_s()
        self._rate = self._per_day = 0.0
        self.limit(key)
        self._spans_left = self._rate * BURST_S
        self.day = int(self._at_s // DAY_S)
        self.day_bytes = 0

    def limit(self, key: Key) -> None:
        """Takes the key's limits, which may have changed; 0 is none."""
        self._rate, self._per_day = key.spans_per_s or 0.0, key.bytes_per_day or 0

    @property
    def bounded(self) -> bool:
        """True when there is a limit of bytes a day."""
        return self._per_day > 0

    def check(self) -> None:
        """Raises OverAllowance when nothing is left."""
        self._pass_time()
        if self._rate and self._spans_left <= 0:
            wait_s = -self._spans_left / self._rate
            raise OverAllowance(
                f"The key may send {self._rate:g} spans a second, and has sent those of {wait_s:.1f} s more",
                hint="Retry; if this lasts, send less, or ask the operator for more",
                retry_after_s=min(RETRY_S_MAX, 1 + int(wait_s)),
                reason="over_rate",
            )
        if self._per_day and self.day_bytes >= self._per_day:
            raise OverAllowance(
                f"The key has sent the {self._per_day:g} bytes that it may on a day",
                hint="It may again after midnight, UTC; ask the operator for more",
                retry_after_s=max(1, round((self.day + 1) * DAY_S - self._at_s)),
                reason="over_quota",
            )

    def spend(self, items: int, size_bytes: int) -> int:
        """Takes what a request holds, all of it, if anything is left: the day it is taken from. Raises
        OverAllowance."""
        self.check()
        self._spans_left -= items
        self.day_bytes += size_bytes
        return self.day

    def give_back(self, items: int, size_bytes: int, day: int) -> None:
        """Takes back a `spend`, whose day may have ended since."""
        self._spans_left += items
        if day == self.day:
            self.day_bytes -= size_bytes

    def resume(self, day: int, day_bytes: int) -> None:
        """Goes on where another process had stopped, if the day is the same."""
        if day == self.day:
            self.day_bytes = max(self.day_bytes, day_bytes)

    def _pass_time(self) -> None:
        now_s = self._clock_s()
        passed_s, self._at_s = max(0.0, now_s - self._at_s), now_s
        self._spans_left = min(self._rate * BURST_S, self._spans_left + passed_s * self._rate)
        if int(now_s // DAY_S) != self.day:
            self.day, self.day_bytes = int(now_s // DAY_S), 0
