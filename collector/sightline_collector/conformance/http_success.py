"""OTLP/HTTP: what is answered to what can be taken."""

from __future__ import annotations

import json
import zlib

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sightline_collector.conformance import payload
from sightline_collector.conformance.endpoint import Answer, Endpoint
from sightline_collector.conformance.judging import expect, media_type, partial, shown, success
from sightline_collector.conformance.payload import JSON, PROTOBUF, SIGNALS, TYPES
from sightline_collector.conformance.rule import Level, NotApplicable, rule, rules_of
from sightline_collector.wal.segment import varint

EACH = [(signal, content_type) for signal in SIGNALS for content_type in TYPES]


def _answers(endpoint: Endpoint) -> list[tuple[str, str, Answer]]:
    """What is answered to one good request of each signal in each type."""
    return [
        (signal, content_type, endpoint.post(f"/v1/{signal}", payload.of(signal, content_type), content_type))
        for signal, content_type in EACH
    ]


@rule("otlphttp-request", Level.MUST)
def paths(endpoint: Endpoint) -> str:
    """Traces, metrics and logs are taken at /v1/traces, /v1/metrics and /v1/logs by POST."""
    for signal in SIGNALS:
        answer = endpoint.post(f"/v1/{signal}", payload.of(signal))
        expect(answer.status < 300, f"/v1/{signal}: {shown(answer)}")
    return "all three"


@rule("full-success-1", Level.MUST)
def status(endpoint: Endpoint) -> str:
    """What is accepted is answered 200, and no other 2xx, in protobuf and in JSON."""
    for signal, content_type, answer in _answers(endpoint):
        expect(answer.status == 200, f"{signal} as {content_type}: {shown(answer)}")
    return "200 for three signals in two types"


@rule("full-success-1", Level.MUST)
def response_message(endpoint: Endpoint) -> str:
    """The body of a success is an Export…ServiceResponse, which may be empty."""
    for signal, content_type, answer in _answers(endpoint):
        success(answer, signal, content_type)
    return "all decode"


@rule("full-success-1", Level.MUST)
def partial_success_unset(endpoint: Endpoint) -> str:
    """What is accepted whole leaves partial_success unset."""
    for signal, content_type, answer in _answers(endpoint):
        found = partial(success(answer, signal, content_type))
        # Protobuf's JSON mapping reads null as unset.
        expect(found is None, f"{signal} as {content_type}: {shown(answer)}")
    return "unset"


@rule("otlphttp-response", Level.MUST)
def content_type_of_request(endpoint: Endpoint) -> str:
    """The response's Content-Type is the request's."""
    for signal, content_type, answer in _answers(endpoint):
        expect(media_type(answer) == content_type, f"{signal} as {content_type}: {shown(answer)}")
    return "the same"


@rule("otlphttp-response", Level.MAY)
def gzip_only_when_asked(endpoint: Endpoint) -> str:
    """The response is compressed only for who sent Accept-Encoding: gzip, and then says so."""
    plain = endpoint.post("/v1/traces", payload.of("traces", JSON), JSON, accept_encoding="identity")
    expect("content-encoding" not in plain.headers, f"unasked: {plain.headers.get('content-encoding')}")
    asked = endpoint.post("/v1/traces", payload.of("traces", JSON), JSON, accept_encoding="gzip")
    if asked.headers.get("content-encoding") != "gzip":
        raise NotApplicable("responses are not compressed")
    json.loads(zlib.decompress(asked.body, 16 + zlib.MAX_WBITS))
    return "gzip when asked for"


@rule("full-success-1", Level.SHOULD)
def empty_request(endpoint: Endpoint) -> str:
    """A request that carries nothing succeeds."""
    for signal in SIGNALS:
        success(endpoint.post(f"/v1/{signal}", b""), signal, PROTOBUF)
        success(endpoint.post(f"/v1/{signal}", b"{}", JSON), signal, JSON)
    return "200"


@rule("empty-telemetry-envelopes", Level.SHOULD)
def empty_envelopes(endpoint: Endpoint) -> str:
    """Resources without scopes, and scopes without items, are no error."""
    resource_then_scope = b"\x0a\x00\x0a\x02\x12\x00"
    for signal in SIGNALS:
        success(endpoint.post(f"/v1/{signal}", resource_then_scope), signal, PROTOBUF)
    body = b'{"resourceSpans":[{},{"scopeSpans":[{}]}]}'
    success(endpoint.post("/v1/traces", body, JSON), "traces", JSON)
    return "200"


@rule("partial-success-1", Level.MUST)
def well_formed(endpoint: Endpoint) -> str:
    """Where only a part is taken, 200 says how many were rejected, and why."""
    bad = Span(trace_id=b"short", span_id=b"", name=payload.NAME)
    answer = endpoint.post(
        "/v1/traces",
        payload.spans(bad, Span(name=payload.NAME, trace_id=bytes(15) + b"1", span_id=b"12345678")),
    )
    if answer.status != 200:
        raise NotApplicable(f"what is partly bad is refused whole: {answer.status}")
    found = partial(success(answer, "traces", PROTOBUF))
    if found is None:
        raise NotApplicable("what is partly bad is taken whole")
    expect(bool(found[1]), f"{found[0]} rejected without an error_message")
    return f"{found[0]} rejected: {found[1]}"


@rule("future-versions-and-interoperability", Level.MUST)
def unknown_fields(endpoint: Endpoint) -> str:
    """Protobuf fields of later versions are skipped at every level."""
    later = (
        varint(payload.UNKNOWN_FIELD << 3)
        + b"\x01"
        + varint((payload.UNKNOWN_FIELD + 1) << 3 | 2)
        + b"\x02hi"
    )
    span = Span(trace_id=bytes(15) + b"2", span_id=b"12345678", name=payload.NAME).SerializeToString() + later
    scope = b"\x12" + varint(len(span)) + span + later
    resource = b"\x12" + varint(len(scope)) + scope + later
    success(
        endpoint.post("/v1/traces", b"\x0a" + varint(len(resource)) + resource + later), "traces", PROTOBUF
    )
    return "200"


@rule("proto-files", Level.MUST)
def values_of_every_kind(endpoint: Endpoint) -> str:
    """Attributes may be empty, bytes, mixed arrays and maps: since OTLP 1.9 in every signal."""
    body = payload.traces(attributes=payload.every_value())
    success(endpoint.post("/v1/traces", body), "traces", PROTOBUF)
    return "200"


@rule("proto-files", Level.MUST)
def ids_of_another_length(endpoint: Endpoint) -> str:
    """A span whose ids are not 16 and 8 bytes long is taken, rejected or 400, never the server's fault."""
    seen = []
    for trace_id, span_id in ((b"", b""), (b"1234", b"12"), (bytes(16), bytes(8)), (b"1" * 32, b"1" * 16)):
        answer = endpoint.post("/v1/traces", payload.traces(trace_id=trace_id, span_id=span_id))
        expect(answer.status in (200, 400), f"{len(trace_id)} and {len(span_id)} bytes: {shown(answer)}")
        seen.append(str(answer.status))
    return ", ".join(seen)


@rule("partial-success-1", Level.GOOD)
def text_that_is_no_text(endpoint: Endpoint) -> str:
    """A string that is not UTF-8 is told: by 400, or by 200 with an error_message in partial_success."""
    answer = endpoint.post("/v1/traces", payload.not_utf_8())
    if answer.status == 400:
        return "400"
    found = partial(success(answer, "traces", PROTOBUF))
    expect(found is not None and bool(found[1]), "taken without a word")
    return f"200, {found[1] if found else ''}"


RULES = rules_of(vars())
