"""How full a collector is: the one place that says so, and what a sender is answered then.

    input        of what                                              answered when full
    log_bytes    what the log may hold, which the store has not yet   503, come again in 1 to 3 s
    log_records  records that wait for their sync                     503
    disk         what may be used of the log's disk                   503
    bodies       bodies of requests that are worked on                429
    messages     gRPC messages on their way, whose size nobody knows  429
    memory       what the process may take                            429

How far the store is behind is no input of its own: what it has not taken is in the log, whose bytes bound it.
Each input is a label of two metrics. The log refuses by itself, too, what it cannot hold: others than senders
write to it.

What no request has taken none can give back: memory refuses only what comes beside SPARED_BODIES of bodies,
so that a collector whose memory is full for another reason goes on, one request after the other.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge

from sightline_collector.errors import LogUnwritable, Overloaded, WaitingMayHelp
from sightline_collector.health import LogState
from sightline_collector.receive.limits import Limits
from sightline_collector.receive.memory import Memory, memory_bytes_max
from sightline_collector.wal.refusal import Turns, log_full
from sightline_collector.wal.segment import FRAME_BYTES_MAX as FRAME

DISK_KEPT_BYTES, DISK_KEPT_SHARE = 256 << 20, 0.02
"""Stays free, whichever is less: merges free room, and need some first. Doctor warns long before."""

SPARED_BODIES = 2
"""One request, as received and inflated."""

LOOK_S = 0.25
"""Memory and disk are looked at so often at most: a look costs 10 us, a request 5."""


@dataclass(frozen=True, slots=True)
class Input:
    """One measure. `used(more_bytes)` is how much of `limit` is used with a request of so many bytes more;
    `refusal(retry_after_s)` is what its sender is told. Up to `spared_bytes` of bodies it refuses nothing."""

    name: str
    limit: float
    used: Callable[[int], float]
    refusal: Callable[[int], WaitingMayHelp]
    spared_bytes: int = -1


class Fullness:
    """Lets bytes and records in, or says when they may come again. Lives on one event loop; its metrics may
    be read elsewhere. `of_bodies` are asked before a body is read on, `of_records` before it is appended."""

    def __init__(
        self,
        registry: CollectorRegistry,
        limits: Limits,
        of_bodies: Sequence[Input] = (),
        of_records: Sequence[Input] = (),
    ) -> None:
        self.bodies_bytes = self.messages = 0
        allowed = limits.in_flight_bytes
        bodies = Input("bodies", allowed, lambda more: self.bodies_bytes + more, _too_much_at_once)
        self._of_bodies = (bodies, *of_bodies)
        self._of_messages = (
            Input("messages", limits.messages, lambda more: self.messages + (more > 0), _too_much_at_once),
        )
        self._of_records = tuple(of_records)
        self._turns = Turns()
        ratio = _gauge(registry)
        refused = _counter(registry)
        self._refused = {}
        for one in (*self._of_bodies, *self._of_messages, *self._of_records):
            ratio.labels(one.name).set_function(partial(share_of, one))
            self._refused[one.name] = refused.labels(one.name)

    def hold(self, size_bytes: int) -> None:
        """Counts so much more of a body as held, until it is released. Raises Overloaded."""
        self._ask(self._of_bodies, size_bytes)
        self.bodies_bytes += size_bytes

    def release(self, size_bytes: int) -> None:
        """What was held of a request is free again."""
        self.bodies_bytes -= size_bytes

    @contextmanager
    def message(self) -> Iterator[None]:
        """A place for a message that is on its way, and may become as large as any. Raises Overloaded."""
        self._ask(self._of_messages, 1)
        self.messages += 1
        try:
            yield
        finally:
            self.messages -= 1

    def admit(self, size_bytes: int) -> None:
        """Returns when a record of that size may go to the log. Raises WaitingMayHelp."""
        self._ask(self._of_records, size_bytes)

    def _ask(self, inputs: Sequence[Input], size_bytes: int) -> None:
        for one in inputs:
            spared = self.bodies_bytes + size_bytes <= one.spared_bytes
            if one.used(size_bytes) > one.limit and not spared:
                self._refused[one.name].inc()
                raise one.refusal(self._turns.next_s())


def share_of(one: Input) -> float:
    """How full it is now, 1 when it is."""
    return one.used(0) / one.limit if one.limit else 1.0


def of_collector(
    registry: CollectorRegistry,
    limits: Limits,
    log: LogState,
    folder: Path,
    memory: Memory | None = None,
) -> Fullness:
    """That of a running collector, whose log lies in the folder."""
    memory = memory or Memory(memory_bytes_max())
    disk, held = Seldom(lambda: _disk_used(folder)), Seldom(memory)
    spared_bytes = SPARED_BODIES * limits.body_bytes
    return Fullness(
        registry,
        limits,
        of_bodies=[
            Input("memory", memory.limit_bytes, lambda _: held(), _too_much_at_once, spared_bytes),
        ],
        of_records=[
            Input("log_bytes", log.limit_bytes, lambda more: log.size_bytes + more + FRAME, _log_full),
            Input("log_records", log.pending_limit, lambda more: log.pending_records + (more > 0), _log_full),
            Input("disk", 1.0, lambda _: disk(), _disk_full),
        ],
    )


def _gauge(registry: CollectorRegistry) -> Gauge:
    return Gauge("sightline_fullness_ratio", "How full: 1 refuses requests", ("input",), registry=registry)


def _counter(registry: CollectorRegistry) -> Counter:
    says = "Requests that were to come again, because this was full"
    return Counter("sightline_fullness_refused_requests", says, ("input",), registry=registry)


class Seldom:
    """A measure that is taken every LOOK_S at most; between, the last one is given."""

    def __init__(self, measure: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> None:
        self._measure = measure
        self._clock = clock
        self._next_s = -1.0
        self._last = 0.0

    def __call__(self) -> float:
        if self._clock() >= self._next_s:
            with suppress(OSError, ValueError):  # a disk or a system that says nothing refuses nobody
                self._last = self._measure()
            self._next_s = self._clock() + LOOK_S
        return self._last


def _disk_used(folder: Path) -> float:
    """Of what may be used; 1 when only what is to stay free is free."""
    disk = os.statvfs(folder)
    size = disk.f_blocks * disk.f_frsize
    kept = min(DISK_KEPT_BYTES, DISK_KEPT_SHARE * size)
    return 1.0 - (disk.f_bavail * disk.f_frsize - kept) / max(1.0, size - kept)


def _log_full(retry_after_s: int) -> WaitingMayHelp:
    return log_full("The log holds all that it may", retry_after_s)


def _disk_full(retry_after_s: int) -> WaitingMayHelp:
    return LogUnwritable(
        "The disk of the data folder is full but for what must stay free",
        hint="Retry; the operator has to free space, or give the store a budget with --store-gb",
        retry_after_s=retry_after_s,
    )


def _too_much_at_once(retry_after_s: int) -> WaitingMayHelp:
    return Overloaded(
        "Requests and the engine hold all of the memory that is set aside for them",
        hint="Retry; if this lasts, send less at once or run another collector",
        retry_after_s=retry_after_s,
    )
