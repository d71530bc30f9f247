"""The rules of OTLP/JSON, one by one, and the whole of it against protobuf's own encoder."""

import base64
import json
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sightline_collector.errors import Malformed
from sightline_collector.receive.mend import mended
from sightline_collector.receive.otlp_json import to_protobuf
from sightline_collector.wal.segment import Signal

TRACE_ID = bytes(range(16))
SPAN_ID = bytes(range(8, 16))


def converted(span: dict[str, Any]) -> Span:
    sent = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    request = ExportTraceServiceRequest.FromString(to_protobuf(Signal.TRACES, json.dumps(sent).encode()))
    stored: Span = request.resource_spans[0].scope_spans[0].spans[0]
    return stored


def value(said: dict[str, Any]) -> AnyValue:
    stored: AnyValue = converted({"attributes": [{"key": "k", "value": said}]}).attributes[0].value
    return stored


@pytest.mark.parametrize("change", [str.lower, str.upper, str.title])
def test_ids_are_hexadecimal_in_either_case(change: Any) -> None:
    """traceId, spanId and parentSpanId, and those of links."""
    span = converted(
        {
            "traceId": change(TRACE_ID.hex()),
            "spanId": change(SPAN_ID.hex()),
            "parentSpanId": change(SPAN_ID.hex()),
            "links": [{"traceId": change(TRACE_ID.hex()), "spanId": change(SPAN_ID.hex())}],
        }
    )
    assert (span.trace_id, span.span_id, span.parent_span_id) == (TRACE_ID, SPAN_ID, SPAN_ID)
    assert (span.links[0].trace_id, span.links[0].span_id) == (TRACE_ID, SPAN_ID)


@pytest.mark.parametrize("bad", ["AAECAwQFBgcICQoLDA0ODw==", "00 01", "abc", "zz", 17, ["00"]])
def test_an_id_that_is_not_hexadecimal_is_refused(bad: Any) -> None:
    """Base64, blanks, half a byte, numbers: none of them is an id."""
    with pytest.raises(Malformed, match="an id is hexadecimal"):
        converted({"traceId": bad})


def test_an_empty_parent_is_no_parent() -> None:
    """Many senders write parentSpanId as an empty string."""
    assert converted({"parentSpanId": ""}).parent_span_id == b""


def test_text_that_looks_like_an_id_stays_text() -> None:
    """Only the fields that are ids are hexadecimal, not attributes that are called or look so."""
    text = TRACE_ID.hex()
    said = {"key": "traceId", "value": {"stringValue": text}}
    assert converted({"attributes": [said]}).attributes[0].value.string_value == text
    nested = value({"kvlistValue": {"values": [said]}})
    assert nested.kvlist_value.values[0].value.string_value == text


@pytest.mark.parametrize("kind", [0, 3, 99])
def test_enums_are_integers(kind: int) -> None:
    """Also those that are not known yet."""
    assert converted({"kind": kind}).kind == kind


@pytest.mark.parametrize("kind", ["SPAN_KIND_CLIENT", "3", True, 3.0])
def test_enum_names_are_refused(kind: Any) -> None:
    """OTLP allows the integer only."""
    with pytest.raises(Malformed, match="an enum is an integer"):
        converted({"kind": kind})


def test_unknown_fields_are_ignored_at_every_level() -> None:
    """A newer sender's fields do no harm."""
    unknown = {"fromTheFuture": {"deep": [1, 2]}}
    sent = {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "n", **unknown}], **unknown}]}], **unknown}
    request = ExportTraceServiceRequest.FromString(to_protobuf(Signal.TRACES, json.dumps(sent).encode()))
    assert request.resource_spans[0].scope_spans[0].spans[0].name == "n"


def test_snake_case_keys_are_unknown_fields() -> None:
    """Keys are lowerCamelCase; the .proto file's names are not valid."""
    span = converted({"trace_id": TRACE_ID.hex(), "start_time_unix_nano": 5, "name": "n"})
    assert (span.trace_id, span.start_time_unix_nano, span.name) == (b"", 0, "n")


@pytest.mark.parametrize("number", [0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63)])
def test_64_bit_integers_come_as_strings_or_numbers(number: int) -> None:
    """Exactly, beyond what a double holds."""
    assert value({"intValue": number}).int_value == number
    assert value({"intValue": str(number)}).int_value == number
    if number >= 0:
        span = converted({"startTimeUnixNano": str(number), "endTimeUnixNano": number})
        assert (span.start_time_unix_nano, span.end_time_unix_nano) == (number, number)


@pytest.mark.parametrize(
    "said",
    [
        {"intValue": 2**63},
        {"intValue": 1.5},
        {"intValue": True},
        {"intValue": " 3"},
        {"intValue": "-"},
        {"intValue": ""},
        {"intValue": "1_0"},
        {"doubleValue": 10**400},
        {"doubleValue": [1]},
        {"doubleValue": "one"},
        {"bytesValue": 7},
        {"bytesValue": "AA=A"},
        {"bytesValue": "A A="},
        {"stringValue": 5},
        {"boolValue": "true"},
        {"stringValue": "two", "intValue": 2},
        {"arrayValue": {"values": {}}},
        {"kvlistValue": []},
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(said: dict[str, Any]) -> None:
    """Rather an error that names it than a value that was guessed."""
    with pytest.raises(Malformed, match="not an OTLP/JSON traces request"):
        value(said)


def test_bytes_are_base64() -> None:
    """bytesValue stays as protobuf's own mapping has it."""
    content = bytes(range(256))
    assert value({"bytesValue": base64.b64encode(content).decode()}).bytes_value == content


def test_presence_is_kept_apart() -> None:
    """0, '', false and an empty value are not the same as no value."""
    assert value({"intValue": "0"}).WhichOneof("value") == "int_value"
    assert value({"stringValue": ""}).WhichOneof("value") == "string_value"
    assert value({"boolValue": False}).WhichOneof("value") == "bool_value"
    assert value({}).WhichOneof("value") is None
    assert not converted({"attributes": [{"key": "k", "value": None}]}).attributes[0].HasField("value")


def test_doubles_may_be_named() -> None:
    """NaN and the infinities are strings in JSON."""
    assert value({"doubleValue": "Infinity"}).double_value == float("inf")
    assert str(value({"doubleValue": "NaN"}).double_value) == "nan"
    assert value({"doubleValue": 2}).double_value == 2.0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"resourceSpans": {}}',
        b'{"resourceSpans": [1]}',
        b'{"x":' + b"[" * 100_000,
        b'{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":'
        + b'{"arrayValue":{"values":[' * 500
        + b"]}}" * 500
        + b"}]}}]}",
    ],
    ids=[
        "empty",
        "null",
        "array",
        "cut",
        "UTF-8",
        "object",
        "number",
        "deep JSON",
        "deep value",
    ],
)
def test_what_is_no_otlp_json_is_refused(body: bytes) -> None:
    """The error says what is wrong and what OTLP/JSON looks like."""
    with pytest.raises(Malformed, match=r"not an OTLP/JSON traces request.*hexadecimal ids, integer enums"):
        to_protobuf(Signal.TRACES, body)


@pytest.mark.parametrize("broken", [b"\\ud83d", b"\\ude00", b"\xff"], ids=["high half", "low half", "byte"])
def test_text_that_is_no_unicode_is_mended_as_in_protobuf(broken: bytes) -> None:
    """JavaScript cuts a text within an emoji and escapes the half: U+FFFD stands for it, once."""
    body = (
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a%bz"}, {"name":"\\ud83d\\ude00"}]}]}]}'
        % broken
    )
    whole = mended(Signal.TRACES, to_protobuf(Signal.TRACES, body))
    assert whole is not None
    spans = ExportTraceServiceRequest.FromString(whole).resource_spans[0].scope_spans[0].spans
    assert [span.name for span in spans] == ["a\ufffdz", "\U0001f600"]


VALUES = st.recursive(
    st.one_of(
        st.builds(AnyValue),
        st.text().map(lambda text: AnyValue(string_value=text)),
        st.booleans().map(lambda flag: AnyValue(bool_value=flag)),
        st.integers(-(2**63), 2**63 - 1).map(lambda number: AnyValue(int_value=number)),
        st.floats(allow_nan=False).map(lambda number: AnyValue(double_value=number)),
        st.binary().map(lambda content: AnyValue(bytes_value=content)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda values: AnyValue(array_value=ArrayValue(values=values))),
        st.dictionaries(st.text(), inner, max_size=3).map(
            lambda pairs: AnyValue(
                kvlist_value=KeyValueList(values=[KeyValue(key=k, value=v) for k, v in pairs.items()])
            )
        ),
    ),
    max_leaves=8,
)
SPANS = st.builds(
    Span,
    trace_id=st.binary(max_size=16),
    span_id=st.binary(max_size=8),
    name=st.text(),
    kind=st.integers(0, 5),
    start_time_unix_nano=st.integers(0, 2**64 - 1),
    flags=st.integers(0, 2**32 - 1),
    attributes=st.lists(st.builds(KeyValue, key=st.text(), value=VALUES), max_size=4),
    events=st.lists(st.builds(Span.Event, name=st.text(), time_unix_nano=st.integers(0, 2**63)), max_size=2),
    links=st.lists(st.builds(Span.Link, trace_id=st.binary(min_size=16, max_size=16)), max_size=2),
)


def with_hex_ids(said: Any) -> Any:
    """What protobuf's own JSON writes as base64 in id fields of messages, as OTLP writes it."""
    if isinstance(said, list):
        return [with_hex_ids(one) for one in said]
    if not isinstance(said, dict):
        return said
    ids = {"traceId", "spanId", "parentSpanId"}
    return {k: base64.b64decode(v).hex() if k in ids else with_hex_ids(v) for k, v in said.items()}


KEYS = [
    "traceId",
    "name",
    "kind",
    "startTimeUnixNano",
    "attributes",
    "events",
    "status",
    "flags",
    "key",
    "value",
]
KEYS += [
    "stringValue",
    "intValue",
    "doubleValue",
    "boolValue",
    "bytesValue",
    "arrayValue",
    "kvlistValue",
    "values",
]
ANY_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
)


def outcome(span: dict[str, Any]) -> Span | Malformed:
    """What a span in JSON becomes, or why it is refused."""
    try:
        return converted(span)
    except Malformed as refused:
        return refused


@given(span=st.dictionaries(st.sampled_from(KEYS), ANY_JSON, max_size=6))
def test_whatever_json_comes_it_is_converted_or_refused(span: dict[str, Any]) -> None:
    """No value, in no place, is an error of ours."""
    assert isinstance(outcome(span), Span | Malformed)


@pytest.mark.parametrize("written", ["-_8=", "-_8", "+/8=", "+/8"])
def test_base64_may_be_of_either_alphabet_with_or_without_padding(written: str) -> None:
    """As protobuf's own parsers take it."""
    assert value({"bytesValue": written}).bytes_value == b"\xfb\xff"


@given(spans=st.lists(SPANS, max_size=3))
def test_every_request_survives_the_way_through_json(spans: list[Span]) -> None:
    """Written by protobuf's own JSON encoder with OTLP's ids, it becomes the same request."""
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.extend(spans)
    said = json_format.MessageToDict(request, use_integers_for_enums=True)
    body = json.dumps(with_hex_ids(said)).encode()
    assert ExportTraceServiceRequest.FromString(to_protobuf(Signal.TRACES, body)) == request


def test_metrics_and_logs_are_converted_by_the_same_rules() -> None:
    """Exemplars carry ids, log records too; counts are 64-bit strings."""
    exemplar = {"spanId": SPAN_ID.hex(), "traceId": TRACE_ID.hex(), "asInt": "5"}
    point = {"count": "3", "bucketCounts": ["1", 2], "explicitBounds": [0.5], "exemplars": [exemplar]}
    metric = {"name": "m", "histogram": {"aggregationTemporality": 2, "dataPoints": [point]}}
    sent = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    metrics = ExportMetricsServiceRequest.FromString(to_protobuf(Signal.METRICS, json.dumps(sent).encode()))
    stored = metrics.resource_metrics[0].scope_metrics[0].metrics[0].histogram.data_points[0]
    assert (stored.count, list(stored.bucket_counts), stored.exemplars[0].span_id) == (3, [1, 2], SPAN_ID)

    log = {"traceId": TRACE_ID.hex(), "severityNumber": 9, "eventName": "e", "body": {"intValue": "7"}}
    sent_logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [log]}]}]}
    logs = ExportLogsServiceRequest.FromString(to_protobuf(Signal.LOGS, json.dumps(sent_logs).encode()))
    record = logs.resource_logs[0].scope_logs[0].log_records[0]
    assert (record.trace_id, record.severity_number, record.body.int_value) == (TRACE_ID, 9, 7)
