"""OTLP requests made by hand, and their way into a store as segments of the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from sightline_collector.store.batch import insert_segment
from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Entry, Signal, frame

WRITER = "5eed" * 8
NOW_NS = 1_790_000_000_123_456_789
"""When every request made here is received, unless a test says otherwise: 2026-09-21."""


def any_value(value: Any) -> AnyValue:
    """A Python value as OTLP has it; None is a value without content."""
    if value is None:
        return AnyValue()
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[any_value(v) for v in value]))
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=attributes(value)))
    field = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}
    return AnyValue(**{field.get(type(value), "bytes_value"): value})


def attributes(values: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> list[KeyValue]:
    """Key-value pairs, in order; pairs instead of a mapping may repeat a key."""
    pairs = values.items() if isinstance(values, Mapping) else values
    return [KeyValue(key=key, value=any_value(value)) for key, value in pairs]


def traces(count: int = 1, name: str = "span") -> ExportTraceServiceRequest:
    """A request of so many spans that have nothing but a name."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for _ in range(count):
        scope.spans.add(name=name)
    return request


def insert(
    engine: Engine,
    signal: Signal,
    requests: Iterable[tuple[Message | bytes, int]],
    file: Path,
    *,
    batch: int,
    received_at_ns: int = NOW_NS,
    project: str = "default",
) -> None:
    """Insert requests, each with its number of items, as one segment."""
    with file.open("wb") as segment:
        for request, items in requests:
            body = request if isinstance(request, bytes) else request.SerializeToString()
            length, trailer = frame(Entry(body, items, project, received_at_ns), batch, WRITER)
            segment.write(length + body + trailer)
    insert_segment(engine, signal, file)
