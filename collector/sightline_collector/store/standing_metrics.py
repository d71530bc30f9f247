"""What becomes of the inserts that stand open, and of the segments that they may take, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge

from sightline_collector.store.piped import End


class State(StrEnum):
    """How an insert that may stand open stands."""

    OPEN = "open"
    OPENING = "opening"
    """It is planned, or was seen to have ended by nobody yet."""
    RESTING = "resting"
    """It ended for a fault, and is not opened before its rest is over."""
    CLOSED = "closed"
    """Too few have come for it yet, or it was renewed."""
    STUCK = "stuck"
    """It does not end: only another start of the collector opens one."""


class StandingMetrics:
    """Counters of one engine's inserts that stand open, on no registry before `measure()`."""

    def __init__(self) -> None:
        self._ends = Counter(
            "sightline_store_standing_ends",
            "Times that an insert that stood open ended, or could not be opened",
            ("reason",),
            registry=None,
        )
        self._segments = Counter(
            "sightline_store_standing_segments",
            "Segments of spans, or pieces of them, by inserts that stand open or by statements of their own",
            ("way",),
            registry=None,
        )
        for end in End:
            self._ends.labels(end)
        for way in ("standing", "own"):
            self._segments.labels(way)

    def ended(self, why: End) -> None:
        """One is no more."""
        self._ends.labels(why).inc()

    def went(self, *, standing: bool) -> None:
        """A segment was stored by one, or has to be by a statement of its own."""
        self._segments.labels("standing" if standing else "own").inc()

    def measure(self, registry: CollectorRegistry, count: Callable[[State], int]) -> None:
        """Tell them on a registry; `count` says how many stand so."""
        registry.register(self._ends)
        registry.register(self._segments)
        states = Gauge(
            "sightline_store_standing_inserts",
            "Inserts that may stand open, by how they stand",
            ("state",),
            registry=registry,
        )
        for state in State:
            states.labels(state).set_function(partial(count, state))
