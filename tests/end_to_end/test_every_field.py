"""Spans of the OpenTelemetry SDK, by each protocol, and every field of them in the view spans."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from collector_process import CollectorProcess
from google.protobuf.json_format import MessageToDict
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

VALUES: dict[str, Any] = {
    "int zero": 0,
    "int least": -(2**63),
    "int most": 2**63 - 1,
    "text empty": "",
    "text zero": "0",
    "text": "héllo ✓ \x00 'quoted' \"twice\" \\ back",
    "double zero": 0.0,
    "double": 0.1,
    "double least": 5e-324,
    "false": False,
    "true": True,
    "bytes": b"\x00\xff raw",
    "list empty": [],
    "list of text": ["a", "", "c"],
    "list of ints": [1, -2, 3],
    "list of doubles": [1.0, 2.5],
    "list of bools": [True, False],
    "map": {"a": 1, "b": {"c": [1, "two", None, {"d": 2.0}]}},
    "map empty": {},
}
"""Attribute name to value: each type, and each value that is easily mistaken for another or for nothing."""

TYPES = {
    "int zero": "int", "int least": "int", "int most": "int", "double zero": "double", "double": "double",
    "double least": "double", "false": "bool", "true": "bool", "bytes": "bytes", "list empty": "array",
    "list of text": "array", "list of ints": "array", "list of doubles": "array", "list of bools": "array",
    "map": "map", "map empty": "map",
}  # fmt: skip
"""The types that must be told; what is not listed is text."""


class JsonExporter(SpanExporter):
    """OTLP/JSON by the rules of its specification: hex ids, base64 bytes, integers as text."""

    def __init__(self, url: str) -> None:
        self._url = url

    def export(self, spans: Any) -> SpanExportResult:
        body = MessageToDict(encode_spans(spans), use_integers_for_enums=True)
        for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]:
            for holder in (span, *span.get("links", [])):
                for name in {"traceId", "spanId", "parentSpanId"} & holder.keys():
                    holder[name] = base64.b64decode(holder[name]).hex()
        request = urllib.request.Request(
            self._url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.loads(answer.read()) == {}
        return SpanExportResult.SUCCESS


EXPORTERS: dict[str, Callable[[CollectorProcess], SpanExporter]] = {
    "grpc": lambda c: GrpcExporter(endpoint=c.grpc, insecure=True),
    "http": lambda c: HttpExporter(endpoint=f"{c.otlp}/v1/traces"),
    "http-gzip": lambda c: HttpExporter(endpoint=f"{c.otlp}/v1/traces", compression=Compression.Gzip),
    "http-deflate": lambda c: HttpExporter(endpoint=f"{c.otlp}/v1/traces", compression=Compression.Deflate),
    "json": lambda c: JsonExporter(f"{c.otlp}/v1/traces"),
}


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """A running collector."""
    with CollectorProcess(tmp_path_factory.mktemp("field") / "data", "--segment-age-s", "0.2") as running:
        running.start()
        yield running
        assert running.stop() == 0


def finished_spans() -> tuple[ReadableSpan, ReadableSpan]:
    """A child with everything a span can have, and its parent."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "shop", "worker": 7, "zones": ["a", "b"]}))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("shop.scope", "1.2.3", attributes={"scope": "yes"})
    elsewhere = SpanContext(0xABC, 0xDEF, True, TraceFlags(1), TraceState([("vendor", "v")]))
    with tracer.start_as_current_span("parent"):
        link = Link(elsewhere, {"why": "retry", "times": 2})
        with tracer.start_as_current_span("child", kind=SpanKind.CLIENT, links=[link]) as child:
            child.set_attributes(VALUES)
            child.add_event("first", {"n": 1, "text": "one"})
            child.add_event("second")
            child.set_status(Status(StatusCode.ERROR, "broke"))
    found = {span.name: span for span in memory.get_finished_spans()}
    return found["child"], found["parent"]


@pytest.mark.parametrize("protocol", EXPORTERS)
def test_every_field_of_a_span_is_kept(collector: CollectorProcess, protocol: str) -> None:
    """Whatever the protocol: ids, times, kind, status, typed attributes, events, links, resource, scope."""
    child, parent = finished_spans()
    assert EXPORTERS[protocol](collector).export([child, parent]) is SpanExportResult.SUCCESS
    collector.flush()
    trace_id = trace.format_trace_id(child.context.trace_id)
    rows = collector.ask(
        "select *, toUnixTimestamp64Nano(started_at) as started_ns,"
        " arrayMap(e -> toUnixTimestamp64Nano(e.at), events) as event_times"
        f" from spans where trace_id = '{trace_id}' order by name"
    )
    assert [r["name"] for r in rows] == ["child", "parent"]
    row = rows[0]
    assert child.start_time and child.end_time and child.parent
    _assert_frame(row, child, rows[1])
    assert row["attribute_types"] == TYPES
    _assert_values(row["attributes"])
    assert [(e["name"], e["attributes"], e["attribute_types"]) for e in row["events"]] == [
        ("first", {"n": "1", "text": "one"}, {"n": "int"}), ("second", {}, {}),
    ]  # fmt: skip
    assert row["event_times"] == [e.timestamp for e in child.events]
    assert row["links"] == [  # the SDK's encoder leaves the trace state of links out
        {
            "trace_id": f"{0xABC:032x}", "span_id": f"{0xDEF:016x}", "trace_state": "",
            "attributes": {"why": "retry", "times": "2"}, "attribute_types": {"times": "int"},
        }
    ]  # fmt: skip


def _assert_frame(row: dict[str, Any], child: ReadableSpan, parent_row: dict[str, Any]) -> None:
    """Everything but attributes, events and links."""
    assert child.start_time and child.end_time
    assert row["span_id"] == trace.format_span_id(child.context.span_id)
    assert row["parent_span_id"] == parent_row["span_id"]
    assert parent_row["parent_span_id"] == ""
    assert row["started_ns"] == child.start_time
    assert row["duration_ms"] == pytest.approx((child.end_time - child.start_time) / 1e6, abs=1e-9)
    assert (row["kind"], row["status"], row["status_message"]) == ("client", "error", "broke")
    assert (row["scope_name"], row["scope_version"]) == ("shop.scope", "1.2.3")
    assert row["scope_attributes"] == {"scope": "yes"}
    assert row["service"] == "shop"
    assert row["resource_attributes"]["worker"] == "7"
    assert row["resource_attributes"]["zones"] == '["a","b"]'
    assert row["resource_types"]["worker"] == "int"
    assert row["resource_types"]["zones"] == "array"
    assert "absent" not in row["attributes"]


def _assert_values(attributes: dict[str, str]) -> None:
    """Each attribute's text stands for its value and no other."""
    assert attributes.keys() == VALUES.keys()
    for name, value in VALUES.items():
        text = attributes[name]
        match value:
            case bool():
                assert text == str(value).lower()
            case int():
                assert int(text) == value
            case float():
                assert float(text) == value
            case bytes():
                assert base64.b64decode(text) == value
            case str():
                assert text == value
            case _:
                assert json.loads(text) == value
                assert repr(json.loads(text)) == repr(value)  # 1 is not 1.0, and True is not 1
