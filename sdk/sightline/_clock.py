"""The one place that asks what time it is, so that a test can answer."""

import time
from typing import Protocol


class Clock(Protocol):
    """Wall time dates things, elapsed time measures them: the wall clock may be set back, the other never."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970, UTC."""
        ...

    def elapsed_ns(self) -> int:
        """Nanoseconds since some fixed moment; only differences mean anything."""
        ...


class SystemClock:
    """The machine's own clocks."""

    now_ns = staticmethod(time.time_ns)
    elapsed_ns = staticmethod(time.perf_counter_ns)


_current: Clock = SystemClock()


def now_ns() -> int:
    """Nanoseconds since 1970, UTC."""
    return _current.now_ns()


def elapsed_ns() -> int:
    """Nanoseconds since some fixed moment; only differences mean anything."""
    return _current.elapsed_ns()


def use(clock: Clock) -> Clock:
    """Put another clock in; returns the one that was there."""
    global _current
    previous, _current = _current, clock
    return previous
