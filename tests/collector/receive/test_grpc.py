"""OTLP over gRPC to the letter: codes, details and trailers."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from collector.receive.receiving import Receiving
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from otlp_requests import traces

from sightline_collector.receive.check import REQUESTS
from sightline_collector.receive.grpc import SERVICES
from sightline_collector.receive.limits import Limits
from sightline_collector.wal.segment import Signal

TIGHT = Limits(body_bytes=100_000, items=50)


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiving]:
    """A receiving collector with small limits, shared."""
    with Receiving(tmp_path_factory.mktemp("log"), TIGHT) as running:
        yield running


def call(receiving: Receiving, body: bytes, signal: Signal = Signal.TRACES, **options: Any) -> bytes:
    """Sends raw bytes to a signal's service; returns the raw response."""
    with grpc.insecure_channel(receiving.target()) as channel:
        method = channel.unary_unary(f"/{SERVICES[signal]}/Export")
        response: bytes = method(body, timeout=20, **options)
        return response


def refusal(receiving: Receiving, body: bytes, **options: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as refused:
        call(receiving, body, **options)
    return refused.value


def trailer(error: grpc.RpcError, key: str) -> bytes | None:
    found: bytes | None = dict(error.trailing_metadata() or ()).get(key)
    return found


@pytest.mark.parametrize("signal", list(Signal))
def test_export_answers_an_empty_response(tight: Receiving, signal: Signal) -> None:
    """Full success leaves partial_success unset; an empty request succeeds."""
    assert call(tight, REQUESTS[signal]().SerializeToString(), signal) == b""


@pytest.mark.parametrize("compression", list(grpc.Compression))
def test_compressed_messages_are_taken(tight: Receiving, compression: grpc.Compression) -> None:
    """gzip, deflate and none, told apart message by message."""
    before = len(tight.records(Signal.TRACES))
    for request in (traces(3, "a name " * 30), traces(1, "")):
        body = request.SerializeToString()
        assert call(tight, body, compression=compression) == ExportTraceServiceResponse().SerializeToString()
        assert tight.on_disk(Signal.TRACES)[-1] == request
    assert len(tight.records(Signal.TRACES)) == before + 2


def test_a_malformed_message_is_invalid_argument(tight: Receiving) -> None:
    """With the reason in a BadRequest detail, and no time to wait."""
    error = refusal(tight, b"not a request")
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = Status.FromString(trailer(error, "grpc-status-details-bin") or b"")
    detail = BadRequest()
    assert status.details[0].Unpack(detail)
    assert (status.code, detail.field_violations[0].reason) == (3, "malformed")
    assert trailer(error, "google.rpc.retryinfo-bin") is None


@pytest.mark.parametrize(
    "body",
    [
        bytes(100_001),
        traces(51).SerializeToString(),
        gzip.compress(traces(40, "n" * 3000).SerializeToString()),
        gzip.compress(b"\x0a\x00" * (16 << 20)),
        zlib.compress(b"\x0a\x00" * (16 << 20)),
    ],
    ids=["bytes", "items", "inflated", "gzip bomb", "zlib bomb"],
)
def test_oversize_is_resource_exhausted_without_retry_info(tight: Receiving, body: bytes) -> None:
    """Without RetryInfo a client must not retry."""
    error = refusal(tight, body)
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert trailer(error, "google.rpc.retryinfo-bin") is None
    details = Status.FromString(trailer(error, "grpc-status-details-bin") or b"").details
    assert not any(detail.Is(RetryInfo.DESCRIPTOR) for detail in details)


def test_a_full_log_is_unavailable_with_retry_info_under_both_keys(tmp_path: Path) -> None:
    """The standard key, and the one that OpenTelemetry's Python exporter reads: 1 to 3 seconds."""
    with Receiving(tmp_path, log_bytes=100) as receiving:
        error = refusal(receiving, traces().SerializeToString())
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    wait, detail = RetryInfo.FromString(trailer(error, "google.rpc.retryinfo-bin") or b""), RetryInfo()
    assert Status.FromString(trailer(error, "grpc-status-details-bin") or b"").details[0].Unpack(detail)
    assert 1 <= wait.retry_delay.seconds <= 3
    assert detail == wait


def test_too_many_bytes_in_flight_are_resource_exhausted_with_retry_info(tmp_path: Path) -> None:
    """RESOURCE_EXHAUSTED becomes retryable by its RetryInfo."""
    with Receiving(tmp_path, Limits(in_flight_bytes=1000)) as receiving:
        error = refusal(receiving, traces(1, "n" * 2000).SerializeToString())
        assert receiving.count("receive_in_flight_bytes") == 0
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert RetryInfo.FromString(trailer(error, "google.rpc.retryinfo-bin") or b"").retry_delay.seconds == 1


def test_another_method_is_unimplemented(tight: Receiving) -> None:
    """Only Export of the three services is served."""
    with grpc.insecure_channel(tight.target()) as channel:
        method = channel.unary_unary(f"/{SERVICES[Signal.TRACES]}/Import")
        with pytest.raises(grpc.RpcError) as refused:
            method(b"", timeout=20)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_an_error_that_nobody_foresaw_is_internal_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Counted, with the traceback in the collector's own log and not in the answer."""
    with Receiving(tmp_path) as receiving:
        receiving.door.take = None  # type: ignore[method-assign, assignment]
        error = refusal(receiving, b"")
        assert receiving.count("receive_refused_requests_total", signal="traces", reason="internal") == 1
    assert error.code() is grpc.StatusCode.INTERNAL
    assert "NoneType" in caplog.text
    assert "NoneType" not in error.details()
