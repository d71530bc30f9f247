"""The way to the collector: OpenTelemetry's own OTLP exporters, built when the first batch is there.

Building them imports an HTTP or gRPC stack (0.2 s), which the user's `init()` must not wait for.
"""

import importlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.trace import ReadableSpan

from sightline._fork import importing, reset_in_child
from sightline._safety import LOG_EVERY_S

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
    """Sends batches; each method answers whether the collector took the batch. Retries are the exporters'.

    `reachable` is what the latest attempt found.
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

    def spans(self, batch: Sequence[ReadableSpan]) -> bool:
        return self._export("traces", batch)

    def logs(self, batch: Sequence[ReadableLogRecord]) -> bool:
        return self._export("logs", batch)

    def close(self) -> None:
        for exporter in self._exporters.values():
            exporter.shutdown()

    def _export(self, signal: Signal, batch: Sequence[Any]) -> bool:
        with self._lock:
            if signal not in self._exporters:
                with importing:
                    self._exporters[signal] = _build(self._to, signal)
        self.reachable = self._exporters[signal].export(batch).name == "SUCCESS"
        return self.reachable


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
