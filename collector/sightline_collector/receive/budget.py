"""So much at once, and so much a second for long: for what a peer may do, but not without end. Pure."""

from __future__ import annotations


class Budget:
    """A bucket of `at_once` that fills again by `a_second`. The time is given, in seconds of any clock."""

    __slots__ = ("_a_second", "_at_once", "_left", "_seen_s")

    def __init__(self, at_once: float, a_second: float) -> None:
        self._at_once = at_once
        self._a_second = a_second
        self._left = at_once
        self._seen_s: float | None = None

    def spend(self, now_s: float) -> bool:
        """Takes one; False when there was none."""
        if self._seen_s is not None:
            filled = min(self._at_once, self._left + (now_s - self._seen_s) * self._a_second)
            self._left = max(self._left, filled)
        self._seen_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def earn(self, more: float) -> None:
        """Gives more, also beyond `at_once`: for what a peer answers to what it was sent."""
        self._left += more
