"""A connection over HTTP/2: hyper-h2's frames, uvicorn's ASGI, and the bounds that both leave open.

::

    first bytes ─▶ BoundedHttp ─┬─ anything else                      HTTP/1.1
                                └─ PRI * HTTP/2.0, or h2 by ALPN ─▶ Http2 ─▶ an Exchange for each stream

What a peer may do without end is counted against a budget: streams that it resets (CVE-2023-44487) or makes
us reset (CVE-2025-8671), and frames that carry nothing (CVE-2019-9512, -9515, -9518), windows too. A
connection without a stream is closed after a while, whatever else it says. A head in pieces without end
(CVE-2024-27316), or of many fields, is the frames' to refuse.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.exceptions import ProtocolError, StreamClosedError
from hyperframe.frame import GoAwayFrame
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState

from sightline_collector.receive.budget import Budget
from sightline_collector.receive.connections import ABUSIVE, NO_HTTP, SLOW_HEAD, Connections
from sightline_collector.receive.http2_exchange import Exchange, scope_of
from sightline_collector.receive.http2_frames import STREAMS_MAX, WINDOW_BYTES, BoundedFrames
from sightline_collector.receive.transport import BoundedTransport

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

RESETS = (256, 10.0)
"""Streams that may be reset at once, and in a second for long."""
EMPTY_FRAMES = (1000, 100.0)
"""Pings, settings, priorities, data of next to nothing: at once, and in a second for long. The same for
windows."""
SMALL_BYTES = 256
"""Of data, below which a frame costs more than what it carries, unless it ends a request."""
SMALL_FRAMES_A_REQUEST = 10
"""That are nobody's fault: senders cut a body where their own buffers end."""
_PIECE_BYTES = 16 << 10
"""What is read is looked at in such pieces: a read may hold 25,000 frames, which would keep all others
waiting for seconds before the first of them is counted."""
WINDOWS_A_FRAME = 10
"""Windows that a peer may open besides, for each frame of an answer: two are usual."""
HEADS_BYTES_MAX = 512 << 10
"""Of the requests that run at once on a connection, with 32 bytes a field as HTTP/2 counts them."""
_FIELD_BYTES = 32
UNREAD_BYTES_MAX = 1 << 20
"""Answers, most of them to pings, that a peer does not take."""


class Http2(asyncio.Protocol):
    """One connection. Uvicorn's server counts it, and asks it to end with `shutdown`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        bounds: Connections,
        *,
        first_wait_s: float,
        idle_wait_s: float,
    ) -> None:
        self._config = config
        self._state = server_state
        self._bounds = bounds
        self._waits_s = (first_wait_s, idle_wait_s)
        self._loop = asyncio.get_running_loop()
        self._exchanges: dict[int, Exchange] = {}
        self._running: dict[asyncio.Task[None], int] = {}  # with the bytes of each one's head
        self._idle: asyncio.TimerHandle | None = None
        self._served = False
        self._stopping = False
        self._resets, self._empty = Budget(*RESETS), Budget(*EMPTY_FRAMES)
        self._windows, self._small = Budget(*EMPTY_FRAMES), Budget(*EMPTY_FRAMES)
        self.h2: H2Connection = BoundedFrames()

    # -- asyncio's side ----------------------------------------------------------------------------

    def connection_made(self, transport: BoundedTransport) -> None:  # type: ignore[override]
        """Says what we allow."""
        self._state.connections.add(self)  # type: ignore[arg-type]
        self._transport = transport
        self.flow = FlowControl(transport)
        self._ends = get_local_addr(transport), get_remote_addr(transport)
        self._scheme = "https" if is_ssl(transport) else "http"
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(WINDOW_BYTES - self.h2.inbound_flow_control_window)
        self.flush()
        self._wait_idle()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is left to answer."""
        self._state.connections.discard(self)
        self._transport.lost()
        self._stop_idle()
        for exchange in self._exchanges.values():
            exchange.leave()
        self._exchanges.clear()
        self.flow.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Takes frames in."""
        try:
            for start in range(0, len(data), _PIECE_BYTES):
                for event in self.h2.receive_data(data[start : start + _PIECE_BYTES]):
                    self._take(event)
                    if self._transport.is_closing():
                        return
        except ProtocolError:  # h2 has written down why
            self._bounds.cut(NO_HTTP)
            self._close()
            return
        self.flush()
        if self._transport.get_write_buffer_size() > UNREAD_BYTES_MAX:
            self._cut()
        elif not self._exchanges:
            self._wait_idle()

    def eof_received(self) -> None:
        """Closes: what is still to come would have nobody's answer."""
        self._transport.close()

    def pause_writing(self) -> None:
        """The peer does not read fast enough."""
        self._transport.paused()
        self.flow.pause_writing()

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self._transport.resumed()
        self.flow.resume_writing()

    def shutdown(self) -> None:
        """Takes no more streams; ends with the last that runs."""
        self._stopping = True
        if not self._exchanges:
            self._end()
            return
        # h2's own would keep the answers that are still to come from being sent.
        said = GoAwayFrame(0, last_stream_id=self.h2.highest_inbound_stream_id)
        self.flush()
        self._transport.write(said.serialize())

    # -- an exchange's side ------------------------------------------------------------------------

    @property
    def default_headers(self) -> Sequence[tuple[bytes, bytes]]:
        """What every answer begins with: its date."""
        return self._state.default_headers

    def flush(self) -> None:
        """Writes what h2 has ready."""
        data = self.h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def sent_data(self) -> None:
        """A frame of an answer: its peer may open windows for it."""
        self._windows.earn(WINDOWS_A_FRAME)

    def reset(self, stream_id: int, why: ErrorCodes) -> None:
        """Ends a stream, unless its peer has."""
        with suppress(StreamClosedError):
            self.h2.reset_stream(stream_id, why)

    def closed(self, exchange: Exchange) -> None:
        """An exchange is over on both sides."""
        self._exchanges.pop(exchange.stream_id, None)
        self.flush()
        if self._exchanges:
            return
        if self._stopping:
            self._end()
        else:
            self._wait_idle()

    # -- frames ------------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        exchange = self._exchanges.get(getattr(event, "stream_id", 0))
        if isinstance(event, RequestReceived):
            self._begin(event)
        elif isinstance(event, DataReceived):
            self._take_data(event, exchange)
        elif isinstance(event, StreamEnded):
            if exchange:
                exchange.end()
        elif isinstance(event, StreamReset):
            if exchange:
                exchange.leave()
                self.closed(exchange)
            self._spend(self._resets)
        elif isinstance(event, WindowUpdated | RemoteSettingsChanged):
            for each in [exchange] if exchange else self._exchanges.values():
                each.window_moved()
            self._spend(self._windows if isinstance(event, WindowUpdated) else self._empty)
        elif isinstance(event, ConnectionTerminated):
            self._transport.close()
        elif not isinstance(event, TrailersReceived):
            self._spend(self._empty)

    def _take_data(self, event: DataReceived, exchange: Exchange | None) -> None:
        if exchange:
            exchange.feed(event.data, event.flow_controlled_length)
        else:
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if len(event.data) < SMALL_BYTES and event.stream_ended is None:
            self._spend(self._small if event.data else self._empty)

    def _begin(self, event: RequestReceived) -> None:
        stream_id = event.stream_id
        head_bytes = sum(len(name) + len(value) + _FIELD_BYTES for name, value in event.headers)
        full = sum(self._running.values()) + head_bytes > HEADS_BYTES_MAX
        if self._stopping or full or len(self._running) >= STREAMS_MAX:
            # "Refused" promises that nothing was done: clients send it again without asking.
            self.reset(stream_id, ErrorCodes.REFUSED_STREAM)
            self._spend(self._resets)
            return
        self._stop_idle()
        self._small.earn(SMALL_FRAMES_A_REQUEST)
        self._served = True
        scope = scope_of(event.headers, self._scheme, *self._ends)
        exchange = self._exchanges[stream_id] = Exchange(self, stream_id)
        task = self._loop.create_task(exchange.run(self._config.loaded_app, scope))
        self._running[task] = head_bytes
        self._state.tasks.add(task)
        task.add_done_callback(self._ran)

    def _ran(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._state.tasks.discard(task)

    # -- the ends of it ----------------------------------------------------------------------------

    def _spend(self, budget: Budget) -> None:
        if not budget.spend(self._loop.time()):
            self._cut()

    def _cut(self) -> None:
        if not self._transport.is_closing():
            self._bounds.cut(ABUSIVE)
            self._end(ErrorCodes.ENHANCE_YOUR_CALM)

    def _wait_idle(self) -> None:
        """Only a request stops this clock: a peer that pings is as idle as one that is silent."""
        if self._idle is None and not self._transport.is_closing():
            self._idle = self._loop.call_later(self._waits_s[self._served], self._give_up)

    def _stop_idle(self) -> None:
        if self._idle:
            self._idle.cancel()
            self._idle = None

    def _give_up(self) -> None:
        if not self._served:
            self._bounds.cut(SLOW_HEAD)
        self._end()

    def _end(self, why: ErrorCodes = ErrorCodes.NO_ERROR) -> None:
        """Says goodbye."""
        if not self._transport.is_closing():
            self.h2.close_connection(why)
            self._close()

    def _close(self) -> None:
        self.flush()
        self._stop_idle()
        if self._transport.get_write_buffer_size() > UNREAD_BYTES_MAX:
            self._transport.abort()
        else:
            self._transport.close()
