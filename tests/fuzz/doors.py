"""Laws of the doors, over real sockets: nothing thrown at them ends them, or makes them fail inside."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import grpc
import httpx
from collector.receive.receiving import Receiving
from fuzz.target import Target
from h2.config import H2Configuration
from h2.connection import H2Connection
from hyperframe.frame import GoAwayFrame, PingFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame

from sightline_collector.conformance import payload
from sightline_collector.conformance.endpoint import TRACES
from sightline_collector.receive.http2 import PREFACE
from sightline_collector.receive.limits import Limits
from sightline_collector.wal.segment import Signal, varint

LIMITS = Limits(body_bytes=1 << 20, items=500, body_wait_s=2.0)
ANSWER_S = 5.0
SETTLED_EVERY = 50
"""Inputs between two looks at whether a good request is still taken: each costs a connection."""
_SETTINGS_FRAME = 4
_HEADERS = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"


def thrown(port: int, data: bytes) -> bytes:
    """What comes back when the data is sent and nothing follows."""
    came = b""
    with socket.create_connection(("127.0.0.1", port), ANSWER_S) as connection, suppress(OSError):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(1 << 16):
            came += piece
    return came


class Seldom:
    """Calls a check after every so many inputs."""

    def __init__(self) -> None:
        self._inputs = 0

    def due(self) -> bool:
        self._inputs += 1
        return self._inputs % SETTLED_EVERY == 1


def _never_inside(receiving: Receiving) -> None:
    failed = [
        receiving.count("receive_refused_requests_total", signal=signal, reason="internal")
        for signal in Signal
    ]
    assert not any(failed), "a request failed inside"


@contextmanager
def http() -> Iterator[Target]:
    """OTLP over HTTP/1.1, from the first byte of a request."""
    with tempfile.TemporaryDirectory() as name, Receiving(Path(name) / "wal", LIMITS) as receiving:
        seldom = Seldom()

        def hold(data: bytes) -> None:
            came = thrown(receiving.http.port, data)
            assert not came or came.startswith(b"HTTP/1.1 "), came[:80]
            _never_inside(receiving)
            if seldom.due():
                said = {"content-type": payload.PROTOBUF}
                answer = httpx.post(receiving.url("traces"), content=payload.traces(), headers=said)
                assert answer.status_code == 200

        tokens = [
            b"\r\n",
            b": ",
            b"Transfer-Encoding: chunked\r\n",
            b"0\r\n\r\n",
            b"Content-Encoding: gzip\r\n",
        ]
        yield Target(
            "http", hold, _http_seeds(), [*tokens, b"Content-Length: 5\r\n", b"Expect: 100-continue\r\n"]
        )


def _http_seeds() -> list[bytes]:
    body = payload.traces()
    packed = payload.gzipped(body)
    length = b"Content-Length: %d\r\n" % len(body)
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    whole = _HEADERS + length + b"\r\n" + body
    return [
        whole,
        whole + whole,
        _HEADERS + b"Transfer-Encoding: chunked\r\n\r\n" + chunks,
        _HEADERS + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed,
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ]


@contextmanager
def http_2() -> Iterator[Target]:
    """OTLP over HTTP/2, from the first frame after the preface."""
    with tempfile.TemporaryDirectory() as name, Receiving(Path(name) / "wal", LIMITS) as receiving:
        seldom = Seldom()

        def hold(data: bytes) -> None:
            came = thrown(receiving.http.port, PREFACE + data)
            assert len(came) < 9 or came[3] == _SETTINGS_FRAME, came[:80]
            _never_inside(receiving)
            if seldom.due():
                said = {"content-type": payload.PROTOBUF}
                with httpx.Client(http1=False, http2=True) as client:
                    answer = client.post(receiving.url("traces"), content=payload.traces(), headers=said)
                assert answer.status_code == 200

        frames = [
            SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 1 << 20}).serialize(),
            WindowUpdateFrame(0, window_increment=1 << 20).serialize(),
            PingFrame(0, opaque_data=bytes(8)).serialize(),
            RstStreamFrame(1, error_code=8).serialize(),
            GoAwayFrame(0, last_stream_id=1).serialize(),
        ]
        yield Target("http-2", hold, seeds=[_posted(payload.traces()), _posted(b"bad")], tokens=frames)


def _posted(body: bytes) -> bytes:
    """The frames of one request, without the preface."""
    h2 = H2Connection(H2Configuration(client_side=True))
    h2.initiate_connection()
    said = {":method": "POST", ":path": "/v1/traces", ":scheme": "http", ":authority": "localhost"}
    h2.send_headers(1, [*said.items(), ("content-type", payload.PROTOBUF)])
    h2.send_data(1, body, end_stream=True)
    return h2.data_to_send().removeprefix(PREFACE)


@contextmanager
def grpc_frames() -> Iterator[Target]:
    """OTLP over gRPC, from the first byte of the HTTP/2 connection."""
    with ExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory())
        receiving = opened.enter_context(Receiving(Path(folder) / "wal", LIMITS))
        seldom = Seldom()

        def hold(data: bytes) -> None:
            thrown(receiving.grpc.port, data)
            _never_inside(receiving)
            if seldom.due():
                with grpc.insecure_channel(receiving.target()) as channel:
                    assert channel.unary_unary(TRACES)(payload.traces(), timeout=ANSWER_S) == b""

        tokens = [
            b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
            _frame(3, 0, 1, bytes(4)),
            _frame(8, 0, 0, b"\x7f\xff\xff\xff"),
        ]
        yield Target(
            "grpc", hold, _grpc_seeds(), [*tokens, _frame(7, 0, 0, bytes(8)), _frame(9, 4, 1, b"\x88")]
        )


def _frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + content


def _grpc_seeds() -> list[bytes]:
    hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0, 0, b"")
    # HPACK: indexed method and scheme, then literals by the index of their name, or with a name of their own.
    fields = b"\x83\x86\x04" + _text(TRACES.encode()) + b"\x01" + _text(b"localhost")
    fields += b"\x0f\x10" + _text(b"application/grpc") + b"\x00" + _text(b"te") + _text(b"trailers")
    body = payload.traces()
    seeds = [hello]
    for flag, message in ((b"\x00", body), (b"\x01", payload.gzipped(body)), (b"\x00", b"not a request")):
        framed = flag + len(message).to_bytes(4, "big") + message
        packed = b"\x00" + _text(b"grpc-encoding") + _text(b"gzip") if flag == b"\x01" else b""
        seeds.append(hello + _frame(1, 4, 1, fields + packed) + _frame(0, 1, 1, framed))
    return seeds


def _text(text: bytes) -> bytes:
    return varint(len(text)) + text
