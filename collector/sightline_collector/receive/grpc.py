"""OTLP over gRPC: Export of the trace, logs and metrics services, on raw bytes.

gRPC's own decompression is switched off and done here: its bound knows no ratio, and it would inflate as
many bombs at once as there are streams. A compressed message is told by its first bytes: 1f 8b (gzip) is no
protobuf at all, and 78 (zlib) would be field 15 of a request whose only field is 1.
"""

from typing import Any

import grpc

from sightline_collector.errors import Fault, Malformed
from sightline_collector.receive import answer
from sightline_collector.receive.connections import affordable
from sightline_collector.receive.door import Door
from sightline_collector.receive.grpc_message import NoMessage, message_of
from sightline_collector.wal.segment import Signal

SERVICES = {
    Signal.TRACES: "opentelemetry.proto.collector.trace.v1.TraceService",
    Signal.LOGS: "opentelemetry.proto.collector.logs.v1.LogsService",
    Signal.METRICS: "opentelemetry.proto.collector.metrics.v1.MetricsService",
}

# Of one connection. Further calls wait in their client, or are refused as UNAVAILABLE, which is tried again.
# Exporters have one or two under way, proxies some hundred. What their messages may take is bounded by the
# places for those on their way, of all connections together.
_STREAMS_MAX = 1000
# Of the port; further ones are closed at once, and tried again. As many as of a port over HTTP.
_CONNECTIONS_MAX = "grpc.max_allowed_incoming_connections"
# A connection that is silent, or whose machine is gone, ends. Clients reconnect without losing a call.
_IDLE_MS = 300_000
_ALIVE_MS = 60_000
_AGE_MS = 300_000
_AGE_GRACE_MS = 30_000

_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


def options(door: Door) -> list[tuple[str, int]]:
    """What the gRPC server has to be told: its size limit answers RESOURCE_EXHAUSTED without RetryInfo."""
    return [
        ("grpc.max_receive_message_length", door.limits.body_bytes),
        ("grpc.per_message_decompression", 0),
        ("grpc.max_concurrent_streams", _STREAMS_MAX),
        (_CONNECTIONS_MAX, affordable()),
        ("grpc.max_connection_idle_ms", _IDLE_MS),
        ("grpc.max_connection_age_ms", _AGE_MS),
        ("grpc.max_connection_age_grace_ms", _AGE_GRACE_MS),
        ("grpc.keepalive_time_ms", _ALIVE_MS),
        ("grpc.keepalive_timeout_ms", _ALIVE_MS // 3),
        ("grpc.so_reuseport", 0),  # a second collector on the port is an error, not half of the traffic
    ]


def handlers(door: Door) -> dict[str, dict[str, Any]]:
    """The handler of each service's one method. As if messages were a stream: so the handler runs at a call's
    head, and asks for the message itself."""
    return {
        service: {"Export": grpc.stream_unary_rpc_method_handler(_export(door, signal))}
        for signal, service in SERVICES.items()
    }


def _export(door: Door, signal: Signal) -> Any:
    async def export(_: object, context: Any) -> bytes:
        try:
            return await _taken(door, signal, context)
        except NoMessage:
            refused = _refusal(Malformed("The call had no message", hint="Send one with each call"))
        except Fault as fault:
            door.refused(signal, fault)
            refused = _refusal(fault)
        except Exception:
            refused = _refusal(door.failed(signal))
        # gRPC keeps what `abort` raises with the call, in a cycle. Raised within `except`, it would hold the
        # fault, whose frames hold the message, until Python next looks for cycles.
        await context.abort(*refused)
        raise AssertionError("abort raises")

    return export


async def _taken(door: Door, signal: Signal, context: Any) -> bytes:
    """The answer to a call whose message is durable."""
    sender = door.sender(dict(context.invocation_metadata()).get)
    raw = await message_of(door, context)
    with door.room() as room:
        room.add(len(raw))
        body = await door.unpack(signal, raw, _encoding(raw), is_json=False)
        if body is not raw:
            room.add(len(body))
        warning = await door.take(signal, body, sender.target, sender.allowance)
    return answer.success(signal, warning, answer.PROTOBUF)


def _refusal(fault: Fault) -> tuple[Any, str, Any]:
    """Code, details and trailers."""
    return _STATUS_CODES[fault.grpc_code], str(fault), answer.grpc_trailers(fault)


def _encoding(raw: bytes) -> str:
    if raw[:2] == b"\x1f\x8b":
        return "gzip"
    return "deflate" if raw[:1] == b"\x78" else ""
