"""Requests to send: one item each, named so that who finds them in a store knows where they come from."""

from __future__ import annotations

import json
import os
import time
import zlib
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sightline_collector.wal.segment import varint

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
TYPES = (PROTOBUF, JSON)
SIGNALS = ("traces", "metrics", "logs")
RESPONSES: dict[str, type[Message]] = {
    "traces": ExportTraceServiceResponse,
    "metrics": ExportMetricsServiceResponse,
    "logs": ExportLogsServiceResponse,
}

NAME = "otlp-conformance"
UNKNOWN_FIELD = 900
"""A number that no OTLP message uses."""
_LENGTH_DELIMITED = 2
_LENGTH_BYTES_MAX = 5
_REPEATED_BYTES = 1 << 20
_NOISE_BYTES = 1 << 10
_BLOCK_BYTES = 20 << 10


def traces(**changed: Any) -> bytes:
    """A request of one span, with some of its fields as they are given."""
    now_ns = time.time_ns()
    said = {"trace_id": os.urandom(16), "span_id": os.urandom(8), "name": NAME, "kind": 1}
    times = {"start_time_unix_nano": now_ns - 1_000_000, "end_time_unix_nano": now_ns}
    return spans(Span(**{**said, **times, **changed}))


def spans(*members: Span) -> bytes:
    """A request of these spans."""
    request = ExportTraceServiceRequest()
    one = request.resource_spans.add()
    one.resource.attributes.append(_pair("service.name", AnyValue(string_value=NAME)))
    one.scope_spans.add().spans.extend(members)
    return _bytes(request)


def not_utf_8() -> bytes:
    """A request of one span whose name ends with a byte that no UTF-8 has."""
    return traces(name=f"{NAME}??").replace(b"??", b"?\xff")


def metrics() -> bytes:
    """A request of one data point."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name=NAME)
    metric.gauge.data_points.add(time_unix_nano=time.time_ns(), as_int=1)
    return _bytes(request)


def logs() -> bytes:
    """A request of one log record."""
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=time.time_ns())
    record.body.string_value = NAME
    return _bytes(request)


def of(signal: str, content_type: str = PROTOBUF) -> bytes:
    """A request of one item of the signal, in that type."""
    if content_type == PROTOBUF:
        return {"traces": traces, "metrics": metrics, "logs": logs}[signal]()
    now = str(time.time_ns())
    point = {"timeUnixNano": now, "asInt": "1"}
    return json.dumps(
        {
            "traces": {"resourceSpans": [{"scopeSpans": [{"spans": [json_span()]}]}]},
            "metrics": {
                "resourceMetrics": [
                    {"scopeMetrics": [{"metrics": [{"name": NAME, "gauge": {"dataPoints": [point]}}]}]}
                ]
            },
            "logs": {
                "resourceLogs": [
                    {"scopeLogs": [{"logRecords": [{"timeUnixNano": now, "body": {"stringValue": NAME}}]}]}
                ]
            },
        }[signal]
    ).encode()


def json_span(**changed: Any) -> dict[str, Any]:
    """A span as OTLP/JSON has it, with some of its keys as they are given."""
    now_ns = time.time_ns()
    ids = {"traceId": os.urandom(16).hex(), "spanId": os.urandom(8).hex()}
    times = {"startTimeUnixNano": str(now_ns - 1_000_000), "endTimeUnixNano": str(now_ns)}
    return {**ids, "name": NAME, "kind": 1, **times, **changed}


def json_traces(**changed: Any) -> bytes:
    """A JSON request of one span, with some of its keys as they are given."""
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [json_span(**changed)]}]}]}).encode()


def every_value() -> list[KeyValue]:
    """Attributes of every kind that OTLP 1.9 and later allow."""
    text = AnyValue(string_value="é")
    kinds = {
        "string": text,
        "bool": AnyValue(bool_value=False),
        "int": AnyValue(int_value=-(1 << 63)),
        "double": AnyValue(double_value=float("inf")),
        "bytes": AnyValue(bytes_value=b"\x00\xff"),
        "empty": AnyValue(),
        "array": AnyValue(array_value=ArrayValue(values=[text, AnyValue(int_value=1), AnyValue()])),
        "map": AnyValue(kvlist_value=KeyValueList(values=[_pair("a", text), _pair("b", AnyValue())])),
    }
    return [_pair(f"conformance.{name}", value) for name, value in kinds.items()]


def json_every_value() -> list[dict[str, Any]]:
    """The same in JSON."""
    kinds: dict[str, dict[str, Any]] = {
        "string": {"stringValue": "é"},
        "bool": {"boolValue": False},
        "int": {"intValue": str(-(1 << 63))},
        "double": {"doubleValue": "Infinity"},
        "bytes": {"bytesValue": "AP8="},
        "empty": {},
        "array": {"arrayValue": {"values": [{"stringValue": "é"}, {"intValue": 1}, {}]}},
        "map": {"kvlistValue": {"values": [{"key": "a", "value": {"stringValue": "é"}}]}},
    }
    return [{"key": f"conformance.{name}", "value": value} for name, value in kinds.items()]


def filled(size_bytes: int) -> bytes:
    """A request of one span, made so large by a field that receivers skip; gzip shrinks it tenfold."""
    span = traces()
    noise = b"".join(
        os.urandom(_NOISE_BYTES) + bytes(_BLOCK_BYTES - _NOISE_BYTES)
        for _ in range(size_bytes // _BLOCK_BYTES + 1)
    )
    return span + _skipped(noise, size_bytes - len(span))


def padded(size_bytes: int) -> bytes:
    """The same, and gzip shrinks it a thousandfold."""
    span = traces()
    return span + _skipped(bytes(size_bytes), size_bytes - len(span))


def _skipped(content: bytes, size_bytes: int) -> bytes:
    """A field of so many bytes, but for one or two, that no OTLP message has."""
    tag = varint(UNKNOWN_FIELD << 3 | _LENGTH_DELIMITED)
    held = content[: size_bytes - len(tag) - _LENGTH_BYTES_MAX]
    return tag + varint(len(held)) + held


def bomb(size_bytes: int) -> bytes:
    """gzip that inflates to at least so many zeros, a thousandfold; built from one piece, said many times."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    head = packing.compress(b"") + packing.flush(zlib.Z_FULL_FLUSH)
    piece = packing.compress(bytes(_REPEATED_BYTES)) + packing.flush(zlib.Z_FULL_FLUSH)
    return head + piece * (size_bytes // _REPEATED_BYTES + 1) + packing.flush()


def gzipped(body: bytes) -> bytes:
    """The body under gzip, quickly."""
    packing = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packing.compress(body) + packing.flush()


def _pair(key: str, value: AnyValue) -> KeyValue:
    return KeyValue(key=key, value=value)


def _bytes(message: Message) -> bytes:
    encoded: bytes = message.SerializeToString()
    return encoded
