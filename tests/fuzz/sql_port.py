"""Laws of the SQL port, over real sockets: nobody reads what is hidden, writes, or makes it fail inside."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from collector.gateway.serving import serving
from fuzz.doors import Seldom, thrown
from fuzz.target import Target

from sightline_collector.conformance import payload
from sightline_collector.store.engine import Engine
from sightline_collector.store.migrate import migrate
from sightline_collector.store.url import StoreUrl

CANARY = "canary-4d1f"
INSIDE = b"The collector failed"
"""What the port says of an error that nobody foresaw."""


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
def statements() -> Iterator[Target]:
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
def requests() -> Iterator[Target]:
    """The SQL port's HTTP: parameters, headers, encodings."""
    with ExitStack() as stack, _gateway(stack) as (number, client, _):
        seldom = Seldom()

        def hold(data: bytes) -> None:
            came = thrown(number, data)
            assert not came or came.startswith(b"HTTP/1.1 "), came[:80]
            assert INSIDE not in came, came[:400]
            assert CANARY.encode() not in came, came[:400]
            if seldom.due():
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
