"""Collectors whose ClickHouse server is not there, or takes nothing of them, when they start or stop."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector_process import CollectorProcess, wait_until
from remembered_load import TRACE, request_template
from servers.faulty_proxy import Fault, FaultyProxy, any_request, error
from servers.played_server import PlayedServer

from sightline_collector.errors import StoreRefused
from sightline_collector.store.arrival import opened_or_away
from sightline_collector.store.engine import Engine
from sightline_collector.store.url import parse_store_url

SPANS = 3
LIMIT_S = 60.0


@pytest.fixture
def collector(engine: Engine, proxy: FaultyProxy, tmp_path: Path) -> Iterator[CollectorProcess]:
    """A process that stores on the server, through the proxy."""
    engine.command("truncate table spans_v1")
    url = f"clickhouse://ann:s3cret@127.0.0.1:{proxy.port}/{engine.database}"
    with CollectorProcess(tmp_path / "data", "--store", url, "--data", str(tmp_path / "data")) as process:
        yield process


def sent(collector: CollectorProcess, number: int) -> str:
    """A trace that the collector has acknowledged; its id."""
    trace = number.to_bytes(16, "big")
    body = request_template(time.time_ns(), SPANS).replace(TRACE, trace)
    request = urllib.request.Request(f"{collector.otlp}/v1/traces", data=body)
    request.add_header("Content-Type", "application/x-protobuf")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
    return trace.hex()


def asked(collector: CollectorProcess, path: str) -> str:
    """What is answered, whatever the status."""
    try:
        with urllib.request.urlopen(f"{collector.http}{path}", timeout=30) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as e:
        return e.read().decode()


def stored(engine: Engine) -> dict[str, int]:
    """Spans in the store, by trace."""
    rows = engine.rows("select trace_id, count() as n from spans_v1 group by trace_id")
    return {row["trace_id"]: row["n"] for row in rows}


def test_a_server_that_is_away_at_the_start_gets_what_was_acknowledged_meanwhile(
    collector: CollectorProcess, proxy: FaultyProxy, server: PlayedServer, engine: Engine
) -> None:
    """A collector starts without its server, acknowledges, says what is wrong and what to do, also when the
    server then refuses its password, and stores all of it, once, when it may, without a restart."""
    proxy.down()
    server.played.password = "another"
    collector.start()
    trace = sent(collector, 1)
    assert f"AWAY       the store at clickhouse://ann@127.0.0.1:{proxy.port}" in collector.output
    assert "does not answer (Connection refused)" in asked(collector, "/readyz")
    proxy.up()
    wait_until(lambda: "check the user and password" in asked(collector, "/readyz"), LIMIT_S)
    findings = json.loads(asked(collector, "/api/doctor"))["findings"]
    assert [one["state"] for one in findings if "Authentication failed" in one["says"]] == ["fail"]
    server.played.password = "s3cret"
    wait_until(lambda: stored(engine) == {trace: SPANS}, LIMIT_S)
    wait_until(lambda: json.loads(asked(collector, "/readyz"))["ready"], LIMIT_S)
    assert collector.stop() == 0
    assert "s3cret" not in collector.output


def test_what_a_server_does_not_take_at_the_end_waits_in_the_log(
    collector: CollectorProcess, proxy: FaultyProxy, engine: Engine
) -> None:
    """A collector that is told to stop does not wait for a server that is away: what it has acknowledged is
    on disk, for its next start."""
    collector.start()
    proxy.down()
    sent(collector, 2)
    assert collector.stop() == 0
    assert '"drained": false, "signals_left": ["insert-traces"]' in collector.output
    assert len(list(collector.folder.glob("wal/traces-*.segment"))) == 1
    assert stored(engine) == {}


@pytest.mark.parametrize(
    ("code", "words", "hint"),
    [
        (497, "sightline: Not enough privileges. (ACCESS_DENIED)", "grant the store's user"),
        (81, "Database sightline does not exist. (UNKNOWN_DATABASE)", "correct the database"),
        (701, "Requested cluster 'a' not found. (CLUSTER_DOESNT_EXIST)", "correct \\?cluster="),
        (115, "Unknown setting format_schema_source. (UNKNOWN_SETTING)", "upgrade the server"),
    ],
    ids=["right", "database", "cluster", "version"],
)
def test_a_start_ends_at_what_no_waiting_mends(
    proxy: FaultyProxy, engine: Engine, tmp_path: Path, code: int, words: str, hint: str
) -> None:
    """A server that says what somebody has to change is not waited for: the hint says what."""
    proxy.inject(Fault.SAYS, any_request, says=[error(code, words)] * 9)
    url = parse_store_url(f"clickhouse://ann:s3cret@127.0.0.1:{proxy.port}/{engine.database}")
    with pytest.raises(StoreRefused, match=hint):
        opened_or_away(url, tmp_path / "begins", lambda: Engine(url))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (516, "sightline: Authentication failed. (AUTHENTICATION_FAILED)"),
        (241, "(total) memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)"),
        (202, "Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)"),
        (999, "Session expired. (KEEPER_EXCEPTION)"),
        (60, "Table sightline.schema_v1 does not exist. (UNKNOWN_TABLE)"),
    ],
    ids=["password", "memory", "overloaded", "keeper", "table"],
)
def test_a_start_waits_for_what_may_pass(
    proxy: FaultyProxy, engine: Engine, tmp_path: Path, code: int, words: str
) -> None:
    """A server that is starting, overloaded, or whose password is being changed is away, and comes."""
    proxy.inject(Fault.SAYS, any_request, says=[error(code, words)] * 9)
    url = parse_store_url(f"clickhouse://ann:s3cret@127.0.0.1:{proxy.port}/{engine.database}")
    opened = opened_or_away(url, tmp_path / "begins", lambda: Engine(url))
    assert opened.away
    assert f"Code: {code}" in opened.away.message
    opened.close()
