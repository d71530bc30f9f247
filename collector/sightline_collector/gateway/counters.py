"""What the SQL port counts: statements by how they ended, how long they took, how many run and wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from sightline_collector.gateway.slots import Slots

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)


class Counters:
    """The port's counters, on the collector's registry."""

    def __init__(self, registry: CollectorRegistry, slots: Slots) -> None:
        self._ended = Counter(
            "sightline_sql_statements",
            "Statements by how they ended: answered, refused, failed, late",
            ("outcome",),
            registry=registry,
        )
        self._seconds = Histogram(
            "sightline_sql_seconds",
            "From a statement's arrival to its last byte",
            registry=registry,
            buckets=_SECONDS,
        )
        running = Gauge("sightline_sql_running", "Statements that run", registry=registry)
        running.set_function(lambda: float(slots.running))
        waiting = Gauge("sightline_sql_waiting", "Statements that wait for their turn", registry=registry)
        waiting.set_function(lambda: float(slots.waiting))
        limits = Gauge("sightline_sql_limit", "Statements that may run, or wait", ("of",), registry=registry)
        limits.labels("running").set(slots.limits.at_once)
        limits.labels("waiting").set(slots.limits.waiting)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Counts the time that a statement takes."""
        began = monotonic()
        try:
            yield
        finally:
            self._seconds.observe(monotonic() - began)

    def ended(self, outcome: str) -> None:
        """Counts a statement's end."""
        self._ended.labels(outcome).inc()
