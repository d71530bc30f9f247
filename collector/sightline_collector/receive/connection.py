"""uvicorn's HTTP/1.1 connection, with the bounds on their number and on a request's head that it lacks."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sightline_collector.receive.connections import LARGE_HEAD, NO_HTTP, SLOW_HEAD, TOO_MANY, Connections

# From the connection, or a request's first byte, to the end of its head.
HEAD_WAIT_S = 30.0
# Beyond the read in which the head began. Tokens and trace state need a few KB.
HEAD_BYTES_MAX = 64 << 10

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


_TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 2\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class BoundedHttp(HttpToolsProtocol):
    """Closes on a head that does not come, or does not end; what follows the head is the application's."""

    def __init__(
        self, *args: Any, bounds: Connections, head_wait_s: float = HEAD_WAIT_S, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._bounds = bounds
        bounds.watch(self.connections)
        self._head_wait_s = head_wait_s
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for the first head from now on; one connection too many is told to come back."""
        super().connection_made(transport)
        if self._bounds.too_many:
            self._bounds.cut(TOO_MANY)
            transport.write(_TOO_MANY)
            transport.close()
            return
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing more."""
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts what belongs to a head that began in an earlier read."""
        continued = self._head_timer is not None
        super().data_received(data)
        if continued and self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._bounds.cut(LARGE_HEAD)
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Counts what is no HTTP: a line in the log for each would fill the disk."""
        self._bounds.cut(NO_HTTP)
        super().send_400_response(msg)

    def on_message_begin(self) -> None:
        """A head begins: on a kept connection, the next one."""
        super().on_message_begin()
        if self._head_timer is None:
            self._begin_head()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._end_head()
        super().on_headers_complete()

    def _begin_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(self._head_wait_s, self._give_up)

    def _give_up(self) -> None:
        self._bounds.cut(SLOW_HEAD)
        self.transport.close()

    def _end_head(self) -> None:
        if self._head_timer:
            self._head_timer.cancel()
            self._head_timer = None
