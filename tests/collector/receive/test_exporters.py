"""OpenTelemetry's own exporters against both doors: what they were told is durable is durable."""

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from collector.receive.receiving import WAIT_S, Receiving
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sightline_collector.wal.segment import Signal


def spans(count: int) -> Sequence[ReadableSpan]:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    for number in range(count):
        with provider.get_tracer("test").start_as_current_span(f"span {number}") as span:
            span.set_attribute("text", "some text " * 20)
    return kept.get_finished_spans()


def names(requests: list[Any]) -> list[str]:
    return [
        span.name
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def span_exporters(receiving: Receiving) -> Iterator[Any]:
    for compression in Compression:
        yield HttpSpans(endpoint=receiving.url("traces"), compression=compression)
    for over_grpc in grpc.Compression:
        yield GrpcSpans(endpoint=receiving.target(), insecure=True, compression=over_grpc)


def test_spans_are_on_disk_when_the_exporter_reports_success(receiving: Receiving) -> None:
    """HTTP and gRPC, plain, gzip and deflate: at the moment of success the log's file holds every span."""
    sent = spans(300)
    expected: list[str] = []
    for exporter in span_exporters(receiving):
        assert exporter.export(sent) is SpanExportResult.SUCCESS
        expected += [span.name for span in sent]
        assert names(receiving.on_disk(Signal.TRACES)) == expected
        exporter.shutdown()
    assert {record.items for _, record in receiving.records(Signal.TRACES)} == {300}
    assert receiving.count("receive_items_total", signal="traces") == len(expected)


def test_log_records_are_on_disk_when_the_exporter_reports_success(receiving: Receiving) -> None:
    """The logs service and path take the SDK's log records."""
    kept = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(kept))
    provider.get_logger("test").emit(LogRecord(body="hello", severity_number=SeverityNumber.INFO))
    batch = kept.get_finished_logs()
    for exporter in (HttpLogs(receiving.url("logs")), GrpcLogs(receiving.target(), insecure=True)):
        assert exporter.export(batch).name == "SUCCESS"
        exporter.shutdown()
    assert [record.items for _, record in receiving.records(Signal.LOGS)] == [1, 1]
    provider.shutdown()


def test_metrics_are_on_disk_and_counted_by_data_point(receiving: Receiving) -> None:
    """A counter of two series, a gauge and a histogram are four data points."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    meter = provider.get_meter("test")
    counter = meter.create_counter("calls")
    counter.add(1, {"model": "a"})
    counter.add(1, {"model": "b"})
    meter.create_gauge("depth").set(3)
    meter.create_histogram("seconds").record(0.5)
    batch = reader.get_metrics_data()
    assert batch
    for exporter in (HttpMetrics(receiving.url("metrics")), GrpcMetrics(receiving.target(), insecure=True)):
        assert exporter.export(batch).name == "SUCCESS"
        exporter.shutdown()
    assert [record.items for _, record in receiving.records(Signal.METRICS)] == [4, 4]
    provider.shutdown()


def test_json_becomes_the_same_request_as_protobuf(receiving: Receiving) -> None:
    """A JSON sender's span is on disk as protobuf, its ids as bytes."""
    span = {
        "traceId": "5B8EFFF798038103D269B633813FC60C",
        "spanId": "eee19b7ec3c1b174",
        "name": "from json",
        "startTimeUnixNano": "1544712660000000000",
    }
    sent = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    answer = httpx.post(receiving.url("traces"), json=sent)
    assert (answer.status_code, answer.json()) == (200, {})
    (request,) = receiving.on_disk(Signal.TRACES)
    (stored,) = request.resource_spans[0].scope_spans[0].spans
    assert stored.trace_id.hex() == "5b8efff798038103d269b633813fc60c"
    assert (stored.name, stored.start_time_unix_nano) == ("from json", 1544712660000000000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_json_is_taken(receiving: Receiving, encoding: str) -> None:
    """Compression and JSON go together."""
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hello"}}]}]}]}'
    compressor = zlib.compressobj(wbits=31 if encoding == "gzip" else 15)
    headers = {"content-type": "application/json; charset=utf-8", "content-encoding": encoding}
    sent = compressor.compress(body) + compressor.flush()
    assert httpx.post(receiving.url("logs"), content=sent, headers=headers).status_code == 200
    assert [record.items for _, record in receiving.records(Signal.LOGS)] == [1]


def test_a_full_log_makes_real_exporters_wait_and_nothing_is_lost(tmp_path: Path) -> None:
    """Refused with a wait that the exporters understand, both try again, and succeed once there is room."""
    first, second = spans(60), spans(60)
    with Receiving(tmp_path, log_bytes=25_000, age_s=0.01) as receiving:
        for exporter in (HttpSpans(receiving.url("traces")), GrpcSpans(receiving.target(), insecure=True)):
            assert exporter.export(first) is SpanExportResult.SUCCESS
            emptied = receiving.start(empty_after_a_refusal(receiving))
            assert exporter.export(second) is SpanExportResult.SUCCESS
            assert emptied.result(WAIT_S) == len(first)
            receiving.run(empty(receiving))
            exporter.shutdown()
        assert receiving.count("receive_items_total", signal="traces") == 240
        # Once or more each: how soon the segment is sealed is the machine's matter.
        assert receiving.count("receive_refused_requests_total", signal="traces", reason="log_full") >= 2


async def empty(receiving: Receiving) -> int:
    """The store's part: takes the next segment and confirms it; returns its items."""
    sealed = await receiving.log.sealed(Signal.TRACES)
    await receiving.log.let_go(sealed)
    return sealed.items


async def empty_after_a_refusal(receiving: Receiving) -> int:
    receiving.health.refusal.clear()
    await receiving.health.refusal.wait()
    return await empty(receiving)
