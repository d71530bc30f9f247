"""uvicorn's HTTP/1.1 connection, with the bounds that it lacks; one that begins in HTTP/2 is handed on.

::

    connected ─▶ first bytes ─┬─ HTTP/2's preface ─▶ Http2
                              └─ head ─▶ body ─▶ answer ─▶ head ...
                                         └ trailers are read and forgotten
                   closed after   30 s            30 s for the rest of a body that is answered already

What is refused before it is a request is told in the words of the port: `refusal` makes them.
"""

import asyncio
import re
import sys
from collections.abc import Callable
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import is_ssl

from sightline_collector.errors import (
    Fault,
    LargeHead,
    Malformed,
    SlowBody,
    TooManyConnections,
    WrongMethod,
)
from sightline_collector.receive.connections import LARGE_HEAD, NO_HTTP, SLOW_HEAD, TOO_MANY, Connections
from sightline_collector.receive.http2 import PREFACE, Http2
from sightline_collector.receive.http2_exchange import DISCARDING_S
from sightline_collector.receive.transport import BoundedTransport

# From the connection, or a request's first byte, to the end of its head.
HEAD_WAIT_S = 30.0
# The same for a connection that is one too many: it is only there to be told so in its own type.
TURNED_AWAY_WAIT_S = 0.25
# Beyond the read in which the head began. Tokens and trace state need a few KB.
HEAD_BYTES_MAX = 64 << 10

# What cuts a body into chunks, and its trailers: 64 KB, and 16 bytes for each byte that they carry. Chunks of
# one byte take 5.
FRAMING_BYTES_MAX = 64 << 10
_FRAMING_RATIO_MAX = 16
# Requests that a sender writes before the first is answered. OTLP's clients wait for each answer.
PIPELINED_MAX = 512

_UPGRADING = frozenset({b"upgrade", b"http2-settings"})
_HOST = re.compile(rb"[\w.~!$&'()*+,;=:%\[\]-]*")

Refusal = Callable[[Fault, bytes], bytes]
"""A whole HTTP/1.1 response, from a fault and the type that the request came in, b"" when that is unknown."""


class BoundedHttp(HttpToolsProtocol):
    """Closes on a head that does not come, or does not end; what follows the head is the application's."""

    def __init__(
        self,
        *args: Any,
        bounds: Connections,
        refusal: Refusal,
        head_wait_s: float = HEAD_WAIT_S,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._bounds = bounds
        bounds.watch(self.connections)
        self._refusal = refusal
        self._head_wait_s = head_wait_s
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._rest_timer: asyncio.TimerHandle | None = None
        self._first: bytes | None = b""
        self._after_head: int | None = None
        self._in_body = False
        self._body_bytes = self._framing_bytes = 0
        self._turned_away = False
        self._answering: RequestResponseCycle | None = None
        self.headers = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for the first head from now on; one connection too many is told to come back."""
        self.transport: BoundedTransport = BoundedTransport(transport)
        super().connection_made(self.transport)
        self._turned_away = self._bounds.too_many
        if self._turned_away:
            self._bounds.cut(TOO_MANY)
        if self._bounds.far_too_many:
            self._turn_away()
            return
        self._begin_head()
        if is_ssl(transport) and transport.get_extra_info("ssl_object").selected_alpn_protocol() == "h2":
            self._hand_on(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing more; of pipelined requests, the one that is being answered is told too."""
        self._end_head()
        self._end_rest()
        if self._answering:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)
        self.transport.lost()

    def eof_received(self) -> None:
        """Closes, as uvicorn does, but with a bound on what the peer has not taken."""
        self.transport.close()

    def pause_writing(self) -> None:
        """The peer does not read fast enough."""
        self.transport.paused()
        super().pause_writing()

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self.transport.resumed()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Counts what belongs to a head that began in an earlier read."""
        if self._first is not None:
            data = self._first + data
            if PREFACE.startswith(data[: len(PREFACE)]):
                self._first = data
                if len(data) >= len(PREFACE):
                    self._hand_on(data)
                return
            self._first = None
        continued = self._head_timer
        if self._in_body:
            self._framing_bytes += len(data)
        super().data_received(data)
        if self._framing_bytes > FRAMING_BYTES_MAX + _FRAMING_RATIO_MAX * self._body_bytes:
            self._bounds.cut(LARGE_HEAD)
            hint = "Send larger chunks, without trailers"
            self._refuse(LargeHead("More frames the body than is in it", hint=hint))
        elif self._after_head is not None:
            self._go_on_without_upgrade(data[self._after_head :])
        elif continued and self._head_timer is continued:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._bounds.cut(LARGE_HEAD)
                hint = "Send fewer or shorter headers"
                self._refuse(LargeHead(f"The headers take more than {HEAD_BYTES_MAX} bytes", hint=hint))

    def send_400_response(self, msg: str) -> None:
        """Counts what is no HTTP: a line in the log for each would fill the disk."""
        self._bounds.cut(NO_HTTP)
        self._refuse(Malformed("This is not HTTP", hint="Send HTTP/1.1 or HTTP/2", reason=NO_HTTP))

    def on_message_begin(self) -> None:
        """A head begins: on a kept connection, the next one."""
        super().on_message_begin()
        if self._head_timer is None:
            self._begin_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keeps what the head says: what follows the body could else pass for it, and has no bound."""
        if self._head_timer:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole. Raises ValueError, which the parser takes for no HTTP, at too many in a row and
        where it is not told which host is asked (RFC 9112, 3.2)."""
        self._end_head()
        self._in_body = True
        if not self._turned_away and not self._names_a_host():
            self._refuse(Malformed("A request of HTTP/1.1 names one host", hint="Send one Host header"))
            raise ValueError("no host")
        if len(self.pipeline) >= PIPELINED_MAX:
            raise ValueError("a flood")
        if self._turned_away:
            self._turn_away()
        elif not self.parser.should_upgrade():
            super().on_headers_complete()
        elif self.parser.get_method() == b"CONNECT":
            self._refuse(WrongMethod("CONNECT is not served here", hint="Use POST"))

    def _names_a_host(self) -> bool:
        hosts = [value for name, value in self.headers if name == b"host"]
        if not hosts:
            return self.parser.get_http_version() != "1.1"
        return len(hosts) == 1 and _HOST.fullmatch(hosts[0]) is not None

    def on_body(self, body: bytes) -> None:
        """Counts what is not framing."""
        self._body_bytes += len(body)
        self._framing_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._end_rest()
        self._in_body = False
        self._body_bytes = self._framing_bytes = 0
        if not (self.parser.should_upgrade() or self._turned_away):
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """What is still to come of a request that is answered is waited for a bounded time."""
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()
        if self.cycle.more_body and self._rest_timer is None:
            self._rest_timer = self.loop.call_later(DISCARDING_S, self.transport.close)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _unsupported_upgrade_warning(self) -> None:
        """The parser has stopped after the head. A sender that offers another protocol is answered in this
        one, as RFC 9110 allows: with what it sent, not with what was read of it so far."""
        stopped = sys.exception()
        assert isinstance(stopped, httptools.HttpParserUpgrade)
        self._after_head = stopped.args[0]

    def _go_on_without_upgrade(self, rest: bytes) -> None:
        self._after_head = None
        if self.transport.is_closing():
            return
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        head = [b"%b %b HTTP/%b" % (method, self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                kept = [token for token in value.split(b",") if token.strip().lower() not in _UPGRADING]
                value = b",".join(kept)
            if name not in _UPGRADING:
                head.append(b"%b: %b" % (name, value))
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join([*head, b"", rest]))

    def _hand_on(self, data: bytes) -> None:
        """The connection is HTTP/2's from here."""
        self._end_head()
        self.connections.discard(self)
        http2 = Http2(
            self.config,
            self.server_state,
            self._bounds,
            first_wait_s=self._head_wait_s,
            idle_wait_s=self.timeout_keep_alive,
        )
        self.transport.set_protocol(http2)
        http2.connection_made(self.transport)
        if self._turned_away:
            http2.shutdown()
        elif data:
            http2.data_received(data)

    def _turn_away(self) -> None:
        hint = "Retry; if this lasts, send over fewer connections or run another collector"
        fault = TooManyConnections(
            f"This port holds {self._bounds.limit} connections already", hint=hint, retry_after_s=2
        )
        self._refuse(fault)

    def _refuse(self, fault: Fault) -> None:
        """Answers in the type that the request came in, and ends the connection.

        An answer that is under way to an earlier request, or to this one, is not spoiled: nothing follows it.
        """
        earlier = self._answering
        if self.transport.is_closing():
            return
        if earlier and not earlier.more_body and not earlier.response_complete:
            earlier.keep_alive = False
            self.pipeline.clear()
            self.flow.pause_reading()
            return
        if not (earlier and earlier.more_body and earlier.response_started):
            content_type = dict(self.headers).get(b"content-type", b"")
            self.transport.write(self._refusal(fault, content_type.partition(b";")[0].strip().lower()))
        self.transport.close()

    def _begin_head(self) -> None:
        self._head_bytes = 0
        wait_s = min(self._head_wait_s, TURNED_AWAY_WAIT_S) if self._turned_away else self._head_wait_s
        self._head_timer = self.loop.call_later(wait_s, self._give_up)

    def _give_up(self) -> None:
        """A head that began is answered; who said nothing is told nothing."""
        if self._turned_away:
            self._turn_away()
            return
        self._bounds.cut(SLOW_HEAD)
        if self.scope or self._first:
            hint = "Look at the network"
            self._refuse(
                SlowBody(f"No whole head came in {self._head_wait_s} s", hint=hint, reason=SLOW_HEAD)
            )
        self.transport.close()

    def _end_head(self) -> None:
        if self._head_timer:
            self._head_timer.cancel()
            self._head_timer = None

    def _end_rest(self) -> None:
        if self._rest_timer:
            self._rest_timer.cancel()
            self._rest_timer = None
