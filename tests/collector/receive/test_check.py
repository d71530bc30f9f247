"""What the check lets through, what it refuses, and what it counts."""

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import NumberDataPoint
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sightline_collector.errors import Malformed, TooLarge
from sightline_collector.receive.check import check
from sightline_collector.receive.limits import Limits
from sightline_collector.wal.segment import Signal, varint

FEW = Limits(items=10, body_bytes=4096)


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def traces(*spans_a_scope: int) -> bytes:
    request = ExportTraceServiceRequest()
    for count in spans_a_scope:
        scope = request.resource_spans.add().scope_spans.add()
        for number in range(count):
            scope.spans.add(name=str(number))
    encoded: bytes = request.SerializeToString()
    return encoded


def test_spans_are_counted_over_all_resources_and_scopes() -> None:
    """Three scopes of 2, 0 and 5 spans hold seven."""
    assert check(Signal.TRACES, traces(2, 0, 5)) == 7


def test_log_records_are_counted() -> None:
    """A log record is an item, whatever it holds."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.extend(
        [LogRecord(), LogRecord(severity_text="INFO")]
    )
    assert check(Signal.LOGS, request.SerializeToString()) == 2


def test_data_points_are_counted_for_every_kind_of_metric() -> None:
    """Gauge, sum, histogram, exponential histogram, summary; a metric without data has none."""
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    for number, kind in enumerate(("gauge", "sum", "histogram", "exponential_histogram", "summary"), start=1):
        metric = metrics.add(name=kind)
        for _ in range(number):
            getattr(metric, kind).data_points.add()
    metrics.add(name="nothing")
    assert check(Signal.METRICS, request.SerializeToString()) == 1 + 2 + 3 + 4 + 5


@pytest.mark.parametrize("signal", list(Signal))
def test_an_empty_request_holds_nothing_and_is_no_error(signal: Signal) -> None:
    """OTLP: an empty request should succeed."""
    assert check(signal, b"") == 0


def test_unknown_fields_are_let_through() -> None:
    """A newer sender's fields are not ours to refuse."""
    assert check(Signal.TRACES, traces(1) + field(900, b"from the future")) == 1


def test_values_of_every_kind_are_let_through() -> None:
    """Empty, bytes, mixed arrays and maps are values like any other."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.attributes.add(key="empty", value=AnyValue())
    span.attributes.add(key="bytes", value=AnyValue(bytes_value=b"\x00\xff"))
    mixed = span.attributes.add(key="mixed").value.array_value
    mixed.values.extend([AnyValue(string_value=""), AnyValue(int_value=0), AnyValue()])
    span.attributes.add(key="map").value.kvlist_value.values.add(key="k")
    assert check(Signal.TRACES, request.SerializeToString()) == 1


def nested(depth: int) -> bytes:
    value = field(1, b"deep")
    for _ in range(depth):
        value = field(5, field(1, value))
    return field(1, field(2, field(2, field(9, field(1, b"key") + field(2, value)))))


@pytest.mark.parametrize(
    "body",
    [
        b"not protobuf",
        traces(3)[:-1],
        field(1, field(2, field(2, field(5, b"\xff\xfe")))),
        nested(100),
        b"\x00\x00",
    ],
    ids=["text", "cut", "invalid UTF-8", "too deep", "field number 0"],
)
def test_what_does_not_parse_is_the_senders_fault(body: bytes) -> None:
    """The error names the signal, the parser's reason, and what to send instead."""
    with pytest.raises(Malformed, match=r"not an OTLP traces request: .*Send valid protobuf") as refused:
        check(Signal.TRACES, body)
    assert (refused.value.reason, refused.value.items) == ("malformed", 0)


def test_a_body_beyond_the_byte_limit_is_refused_before_it_is_parsed() -> None:
    """64 MiB is the default; the error says how to send smaller batches."""
    with pytest.raises(TooLarge, match=r"larger than 4096 bytes.*OTEL_BSP_MAX_EXPORT_BATCH_SIZE"):
        check(Signal.TRACES, bytes(4097), FEW)
    assert Limits().body_bytes == 64 * 1024 * 1024


def test_items_are_allowed_up_to_the_limit_and_refused_above() -> None:
    """The refusal knows how many there were, so that they are counted as lost."""
    assert check(Signal.TRACES, traces(4, 6), FEW) == 10
    with pytest.raises(TooLarge, match="more than 10 items") as refused:
        check(Signal.TRACES, traces(4, 7), FEW)
    assert (refused.value.reason, refused.value.items) == ("too_many_items", 11)


def test_data_points_are_bounded_like_spans() -> None:
    """One metric of eleven points is as much as eleven spans."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.gauge.data_points.extend([NumberDataPoint()] * 11)
    with pytest.raises(TooLarge, match="more than 10 data points"):
        check(Signal.METRICS, request.SerializeToString(), FEW)


@pytest.mark.parametrize(
    ("body", "what"),
    [(field(1, b"") * 11, "resources"), (field(1, field(2, b"") * 6) * 2, "scopes")],
)
def test_resources_and_scopes_are_bounded_too(body: bytes, what: str) -> None:
    """A million empty resources hold no item, and still cost a million objects."""
    with pytest.raises(TooLarge, match=f"more than 10 {what}"):
        check(Signal.TRACES, body, FEW)


def test_a_bomb_of_empty_spans_is_refused_before_it_takes_memory() -> None:
    """Two bytes a span, 180 bytes in memory: counting reads the outer levels only."""
    bomb = field(1, field(2, b"\x12\x00" * 1_000_000))
    with pytest.raises(TooLarge, match="more than 50000 items") as refused:
        check(Signal.TRACES, bomb)
    assert refused.value.items == 1_000_000


@pytest.mark.parametrize("resources", [1, 2])
def test_a_large_resource_of_many_spans_is_refused(resources: int) -> None:
    """Each row has a copy of its resource: what that takes in all is bounded."""
    limits = Limits(shared_bytes=10_000)
    request = ExportTraceServiceRequest()
    for _ in range(resources):
        each = request.resource_spans.add()
        each.resource.attributes.add(key="k", value=AnyValue(string_value="v" * 1000))
        each.scope_spans.add().spans.extend(Span() for _ in range(12 // resources))
    with pytest.raises(TooLarge, match=r"once for each of its 12 items.*fewer attributes") as refused:
        check(Signal.TRACES, request.SerializeToString(), limits)
    assert refused.value.items == 12
    assert check(Signal.TRACES, request.SerializeToString(), Limits(shared_bytes=13_000)) == 12
