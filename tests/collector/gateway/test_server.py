"""A store that is a ClickHouse server: the same checks, forwarded over HTTP.

The server is played by a port on the embedded engine, which speaks the protocol and refuses what a server
with readonly=1 refuses, and more.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from collector.gateway.serving import Port, serving_app
from prometheus_client import CollectorRegistry

from sightline_collector.gateway.limits import DEFAULT
from sightline_collector.gateway.names import Names
from sightline_collector.gateway.queries import Queries
from sightline_collector.store.engine import Engine
from sightline_collector.store.server_reads import ServerReads
from sightline_collector.store.url import parse_store_url


@pytest.fixture(scope="module")
def forwarding(port: Port, engine: Engine) -> Iterator[httpx.Client]:
    """A port whose store is that server."""
    reads = ServerReads(parse_store_url(f"clickhouse://127.0.0.1:{port.number}/{engine.database}"))
    with serving_app(Queries(reads, Names(reads, engine.database), DEFAULT, CollectorRegistry())) as client:
        yield client


def test_statements_are_forwarded(forwarding: httpx.Client) -> None:
    """With format, parameters and settings; the answer comes back byte by byte."""
    asked = {"param_n": "41", "default_format": "CSV", "join_use_nulls": "1"}
    answer = forwarding.post("/", params=asked, content="select {n:UInt8} + 1, getSetting('join_use_nulls')")
    assert answer.text == "42,true\n"
    assert answer.headers["x-clickhouse-format"] == "CSV"


def test_large_answers_stream(forwarding: httpx.Client) -> None:
    """All of it arrives."""
    answer = forwarding.post("/", content="select number from numbers(1000000) format RowBinary")
    assert len(answer.content) == 8_000_000


def test_the_servers_errors_are_passed_on(forwarding: httpx.Client) -> None:
    """In its own words, with its code."""
    answer = forwarding.post("/", content="select * from nosuch")
    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (404, "60")
    assert answer.text.startswith("Code: 60. DB::Exception: Unknown table")
    assert answer.text.count("Code:") == 1


@pytest.mark.parametrize(
    "sql",
    [
        "select * from spans_v1",
        "select 1 where 1 in spans_v1",
        "select file('/etc/hostname')",
        "select * apply(file) from (select '/etc/hostname')",
        "select * from url('http://127.0.0.1:1/', CSV, 'a Int8')",
        "select * from system.users",
        "select 1 into outfile '/tmp/sightline_attack'",
        "insert into spans_v1 (project) values ('x')",
        "drop table spans_v1",
        "create table t (a Int8) engine = Memory",
        "select 1; drop table spans_v1",
        "kill query where 1",
        "set max_threads = 1",
        "show grants",
        "check table spans_v1",
        "select 1 settings readonly = 0",
        "select 1 parallel with drop table spans_v1",
    ],
)
def test_the_boundary_is_the_same(forwarding: httpx.Client, sql: str) -> None:
    """What is refused on the embedded engine is refused before a server runs it."""
    refused = forwarding.post("/", content=sql)
    assert refused.status_code in (400, 403)
    assert refused.headers["x-clickhouse-exception-code"] in ("62", "164", "497")


def test_a_server_that_is_away_is_told(engine: Engine) -> None:
    """503, so that clients try again."""
    reads = ServerReads(parse_store_url(f"clickhouse://127.0.0.1:1/{engine.database}"))
    with serving_app(Queries(reads, Names(reads, engine.database), DEFAULT, CollectorRegistry())) as client:
        answer = client.post("/", content="select 1")
    assert answer.status_code == 503
    assert "does not answer" in answer.text
