"""Peers that do not take what they are told, over HTTP/1.1 and HTTP/2, are let go of; slow ones are not."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from collector.receive.http2_peer import Peer
from collector.receive.receiving import WAIT_S, Receiving
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived
from h2.exceptions import StreamClosedError
from h2.settings import SettingCodes
from prometheus_client import CollectorRegistry

from sightline_collector.receive import transport
from sightline_collector.receive.connections import ConnectionMetrics, Connections
from sightline_collector.receive.http2 import EMPTY_FRAMES
from sightline_collector.receive.serve import Serving, serve_http

ANSWER_BYTES = 100_000
BIG_BYTES = 12 << 20
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
BIG = b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n"
CLOSING = BIG.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


class Talkative:
    """A port whose answers are longer than a peer's buffers when it asks often enough."""

    def __init__(self, receiving: Receiving) -> None:
        self._receiving = receiving
        self._registry = CollectorRegistry()
        self.told = 0
        self.waiting = asyncio.Event()
        self.go_on = asyncio.Event()
        bounds = Connections("talk", ConnectionMetrics(self._registry))
        self.serving: Serving = receiving.run(serve_http(self, "talk", "127.0.0.1", 0, bounds=bounds))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """An application that answers at once, or waits to be told to, and then in pieces."""
        if scope["path"] == "/wait":
            self.waiting.set()
            await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(100 if scope["path"] == "/wait" else 0):
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0)  # the loop goes round, and finds the peer gone
        size = BIG_BYTES if scope["path"] == "/big" else ANSWER_BYTES
        await send({"type": "http.response.body", "body": bytes(size)})
        self.told += 1

    def open(self) -> float:
        labels = {"port": "talk"}
        return self._registry.get_sample_value("sightline_connections", labels) or 0.0

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Returns when it holds."""
        end_s = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < end_s, f"{self.open()} connections are open, {self.told} told"
            self._receiving.run(self._receiving.turn())

    def wait_for_the_end(self) -> None:
        """Returns when something was told and nobody is connected."""
        self.wait_for(lambda: self.told > 0 and not self.open())

    def close(self) -> None:
        self._receiving.run(self.serving.stop(0))


@pytest.fixture(scope="module")
def receiving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiving]:
    with Receiving(tmp_path_factory.mktemp("log")) as running:
        yield running


@pytest.fixture
def port(receiving: Receiving) -> Iterator[Talkative]:
    talkative = Talkative(receiving)
    yield talkative
    talkative.close()


def deaf(port: Talkative, sent: bytes) -> socket.socket:
    """A connection that asks and does not read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
    connection.connect(("127.0.0.1", port.serving.port))
    connection.settimeout(0.2)
    with suppress(TimeoutError, ConnectionError):
        connection.sendall(sent)
    return connection


def asked_over_http_2(times: int) -> bytes:
    """Requests for answers that no window holds back."""
    peer = H2Connection(H2Configuration(client_side=True))
    peer.initiate_connection()
    peer.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: (1 << 31) - 1})
    peer.increment_flow_control_window(1 << 30)
    head = [(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "x")]
    for number in range(times):
        peer.send_headers(2 * number + 1, head, end_stream=True)
    return peer.data_to_send()


@pytest.mark.parametrize("sent", [GET * 100, asked_over_http_2(90)], ids=["HTTP/1.1", "HTTP/2"])
def test_an_answer_that_is_not_read_ends_the_connection(
    port: Talkative, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    """A peer that takes nothing holds its connection for a bounded time."""
    monkeypatch.setattr(transport, "STALLED_S", 0.3)
    with deaf(port, sent):
        port.wait_for_the_end()
    assert (port.told > 0, port.open()) == (True, 0)


@pytest.mark.parametrize(
    ("sent", "stopped"),
    [(CLOSING, False), (BIG, True), (asked_over_http_2(90), True)],
    ids=["asked to close", "half closed", "half closed over HTTP/2"],
)
def test_a_close_does_not_wait_for_who_does_not_read(
    port: Talkative, monkeypatch: pytest.MonkeyPatch, sent: bytes, stopped: bool
) -> None:
    """What is unsent when a connection is closed is waited for a bounded time."""
    monkeypatch.setattr(transport, "CLOSING_S", 0.3)
    with deaf(port, sent) as connection:
        port.wait_for(lambda: port.told > 0)
        if stopped:
            connection.shutdown(socket.SHUT_WR)
        port.wait_for_the_end()
        assert port.open() == 0


def test_a_slow_reader_has_all_of_it(port: Talkative, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time begins anew whenever enough of the answer was taken."""
    looks: list[float] = []
    look = transport.BoundedTransport._look

    def counted(bounded: transport.BoundedTransport) -> None:
        look(bounded)
        looks.append(time.monotonic())

    monkeypatch.setattr(transport, "STALLED_S", 0.4)
    monkeypatch.setattr(transport.BoundedTransport, "_look", counted)
    with deaf(port, CLOSING) as connection:
        connection.settimeout(WAIT_S)
        for number in range(1, 4):
            assert taken(connection, 1 << 20) == 1 << 20
            port.wait_for(lambda: len(looks) >= number)  # noqa: B023
        assert taken(connection, BIG_BYTES) > BIG_BYTES - (3 << 20)


def test_windows_for_what_was_sent_are_no_abuse(port: Talkative) -> None:
    """A peer may open its stream's window and its connection's for each frame of a long answer."""
    with Peer(port.serving.port) as peer:
        stream_id = peer.post(b"", "/big")
        came = windows = 0
        while came < BIG_BYTES:
            assert peer.read()
            for event in peer.events:
                if isinstance(event, DataReceived) and event.data:
                    came += len(event.data)
                    windows += 2
                    with suppress(StreamClosedError):  # the last one
                        peer.h2.increment_flow_control_window(len(event.data), stream_id)
                    peer.h2.increment_flow_control_window(len(event.data))
            peer.events.clear()
            peer.push()
    assert windows > EMPTY_FRAMES[0]


def taken(connection: socket.socket, size: int) -> int:
    """Reads so many bytes, or to the end; how many there were."""
    came = 0
    while came < size and (piece := connection.recv(min(1 << 16, size - came))):
        came += len(piece)
    return came


def test_a_peer_that_leaves_within_a_row_of_requests_is_no_fault(
    port: Talkative, receiving: Receiving, caplog: pytest.LogCaptureFixture
) -> None:
    """Pipelined: the request that runs is told, the others are never begun, and nothing is logged."""
    waiting = GET.replace(b"GET / ", b"GET /wait ")
    with socket.create_connection(("127.0.0.1", port.serving.port)) as connection:
        connection.sendall(waiting + GET * 20)
        receiving.run(asyncio.wait_for(port.waiting.wait(), WAIT_S))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    with caplog.at_level(logging.WARNING):
        receiving.run(signalled(port.go_on))
        port.wait_for_the_end()
    assert [record.message for record in caplog.records] == []
    assert port.told == 1


async def signalled(event: asyncio.Event) -> None:
    event.set()
