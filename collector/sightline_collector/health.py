"""The collector's own counters, each with its unit: what Prometheus reads, and what a doctor asks.

sightline_receive_*   what came in at the doors, what was refused and why, how soon it was acknowledged
sightline_fullness_*  how full it is, by what: the doors count it themselves
sightline_log_*       the log: bytes, waiting segments, age, syncs, damage found
sightline_store_*     the way into the store: inserts, those that stand open, retries, confirmation, lag
sightline_dead_*      requests that the engine will never take
sightline_loss_*      items that nobody will ever see
sightline_disk_*      what the data folder's disk has left
process_*             CPU, memory and open files of this process

Others count their own: sightline_connections_* before the doors, sightline_access_* keys, sightline_tls_* the
certificate, sightline_sql_* statements on the SQL port, sightline_alert_* and sightline_settle_* the loops,
sightline_audit_* who read what, sightline_snapshot_* backups.
"""

from functools import partial
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from sightline_collector.errors import Fault, SenderFault
from sightline_collector.wal.segment import Damage, Signal

# A sync takes 0.2 ms on a good disk; clients give up after 10 s.
_ACK_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
# An insert costs 50 ms at least, a 32 MB segment 300 ms.
_INSERT_BUCKETS_S = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_LAG_BUCKETS_S = (0.2, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 3600)
_GROUP_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class LogState(Protocol):
    """What is asked from the log whenever the counters are read."""

    @property
    def size_bytes(self) -> int: ...
    @property
    def limit_bytes(self) -> int: ...
    @property
    def pending_records(self) -> int: ...
    def waiting_segments(self, signal: Signal) -> int: ...
    @property
    def pending_limit(self) -> int: ...
    def oldest_age_s(self) -> float: ...
    async def probe(self) -> None: ...


def fullness(registry: CollectorRegistry) -> dict[str, float]:
    """How full a collector is, by what: 1 refuses requests."""
    asked = registry.restricted_registry(["sightline_fullness_ratio"])
    return {s.labels["input"]: s.value for metric in asked.collect() for s in metric.samples}


class Health:
    """Every counter of one collector, on a registry of its own. Safe to use from any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.failing: dict[Signal, str] = {}
        """Signals whose last insert failed and is tried again, with the words of the failure."""
        ProcessCollector(registry=self.registry)
        self._receive()
        self._log()
        self._store()
        self._lost()

    def exposition(self) -> bytes:
        """All counters in Prometheus' text format."""
        return generate_latest(self.registry)

    # -- the doors ---------------------------------------------------------------------------------

    def accepted(self, signal: Signal, items: int, size_bytes: int, seconds: float) -> None:
        """A request was made durable, `seconds` after its body was whole."""
        self._requests[signal].inc()
        self._items[signal].inc(items)
        self._bytes[signal].inc(size_bytes)
        self._ack[signal].observe(seconds)

    def refused(self, signal: Signal | None, fault: Fault) -> None:
        """A request was refused; None when not even its signal is known."""
        self.refused_requests.labels(signal or "unknown", fault.reason).inc()
        if isinstance(fault, SenderFault) and fault.items:
            self.refused_items.labels(signal or "unknown", fault.reason).inc(fault.items)

    # -- the log -----------------------------------------------------------------------------------

    def group_committed(self, signal: Signal, records: int, seconds: float) -> None:
        """A group of records became durable, `seconds` after its write began."""
        self._sync[signal].observe(seconds)
        self._group[signal].observe(records)

    def damage_found(self, signal: Signal, damage: Damage) -> None:
        """Bytes of a left segment were no record and were cut out."""
        self.log_damage_bytes.labels(signal, damage.kind).inc(damage.end - damage.start)

    def watch(self, log: LogState) -> None:
        """Reads the log's gauges from now on, whenever somebody asks."""
        self.log_bytes.set_function(lambda: log.size_bytes)
        self.log_limit_bytes.set_function(lambda: log.limit_bytes)
        self.log_pending_records.set_function(lambda: log.pending_records)
        self.log_pending_limit.set(log.pending_limit)
        self.log_oldest_age_s.set_function(log.oldest_age_s)
        for signal in Signal:
            self.log_waiting_segments.labels(signal).set_function(partial(log.waiting_segments, signal))

    # -- the store ---------------------------------------------------------------------------------

    def inserted(self, signal: Signal, items: int, insert_s: float, lag_s: float) -> None:
        """A segment was inserted and confirmed, `lag_s` after its first record had arrived."""
        self.store_segments.labels(signal).inc()
        self.store_items.labels(signal).inc(items)
        self.store_insert_s.labels(signal).observe(insert_s)
        self.store_lag_s.labels(signal).observe(lag_s)

    def retried(self, signal: Signal, reason: str, error: str = "") -> None:
        """An insert failed in a way that waiting may help, and will be tried again."""
        self.store_retries.labels(signal, reason).inc()
        self.failing[signal] = error or reason

    def stored(self, signal: Signal) -> None:
        """A segment is stored whole, after however many tries."""
        self.failing.pop(signal, None)

    def repaired(self, signal: Signal, found: str) -> None:
        """A segment in doubt was compared with the store: found `whole`, `absent` or `short`."""
        self.store_in_doubt.labels(signal, found).inc()

    def dead_letter(self, signal: Signal, reason: str, items: int) -> None:
        """A request that the engine will never take was put aside."""
        self.dead_letters.labels(signal, reason).inc()
        self.dead_letter_items.labels(signal, reason).inc(items)

    def lost(self, signal: Signal, reason: str, items: int) -> None:
        """Items will never be stored: their sender was told so, or they were pushed out of a bound."""
        self.loss_items.labels(signal, reason).inc(items)

    # -- what each is called -----------------------------------------------------------------------

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"sightline_{name}", says, labels, registry=self.registry)

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"sightline_{name}", says, labels, registry=self.registry)

    def _histogram(self, name: str, says: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"sightline_{name}", says, ("signal",), registry=self.registry, buckets=buckets)

    def _receive(self) -> None:
        requests = self._counter("receive_requests", "Requests acknowledged", "signal")
        items = self._counter("receive_items", "Spans, log records, data points acknowledged", "signal")
        size = self._counter("receive_bytes", "Protobuf bytes acknowledged, uncompressed", "signal")
        ack = self._histogram(
            "receive_ack_seconds", "From an unpacked body to its acknowledgement", _ACK_BUCKETS_S
        )
        self._requests = {signal: requests.labels(signal) for signal in Signal}
        self._items = {signal: items.labels(signal) for signal in Signal}
        self._bytes = {signal: size.labels(signal) for signal in Signal}
        self._ack = {signal: ack.labels(signal) for signal in Signal}
        self.refused_requests = self._counter(
            "receive_refused_requests", "Requests refused, retryable or not", "signal", "reason"
        )
        self.refused_items = self._counter(
            "receive_refused_items",
            "Items of refused requests, where they could be counted",
            "signal",
            "reason",
        )
        self.mended = self._counter(
            "receive_mended_requests", "Requests taken with U+FFFD for text that was not UTF-8", "signal"
        )
        self.in_flight_bytes = self._gauge("receive_in_flight_bytes", "Bodies held by unanswered requests")
        self.in_flight_limit_bytes = self._gauge("receive_in_flight_limit_bytes", "Bytes that they may hold")
        self.unpack_waiting = self._gauge(
            "receive_unpack_waiting", "Large compressed or JSON bodies that wait for the thread that unpacks"
        )

    def _log(self) -> None:
        sync = self._histogram(
            "log_sync_seconds", "Write and fdatasync of a group of records", _ACK_BUCKETS_S
        )
        group = self._histogram("log_group_records", "Records that shared one sync", _GROUP_BUCKETS)
        self._sync = {signal: sync.labels(signal) for signal in Signal}
        self._group = {signal: group.labels(signal) for signal in Signal}
        self.log_bytes = self._gauge("log_bytes", "Bytes in the log, on disk or on their way")
        self.log_limit_bytes = self._gauge("log_limit_bytes", "Bytes that the log may hold")
        self.log_pending_records = self._gauge("log_pending_records", "Records that wait for their sync")
        self.log_pending_limit = self._gauge("log_pending_limit_records", "Records that may wait for it")
        self.log_waiting_segments = self._gauge(
            "log_waiting_segments", "Sealed segments that the store has not confirmed", "signal"
        )
        self.log_oldest_age_s = self._gauge("log_oldest_age_seconds", "Age of the oldest unconfirmed record")
        self.log_damage_bytes = self._counter(
            "log_damage_bytes", "Bytes of left segments that were no record", "signal", "kind"
        )

    def _store(self) -> None:
        self.store_segments = self._counter("store_segments", "Segments inserted and confirmed", "signal")
        self.store_items = self._counter("store_items", "Items inserted and confirmed", "signal")
        self.store_insert_s = self._histogram(
            "store_insert_seconds", "Insert of a segment", _INSERT_BUCKETS_S
        )
        self.store_lag_s = self._histogram(
            "store_lag_seconds", "From a segment's first record to its confirmation", _LAG_BUCKETS_S
        )
        self.store_retries = self._counter("store_retries", "Inserts to be tried again", "signal", "reason")
        self.store_in_doubt = self._counter(
            "store_in_doubt_segments", "Segments compared with the store after a stop", "signal", "found"
        )
        self.store_up = self._gauge("store_up", "1 when the last call to the store succeeded, else 0")

    def _lost(self) -> None:
        self.dead_letters = self._counter("dead_letter_requests", "Requests put aside", "signal", "reason")
        self.dead_letter_items = self._counter("dead_letter_items", "Items put aside", "signal", "reason")
        self.dead_letter_bytes = self._gauge("dead_letter_bytes", "Bytes of requests put aside")
        self.dead_letter_limit_bytes = self._gauge("dead_letter_limit_bytes", "Bytes that may be put aside")
        self.loss_unreported = self._gauge(
            "loss_unreported_items", "Lost items that span_loss does not tell of yet"
        )
        self.loss_items = self._counter("loss_items", "Items that will never be stored", "signal", "reason")
