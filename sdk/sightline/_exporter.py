"""The way to the collector: OpenTelemetry's own OTLP exporters, built when the first batch is there.

Building them imports an HTTP or gRPC stack (0.2 s), which the user's `init()` must not wait for.
"""

import importlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.trace import ReadableSpan

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
    """Listens between OpenTelemetry's HTTP exporter and its client: the exporter says only that it failed,
    but whether waiting helps depends on why.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._heard = threading.local()  # spans' and logs' threads may send at once

    @classmethod
    def on(cls, exporter: Any) -> "_Overheard | None":
        """The listener on this exporter, put there at the first call; None for gRPC: nothing to hear."""
        client = getattr(exporter, "_client", None)
        if isinstance(client, cls):
            client._heard.result = None
            return client
        if not hasattr(client, "_transport"):
            return None
        exporter._client = cls(client)
        return cls.on(exporter)

    def export(self, data: bytes) -> Any:
        self._heard.result = self._client.export(data)
        return self._heard.result

    @property
    def result(self) -> Any:
        """What this thread's latest export came to; None when it did not get as far."""
        return self._heard.result

    def shutdown(self) -> None:
        self._client.shutdown()


def _refusal(seen: _Overheard | None) -> Refusal:
    if seen is None:
        return Refusal()
    if (
        seen.result is None
    ):  # it never came to sending: something in the batch cannot be encoded, or it is too big
        return Refusal("unencodable", splits=True)
    status = seen.result.status_code
    if status is None:
        return Refusal("unreachable", later=True)
    return Refusal(
        f"refused_{status}", later=status in _BUSY, splits=status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    )


_BUSY: Final = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
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
