"""The way to the collector: OpenTelemetry's own OTLP exporters, built when the first batch is there.

Building them imports an HTTP or gRPC stack (0.2 s), which the user's `init()` must not wait for.
"""

import importlib
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.semconv._incubating.attributes.rpc_attributes import RPC_RESPONSE_STATUS_CODE
from opentelemetry.semconv.attributes.http_attributes import HTTP_RESPONSE_STATUS_CODE

from sightline._fork import importing, reset_in_child
from sightline._safety import LOG_EVERY_S
from sightline._shipping import Refusal

Protocol = Literal["http/protobuf", "grpc"]
Signal = Literal["traces", "logs"]


@dataclass(frozen=True, slots=True)
class Destination:
    """`endpoint` is a base URL; None leaves it, as all that is not said here, to the OTEL_* variables."""

    endpoint: str | None
    headers: tuple[tuple[str, str], ...] = ()
    protocol: Protocol = "http/protobuf"

    def url(self, signal: Signal) -> str | None:
        """The exporter's endpoint: HTTP wants the signal's path, gRPC the bare address."""
        if self.endpoint is None or self.protocol == "grpc":
            return self.endpoint
        base = self.endpoint.rstrip("/").removesuffix("/v1/traces")
        return f"{base}/v1/{signal}"


class Sender:
    """Sends batches; each method answers None when the collector took the batch, or why it did not.

    `reachable` is what the latest attempt found. A few seconds of retrying are the exporters' own.
    """

    def __init__(self, to: Destination) -> None:
        self._to = to
        self.reachable = True
        self._reset()
        reset_in_child(self._reset)

    def _reset(self) -> None:
        """No connections yet; a forked child must not talk on its parent's."""
        self._exporters: dict[Signal, Any] = {}
        self._lock = threading.Lock()

    def spans(self, batch: Sequence[ReadableSpan]) -> Refusal | None:
        return self._export("traces", batch)

    def logs(self, batch: Sequence[ReadableLogRecord]) -> Refusal | None:
        return self._export("logs", batch)

    def close(self) -> None:
        for exporter in self._exporters.values():
            exporter.shutdown()

    def _export(self, signal: Signal, batch: Sequence[Any]) -> Refusal | None:
        with self._lock:
            if signal not in self._exporters:
                with importing:
                    self._exporters[signal] = _build(self._to, signal)
        exporter = self._exporters[signal]
        seen = _Overheard.on(exporter)
        taken = exporter.export(batch).name == "SUCCESS"
        refusal = None if taken else _refusal(seen)
        self.reachable = refusal is None or not refusal.later
        return refusal


class _Overheard:
    """Listens in on OpenTelemetry's exporters, which answer only that they failed.

    Whether waiting helps depends on why, and why is what they tell their own metrics.
    """

    def __init__(self, metrics: Any) -> None:
        self._metrics = metrics
        self._heard = threading.local()  # spans' and logs' threads may send at once

    @classmethod
    def on(cls, exporter: Any) -> "_Overheard | None":
        """The listener on this exporter, put there at the first call; None when there is nothing to hear."""
        metrics = getattr(exporter, "_metrics", None)
        if isinstance(metrics, cls):
            metrics._heard.result = None
            return metrics
        if not hasattr(metrics, "export_operation"):
            return None
        exporter._metrics = cls(metrics)
        return cls.on(exporter)

    @contextmanager
    def export_operation(self, items: int) -> Iterator[Any]:
        with self._metrics.export_operation(items) as result:
            self._heard.result = result
            yield result

    @property
    def result(self) -> Any:
        """What this thread's latest export came to; None when it did not begin."""
        return self._heard.result


def _refusal(seen: _Overheard | None) -> Refusal:
    """OTLP's own list of what may be tried again; a request that is too large may be taken in parts."""
    if seen is None or seen.result is None:
        return Refusal()
    known, error = seen.result.error_attrs or {}, seen.result.error
    if status := known.get(HTTP_RESPONSE_STATUS_CODE):
        too_large = status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return Refusal(f"refused_{status}", later=status in _BUSY, splits=too_large)
    if code := known.get(RPC_RESPONSE_STATUS_CODE):
        return Refusal(f"refused_{code.lower()}", later=code in _BUSY, splits=code == "RESOURCE_EXHAUSTED")
    if error is None or isinstance(error, OSError):
        return Refusal("unreachable", later=True)
    return Refusal("unencodable", splits=True)


_BUSY: Final = frozenset(
    {429, 502, 503, 504, "UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "ABORTED", "DATA_LOSS"}
)

_EXPORTERS: Final[dict[tuple[Protocol, Signal], tuple[str, str]]] = {
    ("http/protobuf", "traces"): (
        "opentelemetry.exporter.otlp.proto.http.trace_exporter",
        "OTLPSpanExporter",
    ),
    ("http/protobuf", "logs"): ("opentelemetry.exporter.otlp.proto.http._log_exporter", "OTLPLogExporter"),
    ("grpc", "traces"): ("opentelemetry.exporter.otlp.proto.grpc.trace_exporter", "OTLPSpanExporter"),
    ("grpc", "logs"): ("opentelemetry.exporter.otlp.proto.grpc._log_exporter", "OTLPLogExporter"),
}


def _build(to: Destination, signal: Signal) -> Any:
    module, name = _EXPORTERS[to.protocol, signal]
    exporter = getattr(importlib.import_module(module), name)
    logging.getLogger(module).addFilter(_ONCE_A_MINUTE)
    return exporter(endpoint=to.url(signal), headers=dict(to.headers) or None)


class _OnceAMinute(logging.Filter):
    """A collector that is down is said once a minute, not at each try."""

    def __init__(self) -> None:
        super().__init__()
        self._next_s = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING or record.created < self._next_s:
            return record.levelno < logging.WARNING
        self._next_s = record.created + LOG_EVERY_S
        return True


_ONCE_A_MINUTE: Final = _OnceAMinute()
