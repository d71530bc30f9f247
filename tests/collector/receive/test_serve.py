"""Servers in a running loop: where they listen, what a taken port is told, how they stop."""

import asyncio
import signal
import socket
from contextlib import suppress
from pathlib import Path

import grpc
import httpx
import pytest
from collector.receive.receiving import WAIT_S, Receiving
from collector.receive.test_http import PROTOBUF, open_post, traces, wait_for_bytes
from google.protobuf import json_format
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from sightline_collector.errors import PortTaken
from sightline_collector.receive import connection as connection_of_http
from sightline_collector.receive.connection import HEAD_BYTES_MAX, PIPELINED_MAX
from sightline_collector.receive.grpc import SERVICES
from sightline_collector.receive.http import OtlpHttp
from sightline_collector.receive.serve import serve_grpc, serve_http
from sightline_collector.wal.segment import Signal


def test_a_taken_port_is_named_with_the_way_out(receiving: Receiving) -> None:
    """The error says which server, which address, and how to find who has it."""
    port = receiving.http.port
    expected = (
        rf"OTLP/HTTP cannot listen on 127.0.0.1:{port}: Address already in use\. .*{port}.*choose another"
    )
    with pytest.raises(PortTaken, match=expected):
        receiving.run(serve_http(OtlpHttp(receiving.door), "OTLP/HTTP", "127.0.0.1", port))
    port = receiving.grpc.port
    with pytest.raises(
        PortTaken, match=rf"OTLP/gRPC cannot listen on 127.0.0.1:{port}: Address already in use"
    ):
        receiving.run(serve_grpc(receiving.door, "OTLP/gRPC", "127.0.0.1", port))


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host"])
def test_an_address_that_is_not_ours_is_refused(receiving: Receiving, host: str) -> None:
    """A host that does not resolve, and one that is another machine's."""
    for start in (
        serve_http(OtlpHttp(receiving.door), "OTLP/HTTP", host, 0),
        serve_grpc(receiving.door, "OTLP/gRPC", host, 0),
    ):
        with pytest.raises(PortTaken, match=f"cannot listen on {host}:0"):
            receiving.run(start)


def test_ipv6_is_served(receiving: Receiving) -> None:
    """Both protocols listen on ::1 when told so."""
    http = receiving.run(serve_http(OtlpHttp(receiving.door), "OTLP/HTTP", "::1", 0))
    over_grpc = receiving.run(serve_grpc(receiving.door, "OTLP/gRPC", "::1", 0))
    sent = httpx.post(f"http://[::1]:{http.port}/v1/traces", content=traces(), headers=PROTOBUF)
    assert sent.status_code == 200
    with grpc.insecure_channel(f"[::1]:{over_grpc.port}") as channel:
        assert channel.unary_unary(f"/{SERVICES[Signal.TRACES]}/Export")(traces(), timeout=20) == b""
    receiving.run(http.stop(0))
    receiving.run(over_grpc.stop(0))


def test_stopping_answers_what_runs_and_takes_nothing_new(tmp_path: Path) -> None:
    """A request that was being received when the stop began is acknowledged, and on disk."""
    body = traces(1, "n" * 1000)
    with Receiving(tmp_path) as receiving:
        with open_post(receiving, len(body), body[:-1]) as connection:
            wait_for_bytes(receiving, len(body) - 1)
            stopped = receiving.start(receiving.http.stop(20))
            while listens(receiving.http.port):
                receiving.run(receiving.turn())
            connection.sendall(body[-1:])
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
        stopped.result(WAIT_S)
        assert [bytes(body) for body, _ in receiving.records(Signal.TRACES)] == [body]


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_stop_does_not_wait_for_idle_connections(tmp_path: Path) -> None:
    """Exporters keep theirs open for ever."""
    with Receiving(tmp_path) as receiving, httpx.Client() as client:
        assert client.post(receiving.url("traces"), content=traces(), headers=PROTOBUF).status_code == 200
        receiving.run(asyncio.wait_for(receiving.http.stop(20), 5))


def test_signals_are_left_to_whoever_runs_the_loop() -> None:
    """Serving changes no signal handler: the program that embeds the servers decides how it ends."""

    async def serve() -> object:
        serving = await serve_http(None, "nothing", "127.0.0.1", 0)
        handler = signal.getsignal(signal.SIGTERM)
        await serving.stop(0)
        return handler

    before = signal.getsignal(signal.SIGTERM)
    assert asyncio.run(serve()) is before


def read_to_end(connection: socket.socket) -> bytes:
    """What is answered until the server closes; fails when it does not."""
    connection.settimeout(WAIT_S)
    answered = b""
    while chunk := connection.recv(4096):
        answered += chunk
    return answered


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"", b""),
        (b"PO", b"HTTP/1.1 408 "),
        (b"PRI * HTTP/2.0\r\n\r\nSM", b"HTTP/1.1 408 "),
        (b"POST /v1/tr", b"HTTP/1.1 408 "),
        (b"POST /v1/traces HTTP/1.1\r\nHost: x\r\n", b"HTTP/1.1 408 "),
    ],
)
def test_a_head_that_does_not_come_is_waited_for_a_bounded_time(
    receiving: Receiving, sent: bytes, answered: bytes
) -> None:
    """A connection that says nothing is closed, one that stops within the head is told why."""
    serve = serve_http(OtlpHttp(receiving.door), "OTLP/HTTP", "127.0.0.1", 0, head_wait_s=0.1)
    serving = receiving.run(serve)
    with socket.create_connection(("127.0.0.1", serving.port)) as connection:
        connection.sendall(sent)
        assert read_to_end(connection)[: len(b"HTTP/1.1 408 ")] == answered
    receiving.run(serving.stop(0))


@pytest.mark.parametrize("endless", ["x-many-{}: of them\r\n", "one-long-value"])
def test_a_head_that_does_not_end_is_431(receiving: Receiving, endless: str) -> None:
    """Many headers or a long one: it is cut off long before it fills the memory."""
    with socket.create_connection(("127.0.0.1", receiving.http.port)) as connection:
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\nx-first: ")
        with suppress(ConnectionError):
            for number in range(100_000):
                connection.sendall(endless.format(number).encode() * 10)
        with suppress(ConnectionResetError):
            assert read_to_end(connection).startswith((b"HTTP/1.1 431 ", b""))
    assert httpx.post(receiving.url("traces"), content=b"", headers=PROTOBUF).status_code == 200


def test_a_kept_connection_may_wait_between_requests(receiving: Receiving) -> None:
    """The bound is on a head that began: while silent connections are closed, a kept one stays."""
    serve = serve_http(OtlpHttp(receiving.door), "OTLP/HTTP", "127.0.0.1", 0, head_wait_s=0.2)
    serving = receiving.run(serve)
    request = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n\r\n"
    with socket.create_connection(("127.0.0.1", serving.port), timeout=WAIT_S) as kept:
        for _ in range(2):
            kept.sendall(request)
            assert kept.recv(4096).startswith(b"HTTP/1.1 200 ")
            with socket.create_connection(("127.0.0.1", serving.port)) as silent:
                assert read_to_end(silent) == b""
    receiving.run(serving.stop(0))


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400, 3),
        (b"POST /v1/traces HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n", 400, 3),
        (b"POST /v1/traces HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400, 3),
        (b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 400, 3),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400, 3),
        (b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n", 405, 12),
    ],
    ids=["no colon", "two lengths", "no host", "two hosts", "TLS", "CONNECT"],
)
@pytest.mark.parametrize("content_type", [b"application/x-protobuf", b"application/json"])
def test_what_never_becomes_a_request_is_refused_with_a_status(
    receiving: Receiving, sent: bytes, status: int, code: int, content_type: bytes
) -> None:
    """The body is a google.rpc.Status, in the type that the head had named before it broke off."""
    typed = sent.replace(b" HTTP/1.1\r\n", b" HTTP/1.1\r\nContent-Type: " + content_type + b"\r\n", 1)
    with socket.create_connection(("127.0.0.1", receiving.http.port)) as connection:
        connection.sendall(typed)
        head, _, body = read_to_end(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    if typed != sent:
        assert b"content-type: " + content_type in head
    said = json_format.Parse(body, Status()) if body.startswith(b"{") else Status.FromString(body)
    assert (said.code, bool(said.message)) == (code, True)


@pytest.mark.parametrize("content_type", [b"application/x-protobuf", b"application/json"])
def test_a_head_that_is_too_large_is_431_with_a_status(receiving: Receiving, content_type: bytes) -> None:
    """The body is a google.rpc.Status in the request's type: RESOURCE_EXHAUSTED, without a time to wait."""
    with socket.create_connection(("127.0.0.1", receiving.http.port)) as connection:
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\nContent-Type: " + content_type + b"\r\nX: ")
        wait_until_idle(receiving)
        connection.sendall(b"x" * (HEAD_BYTES_MAX - 1000))
        wait_until_idle(receiving)
        connection.sendall(b"x" * 1001)
        head, _, body = read_to_end(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert b"content-type: " + content_type in head
    said = json_format.Parse(body, Status()) if body.startswith(b"{") else Status.FromString(body)
    assert said.code == 8
    assert not any(detail.Is(RetryInfo.DESCRIPTOR) for detail in said.details)


def test_requests_in_a_row_are_no_large_head(receiving: Receiving) -> None:
    """Pipelined, and cut by the network within a head: what came of other requests does not count for it."""
    head = (
        b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
        b"Content-Length: 0\r\n"
    )
    row = head + b"X-Long: " + b"x" * 300 + b"\r\n\r\n"
    last = head + b"Connection: close\r\n\r\n"
    times = HEAD_BYTES_MAX // len(row) + 20
    sent = row * times + last
    with socket.create_connection(("127.0.0.1", receiving.http.port)) as connection:
        for piece in (sent[:100], sent[100:-20], sent[-20:]):
            connection.sendall(piece)
            wait_until_idle(receiving)
        assert read_to_end(connection).count(b"HTTP/1.1 200 ") == times + 1


CHUNKED = (
    b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
    b"Transfer-Encoding: chunked\r\n"
)


@pytest.mark.parametrize(
    ("before", "endless"),
    [
        (b"0\r\n", b"X: " + b"x" * 1000 + b"\r\n"),
        (b"0\r\nX: ", b"x" * 1000),
        (b"1;", b"x" * 1000),
        (b"", b"1;" + b"x" * 1000 + b"\r\n\0\r\n"),
    ],
    ids=["trailers", "a trailer", "an extension", "extensions"],
)
@pytest.mark.parametrize("path", [b"/v1/traces", b"/nothing"], ids=["taken", "refused"])
def test_what_only_frames_a_body_is_bounded(
    receiving: Receiving, before: bytes, endless: bytes, path: bytes
) -> None:
    """431 while the body is waited for; beside an answer that was given already, the connection's end."""
    head = CHUNKED.replace(b"/v1/traces", path)
    with socket.create_connection(("127.0.0.1", receiving.http.port), timeout=WAIT_S) as connection:
        connection.sendall(head + b"\r\n" + before)
        wait_until_idle(receiving)
        with suppress(OSError):
            while True:
                connection.sendall(endless * 10)
        with suppress(ConnectionResetError):
            assert connection.recv(100)[:13] in (b"HTTP/1.1 431 ", b"HTTP/1.1 404 ")


def test_trailers_are_no_headers(receiving: Receiving) -> None:
    """Not even when the whole request comes in one packet."""
    sent = CHUNKED.replace(b"x-protobuf", b"json") + b"Connection: close\r\n\r\n2\r\n{}\r\n0\r\n"
    with socket.create_connection(("127.0.0.1", receiving.http.port)) as connection:
        connection.sendall(sent + b"Content-Type: text/plain\r\nContent-Encoding: none\r\n\r\n")
        assert read_to_end(connection).startswith(b"HTTP/1.1 200 ")


def test_what_is_no_http_does_not_answer_for_the_request_before_it(receiving: Receiving) -> None:
    """Pipelined: the request that was whole has its own answer, and the connection ends after it."""
    body = traces()
    head = (
        b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
        b"Content-Length: %d\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", receiving.http.port)) as connection:
        connection.sendall(head % len(body) + body + b"no HTTP\r\n\r\n")
        answered = read_to_end(connection)
    assert [answered.count(status) for status in (b"HTTP/1.1 200 ", b"HTTP/1.1 400 ")] == [1, 0]


def test_a_flood_of_requests_that_waits_for_no_answer_is_ended(receiving: Receiving) -> None:
    """Each that is parsed is held until its turn: beyond the bound, the first is answered and no other."""
    flood = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * (PIPELINED_MAX + 2)
    with socket.create_connection(("127.0.0.1", receiving.http.port)) as connection:
        connection.sendall(flood)
        assert read_to_end(connection).count(b"HTTP/1.1 ") == 1


def wait_until_idle(receiving: Receiving) -> None:
    """The collector has read what was sent: its loop went round several times."""
    for _ in range(20):
        receiving.run(receiving.turn())


@pytest.mark.parametrize("offered", ["h2c", "websocket", "TLS/1.0"])
def test_a_sender_that_offers_an_upgrade_loses_nothing(receiving: Receiving, offered: str) -> None:
    """Java's client and curl offer HTTP/2 with their first request: HTTP/1.1 answers, and has all of it."""
    body = traces(3)
    upgrade = {
        "connection": "Upgrade, HTTP2-Settings, keep-alive",
        "upgrade": offered,
        "http2-settings": "AAMA",
    }
    with httpx.Client() as client:
        answers = [
            client.post(receiving.url("traces"), content=sent, headers={**PROTOBUF, **upgrade})
            for sent in (body, iter([body[:9], body[9:]]), b"bad", body)
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 400, 200]
    assert [bytes(stored) for stored, _ in receiving.records(Signal.TRACES)] == [body] * 3


def test_a_request_that_follows_an_offered_upgrade_is_answered(receiving: Receiving) -> None:
    """Pipelined in one packet: both are read, each once."""
    body = traces()
    head = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n".encode()
    head += b"Content-Type: application/x-protobuf\r\n"
    upgrading = head + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + body
    last = head + b"Connection: close\r\n\r\n" + body
    with socket.create_connection(("127.0.0.1", receiving.http.port)) as connection:
        connection.sendall(upgrading + last)
        assert read_to_end(connection).count(b"HTTP/1.1 200 ") == 2
    assert [bytes(stored) for stored, _ in receiving.records(Signal.TRACES)] == [body] * 2


def test_what_follows_a_refusal_is_waited_for_a_bounded_time(
    receiving: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender that goes on dribbling a body that is refused already is cut off."""
    monkeypatch.setattr(connection_of_http, "DISCARDING_S", 0.1)
    with open_post(receiving, 65 << 20, b"x") as connection:
        assert read_to_end(connection).startswith(b"HTTP/1.1 413 ")
