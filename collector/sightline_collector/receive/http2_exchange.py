"""One stream of an HTTP/2 connection as ASGI has it: a request that is received, an answer that is sent.

::

    body of the request   frames ─feed─▶ chunks ─receive─▶ application      the window opens as it takes them
    answer                application ─send─▶ frames                        waits while the peer's is shut

An answer may come before its request is whole: the rest is taken and thrown away, so that the sender reads
the answer, up to a bound of bytes and of time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Protocol
from urllib.parse import unquote

from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from uvicorn.protocols.http.flow_control import FlowControl

from sightline_collector.receive.transport import STALLED_S

Address = tuple[str, int | None] | None
Headers = Sequence[tuple[bytes, bytes]]
Message = MutableMapping[str, Any]
DISCARDED_BYTES_MAX = 256 << 20
"""Of a request that is answered already."""
DISCARDING_S = 30.0

_NOT_IN_HTTP_2 = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
_WITHOUT_BODY = frozenset({204, 304})
_SERVER_ERROR = b"Internal Server Error"

_log = logging.getLogger(__name__)


class Connection(Protocol):
    """What an exchange needs of its connection."""

    h2: H2Connection
    flow: FlowControl

    @property
    def default_headers(self) -> Headers: ...
    def flush(self) -> None: ...
    def sent_data(self) -> None: ...
    def reset(self, stream_id: int, why: ErrorCodes) -> None: ...
    def closed(self, exchange: Exchange) -> None: ...


class Exchange:
    """A request and its answer. Lives on the connection's event loop."""

    def __init__(self, connection: Connection, stream_id: int) -> None:
        self.stream_id = stream_id
        self._connection = connection
        self._chunks: list[bytes] = []
        self._unacknowledged_bytes = 0
        self._discarded_bytes = 0
        self._whole = self._told_whole = self._started = self._answered = self._gone = False
        self._to_head = self._bodyless = self._waiting = False
        self._arrived = asyncio.Event()
        self._may_send = asyncio.Event()
        self._discarding: asyncio.TimerHandle | None = None

    async def run(self, app: Any, scope: Mapping[str, Any]) -> None:
        """Puts the request to the application; what that leaves open is closed. Its head is held so long."""
        self._to_head = scope["method"] == "HEAD"
        try:
            await app(scope, self.receive, self.send)
        except Exception:
            _log.exception("An application failed on a request over HTTP/2")
        if self._gone or self._answered:
            return
        if self._started:
            self._reset(ErrorCodes.INTERNAL_ERROR)
        else:
            await self.send({"type": "http.response.start", "status": 500, "headers": []})
            await self.send({"type": "http.response.body", "body": _SERVER_ERROR})

    # -- from the connection -----------------------------------------------------------------------

    def feed(self, data: bytes, window_bytes: int) -> None:
        """A piece of the body, and what it takes of the windows."""
        if self._answered:
            self._discarded_bytes += window_bytes
            self._acknowledge(window_bytes)
            if self._discarded_bytes > DISCARDED_BYTES_MAX:
                self._reset(ErrorCodes.NO_ERROR)
            return
        self._chunks.append(data)
        self._unacknowledged_bytes += window_bytes
        self._arrived.set()

    def end(self) -> None:
        """The request is whole."""
        self._whole = True
        self._arrived.set()
        if self._answered:
            self._leave_stream()

    def leave(self) -> None:
        """The stream is gone, and with it who asked."""
        self._gone = True
        self._chunks.clear()
        self._acknowledge(self._unacknowledged_bytes)
        self._unacknowledged_bytes = 0
        if self._discarding:
            self._discarding.cancel()
        self._arrived.set()
        self._may_send.set()

    def window_moved(self) -> None:
        """The peer may take more, of this answer or of another."""
        if not self._waiting:
            return
        try:
            moved = self._window_bytes() > 0
        except ProtocolError:
            moved = True  # the stream is over: who waits finds out
        if moved:
            self._may_send.set()

    # -- from the application ----------------------------------------------------------------------

    async def receive(self) -> Message:
        """The next piece of the body; after the last, that the peer is gone once it is."""
        while not (self._chunks or self._gone or self._answered or (self._whole and not self._told_whole)):
            self._arrived.clear()
            await self._arrived.wait()
        if self._gone or self._answered:
            return {"type": "http.disconnect"}
        body = b"".join(self._chunks)
        self._chunks.clear()
        self._acknowledge(self._unacknowledged_bytes)
        self._unacknowledged_bytes = 0
        self._told_whole = self._whole
        return {"type": "http.request", "body": body, "more_body": not self._whole}

    async def send(self, message: Message) -> None:
        """A part of the answer; nothing once the peer is gone."""
        if self._gone:
            return
        try:
            if message["type"] == "http.response.start":
                self._start(message["status"], message.get("headers", ()))
            else:
                await self._send_body(message.get("body", b""), last=not message.get("more_body"))
        except ProtocolError:  # h2 knows that the stream or the connection is over
            self.leave()

    def _start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self._started = True
        self._bodyless = self._to_head or status in _WITHOUT_BODY
        said = [(b":status", str(status).encode()), *self._connection.default_headers]
        said += [(name.lower(), value) for name, value in headers if name.lower() not in _NOT_IN_HTTP_2]
        self._connection.h2.send_headers(self.stream_id, said)

    async def _send_body(self, body: bytes, *, last: bool) -> None:
        rest = memoryview(b"" if self._bodyless else body)
        while rest and (room := await self._room()):
            self._connection.h2.send_data(self.stream_id, bytes(rest[:room]))
            self._connection.sent_data()
            self._connection.flush()
            rest = rest[room:]
        if last and not self._gone:
            self._connection.h2.end_stream(self.stream_id)
            self._answer_given()

    async def _room(self) -> int:
        """Bytes that the peer takes now; 0 once it is gone, or took none for too long."""
        flow = self._connection.flow
        self._waiting = True
        try:
            async with asyncio.timeout(STALLED_S):
                while not self._gone:
                    room = self._window_bytes()
                    if room > 0 and not flow.write_paused:
                        return room
                    self._may_send.clear()
                    self._connection.flush()
                    await (flow.drain() if flow.write_paused else self._may_send.wait())
        except TimeoutError:
            self._reset(ErrorCodes.CANCEL)
        finally:
            self._waiting = False
        return 0

    def _window_bytes(self) -> int:
        h2 = self._connection.h2
        return min(h2.local_flow_control_window(self.stream_id), h2.max_outbound_frame_size)

    # -- the ends of it ----------------------------------------------------------------------------

    def _answer_given(self) -> None:
        self._answered = True
        self._arrived.set()
        if self._whole:
            self._leave_stream()
            return
        self._connection.flush()
        self._acknowledge(self._unacknowledged_bytes)
        self._unacknowledged_bytes = 0
        self._chunks.clear()
        loop = asyncio.get_running_loop()
        self._discarding = loop.call_later(DISCARDING_S, self._reset, ErrorCodes.NO_ERROR)

    def _acknowledge(self, window_bytes: int) -> None:
        if window_bytes:
            self._connection.h2.acknowledge_received_data(window_bytes, self.stream_id)
            self._connection.flush()

    def _reset(self, why: ErrorCodes) -> None:
        if not self._gone:
            self._connection.reset(self.stream_id, why)
            self._leave_stream()

    def _leave_stream(self) -> None:
        self.leave()
        self._connection.closed(self)


def scope_of(headers: Headers, scheme: str, server: Address, client: Address) -> dict[str, Any]:
    """ASGI's words for a request."""
    pseudo = {name: value for name, value in headers if name.startswith(b":")}
    named = [(name, value) for name, value in headers if name[:1] != b":" and name != b"cookie"]
    if cookies := [value for name, value in headers if name == b"cookie"]:
        named.append((b"cookie", b"; ".join(cookies)))  # HTTP/2 lets them come in crumbs
    if b":authority" in pseudo and b"host" not in dict(named):
        named.insert(0, (b"host", pseudo[b":authority"]))
    path, _, query = pseudo.get(b":path", b"").partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "2",
        "server": server,
        "client": client,
        "scheme": scheme,
        "method": pseudo[b":method"].decode("latin-1"),
        "root_path": "",
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "headers": named,
        "state": {},
    }
