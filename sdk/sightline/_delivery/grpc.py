"""OTLP over gRPC: bytes in, and what became of them. Requests come written: no messages are built here."""

import math
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import grpc

from sightline._delivery.destination import Route, Signal
from sightline._delivery.refusal import UNREACHABLE, Refusal

_METHODS: Final[dict[Signal, str]] = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
_ABSENT: Final = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED"})
_BUSY: Final = _ABSENT | {"CANCELLED", "ABORTED", "DATA_LOSS"}


class GrpcTransport:
    """Calls one method on one channel."""

    def __init__(self, route: Route, signal: Signal) -> None:
        self._route, self._method = route, _METHODS[signal]
        self._channel = _channel(route)

    def send(self, body: bytes, within_s: float = math.inf) -> bytes | Refusal:
        """What the collector answers when it took it: within the route's timeout, or this if it is less."""
        patience_s = min(self._route.timeout_s, within_s)
        call = self._channel.unary_unary(self._method)
        try:
            return bytes(call(body, metadata=self._route.headers, timeout=patience_s))
        except grpc.RpcError as error:
            return self._refusal(error.code().name)

    def close(self) -> None:
        self._channel.close()

    def _refusal(self, code: str) -> Refusal:
        if code == "UNAVAILABLE":  # a channel that has failed waits up to two minutes before it looks again
            self._channel.close()
            self._channel = _channel(self._route)
        reason = UNREACHABLE if code in _ABSENT else f"refused_{code.lower()}"
        return Refusal(reason, later=code in _BUSY, splits=code == "RESOURCE_EXHAUSTED", detail=code)


def _channel(route: Route) -> Any:
    target = urlsplit(route.url).netloc or route.url
    compression = grpc.Compression.Gzip if route.compression == "gzip" else grpc.Compression.NoCompression
    if route.insecure:
        return grpc.insecure_channel(target, compression=compression)
    credentials = grpc.ssl_channel_credentials(
        _read(route.authorities), _read(route.key), _read(route.certificate)
    )
    return grpc.secure_channel(target, credentials, compression=compression)


def _read(path: str | None) -> bytes | None:
    return Path(path).read_bytes() if path else None
