"""Segments into a store that is a ClickHouse server.

The server is played by the embedded engine. The statement, its settings and the client's way of sending them
are the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import NOW_NS, attributes, insert
from servers.played_server import Played, PlayedServer

from sightline_collector.store.batch import TABLES
from sightline_collector.store.engine import Engine
from sightline_collector.store.url import parse_store_url
from sightline_collector.wal.segment import Signal

CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"}


@pytest.fixture(scope="module")
def server(engine_folder: Path, engine: Engine) -> Iterator[Engine]:
    """A store reached over HTTP."""
    played = PlayedServer(Played(engine_folder))
    opened = Engine(parse_store_url(f"clickhouse://127.0.0.1:{played.port}/{engine.database}"))
    yield opened
    opened.close()
    played.close()


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
