"""Requests at the edges of what OTLP can say, each with a trace id of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sightline_collector.wal.segment import varint

DAY_NS = 86_400 * 10**9
DEPTH = 500
DEEP = 400
"""What a value is answered that is deeper than protobuf's own readers go."""
LAST_NS = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Extreme:
    """A request, its spans, and what the door answers."""

    name: str
    body: bytes
    spans: int
    status: int = 200


def extremes() -> list[Extreme]:
    """All of them; the trace of number n is n + 1 as a hex id."""
    made: list[tuple[str, int, Callable[[Span, int], None]]] = [
        ("no time at all", 1, _at(0, 0)),
        ("the last nanosecond that has a number", 1, _at(LAST_NS, LAST_NS)),
        ("the year 2262 and later", 1, _at(2**63 - 1, 2**63 + 10**18)),
        ("an end before its start", 1, _at(time.time_ns(), time.time_ns() - DAY_NS)),
        ("150 days", 150, lambda span, number: _timed(span, time.time_ns() - number * DAY_NS)),
        ("100,000 attributes", 1, _with([(f"k{n}", AnyValue(int_value=n)) for n in range(100_000)])),
        ("a key of a million characters", 1, _with([("k" * 10**6, AnyValue(bool_value=True))])),
        ("a text of 8 MiB", 1, _with([("gen_ai.output.messages", AnyValue(string_value="x" * (8 << 20)))])),
        ("zero bytes", 1, _with([("a\0b", AnyValue(string_value="\0c\0"))])),
        ("25,000 spans", 25_000, lambda span, _: _timed(span, time.time_ns())),
    ]
    found = [
        Extreme(name, _request(number, spans, change), spans)
        for number, (name, spans, change) in enumerate(made, 1)
    ]
    poison = _request(len(found) + 1, 1, _at(time.time_ns(), time.time_ns())) + b"\x0b\x10\x01\x0c"
    found.append(Extreme("bytes that only the engine cannot read", poison, 1))
    arrays = _framed(len(found) + 1, _nested(5, b"\x0a"))
    found.append(Extreme("arrays in arrays, 500 deep", arrays, 1, DEEP))
    maps = _framed(len(found) + 1, _nested(6, b"\x12\x0a"))
    found.append(Extreme("maps in maps, 500 deep", maps, 1, DEEP))
    named = _request(len(found) + 1, 1, lambda span, _: setattr(span, "name", "NAME"))
    found.append(Extreme("text that is no UTF-8", named.replace(b"NAME", b"\xff\xfe\xc0\x80"), 1))
    many = _request(len(found) + 1, 50_001, lambda span, _: None)
    found.append(Extreme("more spans than a request may have", many, 50_001, 413))
    return found


def _request(number: int, spans: int, change: Callable[[Span, int], None]) -> bytes:
    request = ExportTraceServiceRequest()
    held = request.resource_spans.add().scope_spans.add().spans
    for each in range(spans):
        span = held.add(trace_id=number.to_bytes(16, "big"), span_id=(each + 1).to_bytes(8, "big"), name="n")
        change(span, each)
    encoded: bytes = request.SerializeToString()
    return encoded


def _timed(span: Span, start_ns: int) -> None:
    span.start_time_unix_nano, span.end_time_unix_nano = start_ns, start_ns + 10**9


def _at(start_ns: int, end_ns: int) -> Callable[[Span, int], None]:
    def change(span: Span, _: int) -> None:
        span.start_time_unix_nano, span.end_time_unix_nano = start_ns, end_ns

    return change


def _with(pairs: list[tuple[str, AnyValue]]) -> Callable[[Span, int], None]:
    def change(span: Span, _: int) -> None:
        _timed(span, time.time_ns())
        span.attributes.extend(KeyValue(key=key, value=value) for key, value in pairs)

    return change


def _nested(member: int, tags: bytes) -> bytes:
    """An attribute whose value is DEPTH values deep, written by hand: the library makes none deeper than 100.

    `member` is AnyValue's field; `tags` are those of the fields between it and the next value.
    """
    value = b"\x0a\x01x"
    for _ in range(DEPTH):
        for tag in (*tags, member << 3 | 2):
            value = bytes([tag]) + varint(len(value)) + value
    pair = b"\x0a\x04deep\x12" + varint(len(value)) + value
    return b"\x4a" + varint(len(pair)) + pair


def _framed(number: int, attribute: bytes) -> bytes:
    """A request of one span with an attribute more."""
    span = Span(trace_id=number.to_bytes(16, "big"), span_id=b"12345678", name="n")
    encoded: bytes = span.SerializeToString() + attribute
    for tag in b"\x12\x12\x0a":
        encoded = bytes([tag]) + varint(len(encoded)) + encoded
    return encoded
