"""Is it an OTLP request of its signal, within bounds, and how many items does it hold? Pure.

Two parses, both in C. The first reads only the three outer levels and counts; it is some twenty times cheaper
and uses little memory, so that a body of millions of empty spans is refused before it becomes gigabytes. The
second reads everything, and so proves that the engine can. Python touches no item.
"""

from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sightline_collector.errors import Malformed, TooLarge
from sightline_collector.receive.limits import DEFAULT, SHARED_BYTES_MOST, Limits
from sightline_collector.wal.segment import Signal

REQUESTS: dict[Signal, type[Message]] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
}


def check(signal: Signal, body: bytes, limits: Limits = DEFAULT) -> int:
    """The number of spans, log records or data points in the request; 0 for an empty one.

    Raises Malformed when it does not parse, TooLarge when it is beyond the limits.
    """
    if len(body) > limits.body_bytes:
        raise too_many_bytes(limits)
    try:
        items = _outer_items(_OUTLINE.FromString(body), limits)
        request = REQUESTS[signal].FromString(body)
    except DecodeError as error:
        raise Malformed(
            f"The body is not an OTLP {signal} request: {error}",
            hint="Send valid protobuf for this path: UTF-8 in strings, values nested at most 31 deep",
        ) from None
    return _data_points(request, limits.items) if signal is Signal.METRICS else items


def too_many_bytes(limits: Limits) -> TooLarge:
    """What is answered to a body that is too large, wherever that shows."""
    return TooLarge(
        f"The request is larger than {limits.body_bytes} bytes",
        hint="Send smaller batches, for example with OTEL_BSP_MAX_EXPORT_BATCH_SIZE=512",
    )


def _outer_items(outline: Any, limits: Limits) -> int:
    """Spans, log records or metrics; gives up as soon as anything is too much."""
    resources = outline.resources
    _bound("resources", len(resources), limits.items)
    scopes = items = shared_bytes = 0
    for resource in resources:
        scopes += len(resource.scopes)
        _bound("scopes", scopes, limits.items)
        for scope in resource.scopes:
            items += len(scope.items)
            own_bytes = sum(map(len, resource.own)) + sum(map(len, scope.own))
            shared_bytes += len(scope.items) * min(own_bytes, SHARED_BYTES_MOST)
        _bound("items", items, limits.items)
    if shared_bytes > limits.shared_bytes:
        raise TooLarge(
            f"The attributes of the request's resources, once for each of its {items} items, take more than"
            f" {limits.shared_bytes} bytes",
            hint="Send smaller batches, or fewer attributes on the resource",
            reason="too_many_shared_bytes",
            items=items,
        )
    return items


def _data_points(request: Any, most: int) -> int:
    points = 0
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                points += len(getattr(metric, kind).data_points) if kind else 0
    _bound("data points", points, most)
    return points


def _bound(what: str, count: int, most: int) -> None:
    if count > most:
        raise TooLarge(
            f"The request holds more than {most} {what}",
            hint="Send smaller batches, for example with OTEL_BSP_MAX_EXPORT_BATCH_SIZE=512",
            reason="too_many_items",
            items=count,
        )


def _repeated(message: DescriptorProto, name: str, number: int, child: str | None) -> None:
    """Adds a field of messages of the child's type, or of bytes."""
    message.field.add(
        name=name,
        number=number,
        label=FieldDescriptorProto.LABEL_REPEATED,
        type=FieldDescriptorProto.TYPE_MESSAGE if child else FieldDescriptorProto.TYPE_BYTES,
        type_name=child,
    )


def _outline() -> Any:
    """The message class of a request's outer levels: the field numbers are the same for every signal."""
    file = FileDescriptorProto(name="sightline_outline.proto", package="sightline", syntax="proto3")
    for name, field, child in (
        ("Scope", "items", None),
        ("Resource", "scopes", ".sightline.Scope"),
        ("Outline", "resources", ".sightline.Resource"),
    ):
        message = file.message_type.add(name=name)
        _repeated(message, field, 1 if name == "Outline" else 2, child)
        if name != "Outline":
            _repeated(message, "own", 1, None)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("sightline.Outline"))


_OUTLINE = _outline()
