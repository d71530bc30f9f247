"""Requests as bytes: what OpenTelemetry's own encoder says, for whatever a span or a record can hold."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from sightline._delivery import otlp, protobuf
from sightline._delivery.otlp import log_request, trace_request
from sightline._outgoing import Draft

UINT64 = st.integers(0, 2**64 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
texts = st.text(max_size=300)
scalars = st.none() | st.booleans() | INT64 | st.floats() | texts | st.binary(max_size=300)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
pairs = st.dictionaries(texts, values, max_size=6)
trace_ids, span_ids = st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1)
contexts = st.builds(
    SpanContext,
    trace_ids,
    span_ids,
    st.booleans(),
    st.sampled_from([TraceFlags(0), TraceFlags(1)]),
    st.sampled_from([None, TraceState([("vendor", "a"), ("other", "b c")])]),
)
RESOURCES = [Resource({}), Resource({"service.name": "é", "n": 1}, "https://schema/1"), Resource({"x": True})]
SCOPES = [None, InstrumentationScope("a"), InstrumentationScope("b", "1", "https://schema/2", {"k": 0.5})]
spans = st.builds(
    ReadableSpan,
    name=texts,
    context=contexts,
    parent=st.none() | contexts,
    resource=st.sampled_from(RESOURCES),
    attributes=pairs | st.none(),
    events=st.lists(st.builds(Event, texts, pairs, UINT64), max_size=2),
    links=st.lists(st.builds(Link, contexts, pairs), max_size=2),
    kind=st.sampled_from(SpanKind),
    status=st.builds(Status, st.sampled_from(StatusCode))
    | texts.map(lambda words: Status(StatusCode.ERROR, words)),
    start_time=st.none() | UINT64,
    end_time=UINT64,
    instrumentation_scope=st.sampled_from(SCOPES),
)
records = st.builds(
    LogRecord,
    timestamp=st.none() | UINT64,
    observed_timestamp=UINT64,
    trace_id=st.just(0) | trace_ids,
    span_id=st.just(0) | span_ids,
    trace_flags=st.sampled_from([TraceFlags(0), TraceFlags(1)]),
    severity_text=st.none() | texts,
    severity_number=st.none() | st.sampled_from(SeverityNumber),
    body=values,
    attributes=pairs | st.none(),
    event_name=st.none() | texts,
)
readable = st.builds(ReadableLogRecord, records, st.sampled_from(RESOURCES), st.sampled_from(SCOPES))


def whole(request: Any) -> bytes:
    """A message as bytes that are equal when it is: a NaN is not equal to itself."""
    return bytes(request.SerializeToString(deterministic=True))


def sent(given: list[ReadableSpan]) -> Any:
    return ExportTraceServiceRequest.FromString(trace_request(map(Draft.of, given)))


def value_of(value: object) -> Any:
    return KeyValue.FromString(protobuf.any_value(protobuf.VALUE, value)).value


@given(st.lists(spans, max_size=4))
def test_spans_are_encoded_as_opentelemetry_does(given: list[ReadableSpan]) -> None:
    """Ids, times, every type of value, events, links, status, flags, resource and scope: all the same."""
    assert whole(sent(given)) == whole(encode_spans(given))


@given(st.lists(readable, max_size=4))
def test_log_records_are_encoded_as_opentelemetry_does(given: list[ReadableLogRecord]) -> None:
    """Body, event name, severity, the judged span's ids, resource and scope: all the same."""
    ours = ExportLogsServiceRequest.FromString(log_request(given))
    assert whole(ours) == whole(encode_logs(given))


def test_what_a_span_had_to_drop_is_told() -> None:
    """The counts of dropped attributes, events and links, on the span and on its events and links."""
    limits = SpanLimits(
        max_span_attributes=2, max_events=1, max_links=1, max_event_attributes=1, max_link_attributes=1
    )
    tracer = TracerProvider(span_limits=limits, shutdown_on_exit=False).get_tracer("t")
    links = [Link(SpanContext(1, 2, is_remote=True), {"a": 1, "b": 2, "c": 3}) for _ in range(2)]
    span: Any = tracer.start_span("s", attributes={"a": 1, "b": 2, "c": 3, "d": 4}, links=links)
    for _ in range(3):
        span.add_event("e", {"a": 1, "b": 2})
    span.end()
    ours = sent([span])
    assert whole(ours) == whole(encode_spans([span]))
    (left,) = ours.resource_spans[0].scope_spans[0].spans
    assert (left.dropped_attributes_count, left.dropped_events_count, left.dropped_links_count) == (2, 2, 1)
    assert (left.events[0].dropped_attributes_count, left.links[0].dropped_attributes_count) == (1, 2)


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("x\ud800y", AnyValue(string_value="x?y")),
        (2**63, AnyValue(string_value=str(2**63))),
        (-(2**63) - 1, AnyValue(string_value=str(-(2**63) - 1))),
        pytest.param(10**5000, AnyValue(string_value="<integer of 16610 bits>"), id="endless"),
        (2**63 - 1, AnyValue(int_value=2**63 - 1)),
        (-(2**63), AnyValue(int_value=-(2**63))),
        (object(), AnyValue(string_value="<builtins.object>")),
        (math.inf, AnyValue(double_value=math.inf)),
        ("", AnyValue(string_value="")),
        ((), AnyValue(array_value=ArrayValue())),
        ({}, AnyValue(kvlist_value=KeyValueList())),
        (b"", AnyValue(bytes_value=b"")),
        (None, AnyValue()),
    ],
)
def test_what_the_wire_cannot_carry_is_made_carriable(value: object, left: AnyValue) -> None:
    """A lone surrogate, an integer of 65 bits or a foreign object spoils neither its span nor the request."""
    assert value_of(value) == left
    assert value_of([value]).array_value.values[0] == left
    assert value_of({"k\udfff": value}).kvlist_value.values[0] == KeyValue(key="k?", value=left)


@pytest.mark.parametrize("name", ["k", "a.longer.name", "n" * 130])
def test_texts_of_every_length_arrive(name: str) -> None:
    """Around the lengths at which a length itself takes one byte more, nothing is cut or shifted."""
    for length in (*range(300), 16_370, 16_384, 2_097_152):
        (pair,) = KeyValueList.FromString(protobuf.attributes(protobuf.ITEM, {name: "x" * length})).values
        assert (pair.key, pair.value) == (name, AnyValue(string_value="x" * length))


def test_names_of_any_text_arrive() -> None:
    """A span whose name is no well-formed Unicode arrives, and takes no other with it."""
    context = SpanContext(1, 2, is_remote=False)
    given = [ReadableSpan(name, context, resource=RESOURCES[0]) for name in ("a", "\ud800", "b")]
    names = [span.name for span in sent(given).resource_spans[0].scope_spans[0].spans]
    assert names == ["a", "?", "b"]


def test_what_is_kept_for_the_next_request_is_bounded() -> None:
    """A program that makes up names or resources without end does not fill the memory with them."""
    context = SpanContext(1, 2, is_remote=False)
    for number in range(3 * otlp._ORIGINS_MAX):
        trace_request([Draft.of(ReadableSpan("s", context, resource=Resource({"n": number})))])
    assert len(otlp._origins) <= otlp._ORIGINS_MAX
    for number in range(2 * protobuf._KEYS_MAX):
        protobuf.attributes(protobuf.ITEM, {f"made.up.{number}": True})
    assert len(protobuf._keys) <= protobuf._KEYS_MAX


@pytest.mark.parametrize("number", [0, 1, 127, 128, 16_383, 16_384, 2**35, 2**64 - 1])
def test_numbers_of_every_length_are_varints(number: int) -> None:
    """Seven bits a byte, the lowest first, the highest bit of all but the last byte set."""
    written = protobuf.varint(number)
    assert sum((byte & 127) << (7 * place) for place, byte in enumerate(written)) == number
    assert [byte >> 7 for byte in written] == [1] * (len(written) - 1) + [0]
