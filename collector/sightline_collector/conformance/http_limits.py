"""OTLP/HTTP: compression, and how much one request may be."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import zstandard

from sightline_collector.conformance import payload
from sightline_collector.conformance.endpoint import Answer, Endpoint
from sightline_collector.conformance.judging import RETRYABLE, expect, refusal, shown, some_refused, success
from sightline_collector.conformance.payload import JSON, PROTOBUF, SIGNALS
from sightline_collector.conformance.rule import Level, NotApplicable, rule, rules_of

OVER_BYTES = 1 << 20
"""Beyond the limit, so that it does not matter what a receiver counts."""
BOMB_FACTOR = 16
"""Times the limit: 1 GiB where the limit is the recommended one."""
_CHUNK_BYTES = 64 << 10


@rule("protocol-details", Level.MUST)
def gzip_or_none(endpoint: Endpoint) -> str:
    """A request may come plain or as gzip, in protobuf and in JSON."""
    for signal in SIGNALS:
        for content_type in (PROTOBUF, JSON):
            body = payload.gzipped(payload.of(signal, content_type))
            answer = endpoint.post(f"/v1/{signal}", body, content_type, content_encoding="gzip")
            success(answer, signal, content_type)
    return "taken"


@rule("protocol-details", Level.MUST)
def gzip_that_is_none(endpoint: Endpoint) -> str:
    """A body that is not of its encoding, or ends too early, is bad data: 400."""
    whole = payload.gzipped(payload.traces())
    for body in (payload.traces(), whole[:-9], whole[:3]):
        answer = endpoint.post("/v1/traces", body, content_encoding="gzip")
        expect(answer.status == 400, f"{body[:20]!r}: {shown(answer)}")
    return "400"


def _offered(endpoint: Endpoint, encoding: str, body: bytes) -> str:
    answer = endpoint.post("/v1/traces", body, content_encoding=encoding)
    if answer.status in (400, 415):
        raise NotApplicable(f"not spoken: {answer.status}")
    success(answer, "traces", PROTOBUF)
    return "taken"


@rule("rfc9110", Level.GOOD)
def deflate(endpoint: Endpoint) -> str:
    """deflate, which OpenTelemetry's Python exporter can send, is taken or refused by name."""
    return _offered(endpoint, "deflate", zlib.compress(payload.traces()))


@rule("rfc9110", Level.GOOD)
def zstd(endpoint: Endpoint) -> str:
    """zstd, which the OpenTelemetry Collector can send, is taken or refused by name."""
    return _offered(endpoint, "zstd", zstandard.compress(payload.traces()))


@rule("otlphttp-request", Level.SHOULD)
def up_to_the_limit(endpoint: Endpoint) -> str:
    """A request of nine tenths of the limit is taken: 64 MiB are recommended."""
    size_bytes = endpoint.limit_bytes * 9 // 10
    answer = endpoint.post("/v1/traces", payload.filled(size_bytes))
    expect(answer.status == 200, f"{size_bytes} bytes: {shown(answer)}")
    return f"{size_bytes} bytes taken"


def _filled(endpoint: Endpoint) -> Answer:
    return endpoint.post("/v1/traces", payload.filled(endpoint.limit_bytes + OVER_BYTES))


def _too_large(answer: Answer) -> str:
    expect(answer.status == 413, shown(answer))
    return "413"


@rule("otlphttp-request", Level.MUST)
def over_the_limit(endpoint: Endpoint) -> str:
    """A body beyond the limit is answered 413."""
    return _too_large(_filled(endpoint))


@rule("failures-1", Level.MUST)
def status_of_too_large(endpoint: Endpoint) -> str:
    """The answer to a body beyond the limit has a google.rpc.Status in the request's type."""
    return str(refusal(_filled(endpoint), PROTOBUF).message[:80])


@rule("otlphttp-request", Level.MUST)
def over_the_limit_in_chunks(endpoint: Endpoint) -> str:
    """A body beyond the limit whose length is not told is answered 413, too."""
    body = payload.filled(endpoint.limit_bytes + OVER_BYTES)

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(body), _CHUNK_BYTES):
            yield body[start : start + _CHUNK_BYTES]

    return _too_large(endpoint.post("/v1/traces", chunks()))


@rule("otlphttp-request", Level.MUST)
def over_the_limit_inflated(endpoint: Endpoint) -> str:
    """A body that is below the limit and inflates beyond it is answered 413."""
    body = payload.gzipped(payload.filled(endpoint.limit_bytes + OVER_BYTES))
    return _too_large(endpoint.post("/v1/traces", body, content_encoding="gzip"))


@rule("otlphttp-request", Level.MUST)
def bomb(endpoint: Endpoint) -> str:
    """A small body that inflates a thousandfold, to sixteen times the limit, is answered 413."""
    body = payload.bomb(endpoint.limit_bytes * BOMB_FACTOR)
    return _too_large(endpoint.post("/v1/traces", body, content_encoding="gzip"))


@rule("otlphttp-request", Level.MUST)
def not_to_be_sent_again(endpoint: Endpoint) -> str:
    """What is too large is refused for good: no status that is retried, no Retry-After."""
    answer = _filled(endpoint)
    some_refused([answer])
    expect(answer.status not in RETRYABLE and "retry-after" not in answer.headers, shown(answer))
    return str(answer.status)


RULES = rules_of(vars())
