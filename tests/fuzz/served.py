"""Laws of the ports, over real sockets: nothing thrown at them ends them, or makes them fail inside."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import grpc
import httpx
from collector.gateway.serving import serving
from collector.receive.receiving import Receiving
from fuzz.target import Target

from sightline_collector.conformance import payload
from sightline_collector.conformance.endpoint import TRACES
from sightline_collector.receive.limits import Limits
from sightline_collector.store.engine import Engine
from sightline_collector.store.migrate import migrate
from sightline_collector.store.url import StoreUrl
from sightline_collector.wal.segment import Signal, varint

LIMITS = Limits(body_bytes=1 << 20, items=500, body_wait_s=2.0)
ANSWER_S = 5.0
SETTLED_EVERY = 50
"""Inputs between two looks at whether a good request is still taken: each costs a connection."""
CANARY = "canary-4d1f"
INSIDE = b"The collector failed"
"""What both ports say of an error that nobody foresaw."""
_HEADERS = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"


def _thrown(port: int, data: bytes) -> bytes:
    """What comes back when the data is sent and nothing follows."""
    came = b""
    with socket.create_connection(("127.0.0.1", port), ANSWER_S) as connection, suppress(OSError):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(1 << 16):
            came += piece
    return came


class _Counted:
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
        counted = _Counted()

        def hold(data: bytes) -> None:
            came = _thrown(receiving.http.port, data)
            assert not came or came.startswith(b"HTTP/1.1 "), came[:80]
            _never_inside(receiving)
            if counted.due():
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
def grpc_frames() -> Iterator[Target]:
    """OTLP over gRPC, from the first byte of the HTTP/2 connection."""
    with ExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory())
        receiving = opened.enter_context(Receiving(Path(folder) / "wal", LIMITS))
        counted = _Counted()

        def hold(data: bytes) -> None:
            _thrown(receiving.grpc.port, data)
            _never_inside(receiving)
            if counted.due():
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


@contextmanager
def _gateway(stack: ExitStack) -> Iterator[tuple[int, httpx.Client, Path]]:
    """A gateway over an engine, beside a secret in a file and in another database."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    (folder / "secret").write_text(CANARY)
    engine = Engine(StoreUrl(folder / "store", "", 0, "", "", "default", secure=False))
    stack.callback(engine.close)
    migrate(engine)
    engine.command("create database hidden")
    engine.command(f"create table hidden.secret (a String) engine = Memory as select '{CANARY}' as a")
    port = stack.enter_context(serving(engine, folder / "gateway"))
    written = folder / "written"
    written.mkdir()
    yield port.number, port.client, written


SQL_SEEDS = (
    "select model, cost_usd from cost_by_model order by cost_usd",
    "select * from spans where service = 'a' limit 1 by model settings max_threads = 1 format JSON",
    "with x as (select 1 as a) select a from x union all select 2",
    "select count() from (select * from trace_summary) as t inner join spans using (trace_id)",
    "explain ast select 1",
    "show tables like '%cost%'",
    "select a from hidden.secret",
    "select * from file('FOLDER/../secret', 'LineAsString')",
    "select 1 into outfile 'FOLDER/a'",
    "select * from merge('hidden', '.*')",
    "insert into function file('FOLDER/b', 'CSV', 'a Int8') values (1)",
    "select dictGet('hidden.secret', 'a', 1)",
    "select name, value from system.settings",
    "select arrayMap(x -> x + 1, [1, 2])",
)
SQL_TOKENS = (
    *(
        " hidden.secret ",
        " system.tables ",
        " spans_v1 ",
        " into outfile ",
        " settings ",
        " format ",
        " union all ",
    ),
    *(
        " select ",
        " from ",
        " as ",
        " with ",
        " except ",
        " intersect ",
        " explain ",
        " describe ",
        " exists ",
    ),
    *("file(", "url(", "merge(", "remote(", "view(", "loop(", "cluster(", "{a:Identifier}"),
    *(")", "(", "'", "`", '"', "--", "/*", "*/", ";", "\\", "$$", "\x00", "#"),
)


@contextmanager
def gateway_sql() -> Iterator[Target]:
    """Statements: nobody reads the secret, writes a file, or makes the port fail inside."""
    with ExitStack() as stack, _gateway(stack) as (_, client, written):

        def hold(data: bytes) -> None:
            answer = client.post("/", content=data, params={"max_execution_time": "2"})
            assert INSIDE not in answer.content, answer.text[:200]
            assert CANARY.encode() not in answer.content, answer.text[:200]
            assert not list(written.iterdir()), "a file was written"

        seeds = [one.replace("FOLDER", str(written)).encode() for one in SQL_SEEDS]
        yield Target("gateway-sql", hold, seeds, [token.encode() for token in SQL_TOKENS])


@contextmanager
def gateway_http() -> Iterator[Target]:
    """The SQL port's HTTP: parameters, headers, encodings."""
    with ExitStack() as stack, _gateway(stack) as (number, client, _):
        counted = _Counted()

        def hold(data: bytes) -> None:
            came = _thrown(number, data)
            assert not came or came.startswith(b"HTTP/1.1 "), came[:80]
            assert INSIDE not in came, came[:400]
            assert CANARY.encode() not in came, came[:400]
            if counted.due():
                assert client.post("/", content="select 1").text == "1\n"

        paths = [
            b"?query=select+1",
            b"&database=hidden",
            b"&param_a=1",
            b"&session_id=a",
            b"&compress=1",
            b"&decompress=1",
        ]
        more = [
            b"&default_format=Native",
            b"&max_threads=1",
            b"X-ClickHouse-Database: hidden\r\n",
            b"Content-Encoding: zstd\r\n",
        ]
        more += [
            b"/api/status",
            b"/api/budgets",
            b"/api/doctor",
            b"/metrics",
            b"%00",
            b"%ff",
            b"\r\n",
            b"Host: localhost\r\n",
        ]
        yield Target("gateway-http", hold, _gateway_seeds(), [*paths, *more])


def _gateway_seeds() -> list[bytes]:
    host = b" HTTP/1.1\r\nHost: localhost\r\n"
    sql = b"select model from cost_by_model"
    packed = payload.gzipped(sql)
    return [
        b"GET /?query=select%201&default_format=JSON" + host + b"\r\n",
        b"POST /?database=default" + host + b"Content-Length: %d\r\n\r\n" % len(sql) + sql,
        b"POST /" + host + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed,
        b"GET /?query=select+{a:String}&param_a=x&client_protocol_version=54460"
        + host
        + b"Accept-Encoding: lz4\r\n\r\n",
        b"GET /ping" + host + b"\r\n",
        b"GET /api/status" + host + b"\r\n",
        b"POST /api/budgets" + host + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    ]


TARGETS = {
    "http": http,
    "grpc": grpc_frames,
    "gateway-sql": gateway_sql,
    "gateway-http": gateway_http,
}
