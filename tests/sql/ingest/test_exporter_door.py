"""The second door: tables that take what the OpenTelemetry Collector's ClickHouse exporter inserts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status
from otlp_requests import attributes, insert

from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

AT_NS = 1_790_000_000_123_456_789

# The columns that the exporter names in its insert, in its order.
TRACES = [
    "Timestamp", "TraceId", "SpanId", "ParentSpanId", "TraceState", "SpanName", "SpanKind", "ServiceName",
    "ResourceAttributes", "ScopeName", "ScopeVersion", "SpanAttributes", "Duration", "StatusCode",
    "StatusMessage", "Events.Timestamp", "Events.Name", "Events.Attributes", "Links.TraceId",
    "Links.SpanId", "Links.TraceState", "Links.Attributes",
]  # fmt: skip
LOGS = [
    "Timestamp", "TraceId", "SpanId", "TraceFlags", "SeverityText", "SeverityNumber", "ServiceName", "Body",
    "ResourceSchemaUrl", "ResourceAttributes", "ScopeSchemaUrl", "ScopeName", "ScopeVersion",
    "ScopeAttributes", "LogAttributes",
]  # fmt: skip

SPAN: dict[str, Any] = {
    "Timestamp": AT_NS, "TraceId": "ab" * 16, "SpanId": "cd" * 8, "ParentSpanId": "01" * 8,
    "TraceState": "a=b", "SpanName": "chat", "SpanKind": "Client", "ServiceName": "shop",
    "ResourceAttributes": {"service.name": "shop", "worker": "7"}, "ScopeName": "scope", "ScopeVersion": "1",
    "SpanAttributes": {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": "1000", "gen_ai.usage.output_tokens": "100",
        "gen_ai.response.finish_reasons": '["stop"]', "gen_ai.response.time_to_first_chunk": "0.25",
        "sightline.tags": '["a","b"]', "gen_ai.input.messages": "[question]", "user.id": "u1", "own": "true",
    },
    "Duration": 1_500_000, "StatusCode": "Error", "StatusMessage": "broke",
    "Events.Timestamp": [AT_NS + 1], "Events.Name": ["first"], "Events.Attributes": [{"k": "1"}],
    "Links.TraceId": ["0a" * 16], "Links.SpanId": ["0b" * 8], "Links.TraceState": ["x=y"],
    "Links.Attributes": [{"why": "retry"}],
}  # fmt: skip

TYPED = {
    "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100, "own": True,
    "gen_ai.response.finish_reasons": ["stop"], "gen_ai.response.time_to_first_chunk": 0.25,
    "sightline.tags": ["a", "b"],
}  # fmt: skip
"""The same attributes where OTLP has types."""

BY_DOOR = "span_received_at received_at batch writer attribute_types resource_types scope_attributes"
"""What the exporter's columns cannot say."""


def uint(number: int) -> bytes:
    """RowBinary's variable-length integer."""
    encoded = b""
    while number > 127:
        encoded += bytes([number & 127 | 128])
        number >>= 7
    return encoded + bytes([number])


def row_binary(value: Any, width: int = 8) -> bytes:
    """A value in RowBinary: integers in `width` bytes, text, arrays and maps after their length."""
    if isinstance(value, int):
        return value.to_bytes(width, "little")
    if isinstance(value, str):
        return uint(len(value.encode())) + value.encode()
    items = [part for pair in value.items() for part in pair] if isinstance(value, dict) else value
    return uint(len(value)) + b"".join(row_binary(item) for item in items)


def send(engine: Engine, table: str, columns: list[str], file: Path, *rows: dict[str, Any]) -> None:
    """Insert rows as the clients do: named columns, in RowBinary."""
    widths = {"TraceFlags": 1, "SeverityNumber": 1}
    file.write_bytes(b"".join(row_binary(row[c], widths.get(c, 8)) for row in rows for c in columns))
    names = ", ".join(f"`{c}`" for c in columns)
    engine.command(f"insert into {table} ({names}) from infile '{file}' format RowBinary")


def span_rows(engine: Engine, writer: str) -> list[dict[str, Any]]:
    """All columns of the spans of one writer."""
    return engine.rows(f"select * from spans_v1 where writer = '{writer}' order by name")


def test_the_same_span_is_the_same_row_through_both_doors(engine: Engine, tmp_path: Path) -> None:
    """Text attributes of the exporter and typed ones of OTLP mean the same: the same tokens, cost, tags."""
    send(engine, "otel_traces", TRACES, tmp_path / "rows", SPAN)
    span = Span(
        trace_id=b"\xab" * 16, span_id=b"\xcd" * 8, parent_span_id=b"\x01" * 8, trace_state="a=b",
        name="chat", kind=Span.SPAN_KIND_CLIENT, start_time_unix_nano=AT_NS, end_time_unix_nano=AT_NS + 1_500_000,  # noqa: E501
        status=Status(code=Status.STATUS_CODE_ERROR, message="broke"),
        attributes=attributes(SPAN["SpanAttributes"] | TYPED),
        events=[Span.Event(time_unix_nano=AT_NS + 1, name="first", attributes=attributes({"k": "1"}))],
        links=[Span.Link(trace_id=b"\x0a" * 16, span_id=b"\x0b" * 8, trace_state="x=y",
                         attributes=attributes({"why": "retry"}))],
    )  # fmt: skip
    scope_spans = ScopeSpans(spans=[span])
    scope_spans.scope.name, scope_spans.scope.version = "scope", "1"
    resource_spans = ResourceSpans(scope_spans=[scope_spans])
    resource_spans.resource.attributes.extend(attributes({"service.name": "shop", "worker": 7}))
    body = ExportTraceServiceRequest(resource_spans=[resource_spans])
    insert(engine, Signal.TRACES, [(body, 1)], tmp_path / "segment", batch=1, received_at_ns=AT_NS + 10**9)
    (exported,) = span_rows(engine, "otel_traces")
    (sent,) = span_rows(engine, "5eed" * 8)
    for column in BY_DOOR.split():
        exported.pop(column), sent.pop(column)
    assert exported == sent
    assert (sent["cost_status"], sent["input_tokens"], sent["tags"]) == ("priced", 1000, ["a", "b"])
    assert (sent["duration_ms"], sent["first_chunk_ms"], sent["user_id"]) == (1.5, 250.0, "u1")


WORDS = {
    "Internal Unset": ("internal", "unset"),
    "Server Ok": ("server", "ok"),
    "SPAN_KIND_PRODUCER STATUS_CODE_ERROR": ("producer", "error"),
    "SPAN_KIND_CONSUMER STATUS_CODE_UNSET": ("consumer", "unset"),
    "Unspecified Unset": ("unspecified", "unset"),
    "nonsense nonsense": ("unspecified", "unset"),
}
STARTS_NS = (0, 2**63, 2**64 - 1)


@pytest.fixture(scope="module")
def odd(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The rows of spans with each of these words and starts, sent in one insert, by their names."""
    spans = [
        SPAN | {"SpanKind": given.split()[0], "StatusCode": given.split()[1], "SpanName": given}
        for given in WORDS
    ]
    spans += [SPAN | {"Timestamp": start_ns, "SpanName": f"start {start_ns}"} for start_ns in STARTS_NS]
    send(engine, "otel_traces", TRACES, tmp_path_factory.mktemp("odd") / "rows", *spans)
    return {row["name"]: row for row in span_rows(engine, "otel_traces")}


@pytest.mark.parametrize("given", WORDS)
def test_kinds_and_statuses_are_words(odd: dict[str, dict[str, Any]], given: str) -> None:
    """New exporters write Client and Error, older ones the enum's names."""
    assert (odd[given]["kind"], odd[given]["status"]) == WORDS[given]


def test_columns_that_a_client_does_not_name_have_defaults(engine: Engine, tmp_path: Path) -> None:
    """A client that knows only the columns of an older exporter is served too."""
    columns = ["Timestamp", "TraceId", "SpanId", "SpanName", "ServiceName", "Duration"]
    send(engine, "otel_traces", columns, tmp_path / "rows", SPAN | {"SpanName": "sparse"})
    (row,) = (r for r in span_rows(engine, "otel_traces") if r["name"] == "sparse")
    assert (row["service"], row["duration_ms"], row["kind"], row["batch"]) == ("shop", 1.5, "unspecified", 0)
    assert row["attributes"] == {}
    assert row["resource_attributes"] == {"service.name": "shop"}


@pytest.mark.parametrize("start_ns", STARTS_NS)
def test_starts_that_cannot_be_are_replaced_and_noted(odd: dict[str, dict[str, Any]], start_ns: int) -> None:
    """A client writes its 64 bits as they are: what is no time becomes the time of arrival."""
    row = odd[f"start {start_ns}"]
    assert row["started_at"] == row["received_at"]
    assert "start_out_of_range" in row["notes"]


LOG: dict[str, Any] = {
    "Timestamp": AT_NS, "TraceId": "ab" * 16, "SpanId": "cd" * 8, "TraceFlags": 1, "SeverityText": "WARN",
    "SeverityNumber": 13, "ServiceName": "shop", "Body": "hello", "ResourceSchemaUrl": "u",
    "ResourceAttributes": {"service.name": "shop"}, "ScopeSchemaUrl": "", "ScopeName": "scope",
    "ScopeVersion": "1", "ScopeAttributes": {"s": "1"}, "LogAttributes": {"k": "1"}, "EventName": "it",
}  # fmt: skip


def log_rows(engine: Engine, event: str) -> list[dict[str, Any]]:
    """All columns of the records of one event, but when they were received."""
    return engine.rows(
        "select * except (received_at, observed_at) replace (toUnixTimestamp64Nano(at) as at)"
        f" from logs_v1 where event_name = '{event}'"
    )


def test_a_log_record_of_the_exporter_is_a_row(engine: Engine, tmp_path: Path) -> None:
    """With the event's name where the exporter has it."""
    send(engine, "otel_logs", [*LOGS, "EventName"], tmp_path / "rows", LOG)
    assert log_rows(engine, "it") == [{
        "batch": 0, "writer": "otel_logs", "project": "default", "at": AT_NS, "trace_id": "ab" * 16,
        "span_id": "cd" * 8, "flags": 1, "severity_number": 13, "severity": "warn", "severity_text": "WARN",
        "event_name": "it", "service": "shop", "body": "hello", "body_type": "string", "scope_name": "scope",
        "scope_version": "1", "attributes": {"k": "1"}, "attribute_types": {},
        "resource_attributes": {"service.name": "shop"}, "resource_types": {}, "scope_attributes": {"s": "1"},
        "dropped_attributes": 0, "notes": [],
    }]  # fmt: skip


def test_feedback_comes_through_this_door_too(engine: Engine, tmp_path: Path) -> None:
    """Both doors meet before anything is understood."""
    values = {"event.name": "gen_ai.evaluation.result", "gen_ai.evaluation.score.value": "0.5"}
    send(engine, "otel_logs", LOGS, tmp_path / "rows", LOG | {"LogAttributes": values})
    found = engine.rows("select trace_id, kind, score, writer from feedback_v1")
    assert found == [{"trace_id": "ab" * 16, "kind": "score", "score": 0.5, "writer": "otel_logs"}]


def test_the_exporters_own_schema_creation_finds_what_it_makes(engine: Engine, tmp_path: Path) -> None:
    """With create_schema on, it makes its tables where they are missing, and a view between two of them."""
    engine.command(
        "create table if not exists otel_traces (Timestamp DateTime64(9)) engine = MergeTree order by ()"
    )
    engine.command(
        "create table if not exists otel_traces_trace_id_ts (TraceId String) engine = MergeTree order by ()"
    )
    engine.command(
        "create materialized view if not exists otel_traces_trace_id_ts_mv to otel_traces_trace_id_ts as"
        " select TraceId, min(Timestamp) as Start, max(Timestamp) as End from otel_traces"
        " where TraceId != '' group by TraceId"
    )
    send(engine, "otel_traces", TRACES, tmp_path / "rows", SPAN | {"SpanName": "created"})
    assert [r["name"] for r in span_rows(engine, "otel_traces") if r["name"] == "created"] == ["created"]
    engine.command("drop view otel_traces_trace_id_ts_mv")


def test_the_readable_views_have_the_columns_of_the_exporter(engine: Engine, tmp_path: Path) -> None:
    """What was inserted into otel_traces is read, column for column, from otel_traces_view."""
    viewed = SPAN | {"SpanName": "viewed", "TraceId": "ef" * 16}
    send(engine, "otel_traces", TRACES, tmp_path / "rows", viewed)
    (row,) = engine.rows(
        "select * except project replace (toUnixTimestamp64Nano(Timestamp) as Timestamp, arrayMap(at ->"
        " toUnixTimestamp64Nano(at), `Events.Timestamp`) as `Events.Timestamp`)"
        " from otel_traces_view where SpanName = 'viewed'"
    )
    assert row == viewed
    (bounds,) = engine.rows(
        "select * replace (toUnixTimestamp(Start) as Start, toUnixTimestamp(End) as End)"
        f" from otel_traces_view_trace_id_ts where TraceId = '{'ef' * 16}'"
    )
    second = AT_NS // 10**9
    assert bounds == {"TraceId": "ef" * 16, "Start": second, "End": second, "project": "default"}


def test_the_insert_targets_have_the_exporters_columns(engine: Engine) -> None:
    """The exporter asks which columns there are before it inserts."""
    for table, columns in (("otel_traces", TRACES), ("otel_logs", [*LOGS, "EventName"])):
        named = {row["name"] for row in engine.rows(f"describe {table}")}
        assert set(columns) - named == set()
