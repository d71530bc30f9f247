"""Text that is not UTF-8 costs nobody a span: it is mended, and the sender is told."""

from __future__ import annotations

import grpc
import httpx
import pytest
from collector.receive.receiving import Receiving
from collector.receive.test_http import PROTOBUF
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from sightline_collector.receive.check import REQUESTS
from sightline_collector.receive.grpc import SERVICES
from sightline_collector.receive.mend import MENDED_BYTES_MAX, WARNING, mended
from sightline_collector.wal.segment import Signal


def request(name: str = "XX", size_bytes: int = 0) -> bytes:
    """Two spans, the second named as given, with every kind of text around it."""
    made = ExportTraceServiceRequest()
    resource = made.resource_spans.add(schema_url="s")
    resource.resource.attributes.add(key="service.name").value.string_value = "é"
    spans = resource.scope_spans.add().spans
    spans.add(name="whole", trace_id=b"\xff" * 16)
    second = spans.add(name=name)
    second.attributes.add(key="k").value.array_value.values.add(string_value=name)
    second.attributes.add(key="b").value.bytes_value = b"\xff" + bytes(size_bytes)
    encoded: bytes = made.SerializeToString()
    return encoded


BROKEN = request().replace(b"XX", b"a\xff")


def test_a_request_is_mended_where_it_is_no_text_and_nowhere_else() -> None:
    """Names and nested values get U+FFFD; ids and bytes, which may be anything, stay as they are."""
    whole = mended(Signal.TRACES, BROKEN)
    assert whole is not None
    assert ExportTraceServiceRequest.FromString(whole) == ExportTraceServiceRequest.FromString(
        request("a\ufffd")
    )


@pytest.mark.parametrize("signal", list(Signal))
def test_what_suffers_from_something_else_is_not_mended(signal: Signal) -> None:
    """A request that is whole, one that is cut, and none at all."""
    whole = REQUESTS[signal]().SerializeToString()
    assert [mended(signal, body) for body in (whole, b"\x0a\xff", b"not a request")] == [None] * 3


def test_a_large_request_is_not_mended() -> None:
    """Mending is slow: beyond the bound the request is refused as before."""
    assert mended(Signal.TRACES, request(size_bytes=MENDED_BYTES_MAX).replace(b"XX", b"a\xff")) is None


def test_both_doors_take_it_and_say_so(receiving: Receiving) -> None:
    """OK with a partial success that rejects nothing and says why; both spans are on disk, and counted."""
    over_http = httpx.post(receiving.url("traces"), content=BROKEN, headers=PROTOBUF)
    assert over_http.status_code == 200
    with grpc.insecure_channel(receiving.target()) as channel:
        over_grpc = channel.unary_unary(f"/{SERVICES[Signal.TRACES]}/Export")(BROKEN, timeout=20)
    for body in (over_http.content, over_grpc):
        said = ExportTraceServiceResponse.FromString(body).partial_success
        assert (said.rejected_spans, said.error_message) == (0, WARNING)
    expected = ExportTraceServiceRequest.FromString(request("a\ufffd"))
    assert receiving.on_disk(Signal.TRACES) == [expected, expected]
    assert receiving.count("receive_mended_requests_total", signal="traces") == 2
    assert receiving.count("loss_items_total", signal="traces", reason="malformed") == 0
