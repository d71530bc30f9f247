"""OTLP over gRPC: Export of the trace, logs and metrics services, on raw bytes.

gRPC's own decompression is switched off and done here: its bound knows no ratio, and it would inflate as
many bombs at once as there are streams. A compressed message is told by its first bytes: 1f 8b (gzip) is no
protobuf at all, and 78 (zlib) would be field 15 of a request whose only field is 1.
"""

from typing import Any, NoReturn

import grpc

from sightline_collector.errors import Fault
from sightline_collector.receive import answer
from sightline_collector.receive.door import Door
from sightline_collector.wal.segment import Signal

SERVICES = {
    Signal.TRACES: "opentelemetry.proto.collector.trace.v1.TraceService",
    Signal.LOGS: "opentelemetry.proto.collector.logs.v1.LogsService",
    Signal.METRICS: "opentelemetry.proto.collector.metrics.v1.MetricsService",
}

# A full Export*ServiceResponse without partial success has no bytes.
_EMPTY_RESPONSE = b""

_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


def options(door: Door) -> list[tuple[str, int]]:
    """What the gRPC server has to be told: its size limit answers RESOURCE_EXHAUSTED without RetryInfo."""
    return [
        ("grpc.max_receive_message_length", door.limits.body_bytes),
        ("grpc.per_message_decompression", 0),
        ("grpc.so_reuseport", 0),  # a second collector on the port is an error, not half of the traffic
    ]


def handlers(door: Door) -> list[Any]:
    """A generic handler for each service."""
    return [
        grpc.method_handlers_generic_handler(
            service, {"Export": grpc.unary_unary_rpc_method_handler(_export(door, signal))}
        )
        for signal, service in SERVICES.items()
    ]


def _export(door: Door, signal: Signal) -> Any:
    async def export(raw: bytes, context: Any) -> bytes:
        try:
            sender = door.sender(dict(context.invocation_metadata()).get)
            with door.room() as room:
                room.add(len(raw))
                body = await door.unpack(signal, raw, _encoding(raw), is_json=False)
                if body is not raw:
                    room.add(len(body))
                await door.take(signal, body, sender.target, sender.allowance)
            return _EMPTY_RESPONSE
        except Fault as fault:
            door.refused(signal, fault)
            await _abort(context, fault)
        except Exception:
            await _abort(context, door.failed(signal))

    return export


async def _abort(context: Any, fault: Fault) -> NoReturn:
    await context.abort(_STATUS_CODES[fault.grpc_code], str(fault), answer.grpc_trailers(fault))
    raise AssertionError("abort raises")


def _encoding(raw: bytes) -> str:
    if raw[:2] == b"\x1f\x8b":
        return "gzip"
    return "deflate" if raw[:1] == b"\x78" else ""
