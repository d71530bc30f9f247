"""Segments into a store that is a ClickHouse server.

The server is played: what reads goes to a port on the embedded engine; an INSERT ... SELECT FROM input() is
run by the engine with its body as a file, for the embedded engine has no such function. The statement, its
settings and the client's way of sending them are the real ones.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from collector.gateway.serving import Port, serving_app
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import NOW_NS, attributes, insert
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sightline_collector.store.batch import TABLES
from sightline_collector.store.engine import Engine
from sightline_collector.store.url import parse_store_url
from sightline_collector.wal.segment import Signal

CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"}


def playing(engine: Engine, port: Port, folder: Path) -> ASGIApp:
    """Runs inserts, forwards the rest."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body, sql = await request.body(), request.query_params.get("query", "")
        if sql.lower().startswith("insert"):
            await asyncio.to_thread(run, sql, body)
            answer = Response()
        elif body.lower().startswith(b"create database"):
            answer = Response()
        else:
            answer = await asyncio.to_thread(forwarded, request, body)
        await answer(scope, receive, send)

    def run(sql: str, body: bytes) -> None:
        file = folder / "body"
        file.write_bytes(body)
        found = re.search(r"format_schema = '((?:[^'\\]|\\.)*)'", sql)
        assert found
        schema = folder / f"{abs(hash(found[1]))}.proto"  # the engine caches schemas by their path
        schema.write_text(found[1].replace("\\'", "'").replace("\\n", "\n"))
        sql = sql.replace(found[0], f"format_schema = '{schema.with_suffix('')}:Request'")
        sql = re.sub(r"format_schema_(source|message_name) = '\w+', ", "", sql)
        engine.command(sql.replace("input(", f"file('{file}', Protobuf, ").removesuffix(" FORMAT Protobuf"))

    def forwarded(request: Request, body: bytes) -> Response:
        answer = httpx.request(
            request.method, f"{port.url}/?{request.url.query}", content=body,
            headers={"Accept-Encoding": "identity"},
        )  # fmt: skip
        kept = {k: v for k, v in answer.headers.items() if k.startswith("x-clickhouse")}
        return Response(answer.content, answer.status_code, kept)

    return app


@pytest.fixture(scope="module")
def server(port: Port, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A store reached over HTTP."""
    with serving_app(playing(engine, port, tmp_path_factory.mktemp("server"))) as client:
        opened = Engine(parse_store_url(f"clickhouse://127.0.0.1:{client.base_url.port}/{engine.database}"))
        yield opened
        opened.close()


def spans() -> Message:
    """One model call."""
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=b"t" * 16, span_id=b"s" * 8, name="chat", start_time_unix_nano=NOW_NS,
        end_time_unix_nano=NOW_NS + 10**9, attributes=attributes(CALL | {"nested": {"a": [1, "two"]}}),
    )  # fmt: skip
    return request


def logs() -> Message:
    """One log record."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=NOW_NS, severity_number=9)
    return request


def metrics() -> Message:
    """One point of a gauge."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="queue")
    metric.gauge.data_points.add(time_unix_nano=NOW_NS, as_int=7)
    return request


@pytest.mark.parametrize(
    ("signal", "made"), [(Signal.TRACES, spans), (Signal.LOGS, logs), (Signal.METRICS, metrics)]
)
def test_a_server_stores_what_the_embedded_engine_stores(
    server: Engine, engine: Engine, tmp_path: Path, signal: Signal, made: Callable[[], Message]
) -> None:
    """The same segment by both ways becomes the same row, in every column."""
    for batch, store in enumerate((engine, server), 1):
        insert(store, signal, [(made(), 1)], tmp_path / "a.segment", batch=batch)
    rows = engine.rows(f"select * except batch from {TABLES[signal][0]} order by batch")
    assert len(rows) == 2
    assert rows[0] == rows[1]
