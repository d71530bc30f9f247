"""A fault in the words of each protocol. Pure.

Every refusal is a google.rpc.Status: in an HTTP body in the request's own type, in gRPC in the trailers. Bad
data carries BadRequest, a refusal that may pass carries RetryInfo.
"""

from http import HTTPStatus
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from sightline_collector.errors import Fault, SenderFault, WaitingMayHelp
from sightline_collector.wal.segment import Signal

PROTOBUF = b"application/x-protobuf"
JSON = b"application/json"

_RESPONSES: dict[Signal, type[Message]] = {
    Signal.TRACES: ExportTraceServiceResponse,
    Signal.LOGS: ExportLogsServiceResponse,
    Signal.METRICS: ExportMetricsServiceResponse,
}

# Far below what OTLP asks a client to accept; what comes from the sender's own bytes may be long.
_MESSAGE_CHARACTERS_MAX = 1000


def status(fault: Fault) -> Status:
    """The fault as google.rpc.Status, with its details."""
    said = Status(code=int(fault.grpc_code), message=str(fault)[:_MESSAGE_CHARACTERS_MAX])
    if isinstance(fault, SenderFault):
        violation = BadRequest.FieldViolation(field="request", description=said.message, reason=fault.reason)
        said.details.add().Pack(BadRequest(field_violations=[violation]))
    if isinstance(fault, WaitingMayHelp):
        said.details.add().Pack(retry_info(fault))
    return said


def retry_info(fault: WaitingMayHelp) -> RetryInfo:
    """How long to wait before the same request is sent again."""
    wait = RetryInfo()
    wait.retry_delay.FromSeconds(fault.retry_after_s)
    return wait


def http_body(fault: Fault, content_type: bytes) -> bytes:
    """The body of an HTTP refusal, in the type that the request came in."""
    said = status(fault)
    encoded: bytes = said.SerializeToString()
    return json_format.MessageToJson(said).encode() if content_type == JSON else encoded


def rejected(signal: Signal, body: bytes) -> tuple[int, str]:
    """How many items an answer of 200 rejects, and its words. Raises DecodeError when it is no answer."""
    said: Any = _RESPONSES[signal].FromString(body)
    counts = (count for field, count in said.partial_success.ListFields() if field.name != "error_message")
    return sum(counts), str(said.partial_success.error_message)


def success(signal: Signal, warning: str, content_type: bytes) -> bytes:
    """The body of what was taken; a warning is a partial success that rejects nothing."""
    if not warning:
        return b"{}" if content_type == JSON else b""
    said: Any = _RESPONSES[signal]()
    said.partial_success.error_message = warning
    encoded: bytes = said.SerializeToString()
    return json_format.MessageToJson(said).encode() if content_type == JSON else encoded


def http_refusal(fault: Fault, content_type: bytes) -> bytes:
    """A whole HTTP/1.1 response to what never became a request; its connection ends with it."""
    spoken = content_type if content_type == JSON else PROTOBUF
    return _closing(fault, spoken, http_body(fault, spoken))


def plain_refusal(fault: Fault, _: bytes) -> bytes:
    """The same for people, where no OTLP is spoken."""
    return _closing(fault, b"text/plain; charset=utf-8", f"{fault}\n".encode())


def _closing(fault: Fault, content_type: bytes, body: bytes) -> bytes:
    status = HTTPStatus(fault.http_status)
    headers = [
        *http_headers(fault),
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    lines = [f"HTTP/1.1 {status} {status.phrase}".encode(), *(b"%b: %b" % header for header in headers)]
    return b"\r\n".join([*lines, b"", body])


def http_headers(fault: Fault) -> list[tuple[bytes, bytes]]:
    """What a refusal adds to the response's headers."""
    if isinstance(fault, WaitingMayHelp):
        return [(b"retry-after", str(fault.retry_after_s).encode())]
    return []


def grpc_trailers(fault: Fault) -> tuple[tuple[str, bytes], ...]:
    """The trailers of a gRPC refusal; the Python exporter reads the wait from a key of its own."""
    trailers = (("grpc-status-details-bin", status(fault).SerializeToString()),)
    if isinstance(fault, WaitingMayHelp):
        return (*trailers, ("google.rpc.retryinfo-bin", retry_info(fault).SerializeToString()))
    return trailers
