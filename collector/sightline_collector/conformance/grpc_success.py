"""OTLP/gRPC: what is answered to what can be taken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sightline_collector.conformance import payload
from sightline_collector.conformance.endpoint import GRPC_SERVICES, TRACES, Endpoint
from sightline_collector.conformance.judging import (
    RETRYABLE_CODES,
    expect,
    may_be_sent_again,
    partial,
    said,
    taken,
)
from sightline_collector.conformance.payload import RESPONSES, SIGNALS
from sightline_collector.conformance.rule import Level, NotApplicable, rule, rules_of
from sightline_collector.wal.segment import varint

STREAMS = 64
"""At once on one connection: most servers allow 100."""
METADATA_BYTES = 4 << 10
HUGE_METADATA_BYTES = 256 << 10


@rule("otlpgrpc-request", Level.MUST)
def services(endpoint: Endpoint) -> str:
    """TraceService, MetricsService and LogsService each answer Export."""
    for signal in SIGNALS:
        reply = endpoint.call(GRPC_SERVICES[signal], payload.of(signal))
        taken(reply, signal)
        RESPONSES[signal].FromString(reply.body)
    return "all three"


@rule("full-success", Level.MUST)
def partial_success_unset(endpoint: Endpoint) -> str:
    """What is accepted whole leaves partial_success unset."""
    for signal in SIGNALS:
        reply = endpoint.call(GRPC_SERVICES[signal], payload.of(signal))
        taken(reply, signal)
        expect(partial(RESPONSES[signal].FromString(reply.body)) is None, f"{signal}: {reply.body!r}")
    return "unset"


@rule("full-success", Level.SHOULD)
def empty_request(endpoint: Endpoint) -> str:
    """A request that carries nothing succeeds."""
    for signal in SIGNALS:
        taken(endpoint.call(GRPC_SERVICES[signal], b""), signal)
    return "OK"


@rule("partial-success", Level.MUST)
def well_formed(endpoint: Endpoint) -> str:
    """Where only a part is taken, OK says how many were rejected, and why."""
    bad, good = Span(trace_id=b"short", name=payload.NAME), Span(trace_id=b"1" * 16, span_id=b"1" * 8)
    reply = endpoint.call(TRACES, payload.spans(bad, good))
    if reply.code is not grpc.StatusCode.OK:
        raise NotApplicable(f"what is partly bad is refused whole: {said(reply)}")
    found = partial(RESPONSES["traces"].FromString(reply.body))
    if found is None:
        raise NotApplicable("what is partly bad is taken whole")
    expect(bool(found[1]), f"{found[0]} rejected without an error_message")
    return f"{found[0]} rejected: {found[1]}"


@rule("protocol-details", Level.MUST)
def grpc_gzip_or_none(endpoint: Endpoint) -> str:
    """A message may come plain or as gzip."""
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        taken(endpoint.call(TRACES, payload.filled(2000), compression), compression.name)
    return "taken"


@rule("grpc", Level.GOOD)
def grpc_deflate(endpoint: Endpoint) -> str:
    """A message may come as deflate, or is refused as UNIMPLEMENTED."""
    reply = endpoint.call(TRACES, payload.filled(2000), grpc.Compression.Deflate)
    if reply.code is grpc.StatusCode.UNIMPLEMENTED:
        raise NotApplicable("not spoken")
    taken(reply, "deflate")
    return "taken"


@rule("otlpgrpc-concurrent-requests", Level.SHOULD)
def concurrent(endpoint: Endpoint) -> str:
    """Many calls at once on one connection are taken, or told to come again."""
    with endpoint.channel() as call, ThreadPoolExecutor(STREAMS) as pool:
        replies = list(pool.map(lambda _: call(TRACES, payload.traces()), range(2 * STREAMS)))
    for reply in replies:
        expect(reply.code is grpc.StatusCode.OK or may_be_sent_again(reply), said(reply))
    took = sum(reply.code is grpc.StatusCode.OK for reply in replies)
    return f"{took} of {len(replies)} taken, {STREAMS} at once"


@rule("grpc", Level.MUST)
def kept_after_errors(endpoint: Endpoint) -> str:
    """A connection goes on after refusals."""
    with endpoint.channel() as call:
        codes = [call(TRACES, body).code for body in (b"bad", payload.traces(), b"bad", payload.traces())]
    expect(
        codes[1] is grpc.StatusCode.OK and codes[3] is grpc.StatusCode.OK,
        ", ".join(code.name for code in codes),
    )
    if codes[0] is codes[2] is grpc.StatusCode.OK:
        raise NotApplicable("nothing was refused")
    return ", ".join(code.name for code in codes)


@rule("grpc", Level.MUST)
def unknown_method(endpoint: Endpoint) -> str:
    """Another method, and another service, is UNIMPLEMENTED."""
    for method in (TRACES.replace("Export", "Import"), "/no.such.Service/Export"):
        reply = endpoint.call(method, b"")
        expect(reply.code is grpc.StatusCode.UNIMPLEMENTED, f"{method}: {said(reply)}")
    return "UNIMPLEMENTED"


@rule("future-versions-and-interoperability", Level.MUST)
def grpc_unknown_fields(endpoint: Endpoint) -> str:
    """Fields of later versions are skipped."""
    taken(
        endpoint.call(TRACES, payload.traces() + varint(payload.UNKNOWN_FIELD << 3) + b"\x01"),
        "unknown field",
    )
    return "skipped"


@rule("proto-files", Level.MUST)
def grpc_values_of_every_kind(endpoint: Endpoint) -> str:
    """Attributes may be empty, bytes, mixed arrays and maps."""
    taken(endpoint.call(TRACES, payload.traces(attributes=payload.every_value())), "values")
    return "taken"


@rule("proto-files", Level.MUST)
def grpc_ids_of_another_length(endpoint: Endpoint) -> str:
    """A span whose ids have another length is taken, rejected, or refused for good."""
    seen = [
        endpoint.call(TRACES, payload.traces(trace_id=one, span_id=one)) for one in (b"", b"12", b"1" * 40)
    ]
    for reply in seen:
        expect(reply.code not in RETRYABLE_CODES, said(reply))
    return ", ".join(reply.code.name for reply in seen)


@rule("grpc", Level.GOOD)
def large_metadata(endpoint: Endpoint) -> str:
    """Metadata of 4 KiB is taken; of 256 KiB it is refused, and the connection or a new one goes on."""
    with endpoint.channel() as call:
        taken(call(TRACES, payload.traces(), metadata={"baggage": "b" * METADATA_BYTES}), "4 KiB")
        huge = call(TRACES, payload.traces(), metadata={"baggage": "b" * HUGE_METADATA_BYTES})
        expect(huge.code is not grpc.StatusCode.DEADLINE_EXCEEDED, said(huge))
    taken(endpoint.call(TRACES, payload.traces()), "afterwards")
    return f"256 KiB: {huge.code.name}"


@rule("partial-success", Level.GOOD)
def grpc_text_that_is_no_text(endpoint: Endpoint) -> str:
    """A string that is not UTF-8 is told: by a code that is not retried, or by a partial success."""
    reply = endpoint.call(TRACES, payload.not_utf_8())
    if reply.code is not grpc.StatusCode.OK:
        expect(reply.code not in RETRYABLE_CODES, said(reply))
        return said(reply)
    found = partial(RESPONSES["traces"].FromString(reply.body))
    expect(found is not None and bool(found[1]), "taken without a word")
    return f"OK, {found[1] if found else ''}"


RULES = rules_of(vars())
