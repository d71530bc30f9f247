"""How an endpoint is spoken to over HTTP/1.1, HTTP/2 or gRPC, on a connection of its own or kept.

Nothing is retried, followed or decoded here: a rule sees what came over the wire.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import grpc
import httpcore2

from sightline_collector.conformance.payload import PROTOBUF

GRPC_SERVICES = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
TRACES = GRPC_SERVICES["traces"]
DEFAULT_LIMIT_BYTES = 64 << 20
"""Of one request: what OTLP 1.11 recommends."""
ANSWER_S = 60.0
"""For one exchange: a collector that parses tens of MiB takes a while."""


class Unanswered(Exception):  # noqa: N818 - says what happened
    """The connection could not be made, or broke before an answer was there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names are in lower case. `connection`: our end, to tell connections apart."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    connection: object = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A gRPC answer: the status, its details as text, the trailing metadata, the message ("" when none)."""

    code: grpc.StatusCode
    details: str
    trailers: Mapping[str, bytes | str]
    body: bytes = b""


Body = bytes | Iterable[bytes]
Post = Callable[..., Answer]
Call = Callable[..., Reply]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OTLP receiver: the URL before /v1/…, and HOST:PORT of its gRPC ("" when there is none to test)."""

    url: str
    grpc_target: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    limit_bytes: int = DEFAULT_LIMIT_BYTES
    wait_s: float = ANSWER_S

    @property
    def is_tls(self) -> bool:
        """True when the URL is https; gRPC is then spoken over TLS too."""
        return urlsplit(self.url).scheme == "https"

    def post(self, path: str, body: Body, content_type: str = PROTOBUF, **headers: str) -> Answer:
        """One POST on a connection of its own; `content_encoding="gzip"` is a header. Raises Unanswered."""
        with self.kept() as send:
            return send(path, body, content_type, **headers)

    @contextmanager
    def kept(self, *, http_2: bool = False) -> Iterator[Post]:
        """Sends requests on one connection while the endpoint keeps it; over HTTP/2 also many at once."""
        # Reading the machine's certificates takes longer than a request.
        context = ssl.create_default_context() if self.is_tls else None
        with httpcore2.ConnectionPool(
            max_connections=1, ssl_context=context, http1=not http_2, http2=http_2
        ) as pool:

            def send(
                path: str, body: Body, content_type: str = PROTOBUF, method: str = "POST", **headers: str
            ) -> Answer:
                said = {"content-type": content_type} if content_type else {}
                said |= {name.replace("_", "-"): value for name, value in headers.items()}
                return self._exchange(pool, method, path, body, {**self.headers, **said})

            yield send

    def _exchange(
        self, pool: httpcore2.ConnectionPool, method: str, path: str, body: Body, headers: Mapping[str, str]
    ) -> Answer:
        content = body if isinstance(body, bytes) else iter(body)
        limits = dict.fromkeys(("connect", "read", "write", "pool"), self.wait_s)
        try:
            with pool.stream(
                method,
                self.url + path,
                headers=list(headers.items()),
                content=content,
                extensions={"timeout": limits},
            ) as response:
                stream = response.extensions["network_stream"]
                named = {
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in response.headers
                }
                own_end = stream.get_extra_info("client_addr")
                return Answer(response.status, named, response.read(), own_end)
        except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError) as error:
            raise Unanswered(f"{type(error).__name__}: {error}") from None

    @contextmanager
    def bare(self) -> Iterator[socket.socket]:
        """A bare connection to the HTTP port. Raises Unanswered."""
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or (443 if self.is_tls else 80)
        try:
            with socket.create_connection((host, port), self.wait_s) as plain:
                if not self.is_tls:
                    yield plain
                    return
                with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as wrapped:
                    yield wrapped
        except OSError as error:
            raise Unanswered(f"{type(error).__name__}: {error}") from None

    @contextmanager
    def channel(self) -> Iterator[Call]:
        """Sends gRPC messages of raw bytes on one connection."""
        options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        opened = (
            grpc.secure_channel(self.grpc_target, grpc.ssl_channel_credentials(), options)
            if self.is_tls
            else grpc.insecure_channel(self.grpc_target, options)
        )
        with opened as channel:

            def call(
                method: str,
                body: bytes,
                compression: grpc.Compression | None = None,
                metadata: Mapping[str, str] | None = None,
            ) -> Reply:
                said = [(name.lower(), value) for name, value in {**self.headers, **(metadata or {})}.items()]
                send = channel.unary_unary(method)
                return _reply(send, body, timeout=self.wait_s, metadata=said, compression=compression)

            yield call

    def call(self, method: str, body: bytes, compression: grpc.Compression | None = None) -> Reply:
        """One gRPC call on a connection of its own."""
        with self.channel() as call:
            return call(method, body, compression)


def _reply(send: Callable[..., tuple[bytes, grpc.Call]], body: bytes, **options: object) -> Reply:
    try:
        message, ended = send.with_call(body, **options)  # type: ignore[attr-defined]
    except grpc.RpcError as error:
        return Reply(error.code(), error.details() or "", dict(error.trailing_metadata() or ()))
    return Reply(grpc.StatusCode.OK, "", dict(ended.trailing_metadata() or ()), message)
