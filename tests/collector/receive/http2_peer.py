"""A peer over HTTP/2 that does what clients' libraries would not: frames one by one."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from hyperframe.frame import Frame

WAIT_S = 30.0


class Peer:
    """One connection. `h2` makes frames of ours that are in order, `send` sends any."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        unchecked = H2Configuration(
            client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.h2 = H2Connection(unchecked)
        self.h2.initiate_connection()
        self.events: list[Event] = []
        self.closed = False
        self.push()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def push(self) -> None:
        """Sends what `h2` has ready."""
        self.socket.sendall(self.h2.data_to_send())

    def send(self, *frames: Frame) -> None:
        """Sends frames that `h2` knows nothing of; the peer may be gone."""
        try:
            self.socket.sendall(b"".join(frame.serialize() for frame in frames))
        except OSError:
            self.closed = True

    def post(self, body: bytes | None = None, path: str = "/v1/traces", **more: str) -> int:
        """Begins a request, whole when it has a body; the stream's number."""
        stream_id = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream_id, self.head(path, **more), end_stream=body == b"")
        if body:
            self.h2.send_data(stream_id, body, end_stream=True)
        self.push()
        return stream_id

    def head(self, path: str = "/v1/traces", **more: str) -> Sequence[tuple[str, str]]:
        """The fields of a POST."""
        said = {":method": "POST", ":path": path, ":scheme": "http", ":authority": "x"}
        said |= {"content-type": "application/x-protobuf"}
        return [*said.items(), *((name.replace("_", "-"), value) for name, value in more.items())]

    def read(self) -> bool:
        """Takes what comes next into `events`; False at the end of the connection."""
        try:
            came = self.socket.recv(1 << 16)
        except ConnectionError:
            came = b""
        if not came:
            self.closed = True
            return False
        self.events += self.h2.receive_data(came)
        try:
            self.push()
        except OSError:
            self.closed = True
        return True

    def answer(self, stream_id: int) -> tuple[int, bytes]:
        """Status and body of a stream's answer."""
        while not self.found(StreamEnded, stream_id):
            assert not self.found(StreamReset, stream_id), "reset"
            assert self.read(), "closed without an answer"
        [head] = self.found(ResponseReceived, stream_id)
        assert isinstance(head, ResponseReceived)
        data = self.found(DataReceived, stream_id)
        body = b"".join(each.data for each in data if isinstance(each, DataReceived))
        return int(dict(head.headers)[b":status"]), body

    def goodbye(self) -> int | None:
        """Reads to the end; the error that the other side gave for it, None when it gave none."""
        while self.read():
            pass
        said = [event.error_code for event in self.events if isinstance(event, ConnectionTerminated)]
        return int(said[-1] or 0) if said else None

    def frames(self) -> list[Frame]:
        """Reads to the end what is no event any more: `h2` takes nothing after a GOAWAY."""
        came = b""
        with suppress(ConnectionError):
            while piece := self.socket.recv(1 << 16):
                came += piece
        found = []
        while came:
            frame, length = Frame.parse_frame_header(memoryview(came[:9]))
            frame.parse_body(memoryview(came[9 : 9 + length]))
            came = came[9 + length :]
            found.append(frame)
        return found

    def found(self, kind: type[Event], stream_id: int) -> list[Event]:
        """The events of a kind on a stream."""
        return [
            event
            for event in self.events
            if isinstance(event, kind) and getattr(event, "stream_id", None) == stream_id
        ]
