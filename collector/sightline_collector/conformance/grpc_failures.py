"""OTLP/gRPC: what is answered to what cannot be taken, now or ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc

from sightline_collector.conformance import payload
from sightline_collector.conformance.endpoint import TRACES, Endpoint, Reply
from sightline_collector.conformance.judging import (
    PYTHON_TRAILER,
    RETRYABLE_CODES,
    bad_request,
    expect,
    may_be_sent_again,
    retry_info,
    said,
    status_of,
    taken,
)
from sightline_collector.conformance.rule import Level, NotApplicable, rule, rules_of

OVER_BYTES = 1 << 20
BOMB_FACTOR = 4
BURST = 64


@rule("failures", Level.MUST)
def bad_data_not_retryable(endpoint: Endpoint) -> str:
    """What cannot be decoded is answered with a code that is not sent again."""
    reply = endpoint.call(TRACES, b"not a request")
    expect(reply.code is not grpc.StatusCode.OK and reply.code not in RETRYABLE_CODES, said(reply))
    return said(reply)


@rule("failures", Level.SHOULD)
def bad_data_invalid_argument(endpoint: Endpoint) -> str:
    """What cannot be decoded is answered INVALID_ARGUMENT."""
    reply = endpoint.call(TRACES, b"not a request")
    expect(reply.code is grpc.StatusCode.INVALID_ARGUMENT, said(reply))
    return str(reply.code.name)


@rule("failures", Level.MAY)
def bad_data_details(endpoint: Endpoint) -> str:
    """A BadRequest detail says what is bad."""
    if not bad_request(status_of(endpoint.call(TRACES, b"not a request"))):
        raise NotApplicable("no details")
    return "BadRequest"


@rule("otlpgrpc-request", Level.SHOULD)
def grpc_up_to_the_limit(endpoint: Endpoint) -> str:
    """A message of nine tenths of the limit is taken: 64 MiB are recommended."""
    size_bytes = endpoint.limit_bytes * 9 // 10
    taken(endpoint.call(TRACES, payload.filled(size_bytes)), f"{size_bytes} bytes")
    return f"{size_bytes} bytes taken"


def _exhausted(reply: Reply) -> str:
    expect(reply.code is grpc.StatusCode.RESOURCE_EXHAUSTED, said(reply))
    told_to_wait = retry_info(status_of(reply)) or PYTHON_TRAILER in reply.trailers
    expect(not told_to_wait, "RESOURCE_EXHAUSTED with RetryInfo, which makes it retryable")
    return "RESOURCE_EXHAUSTED, no RetryInfo"


@rule("otlpgrpc-request", Level.MUST)
def grpc_over_the_limit(endpoint: Endpoint) -> str:
    """A message beyond the limit is answered RESOURCE_EXHAUSTED, as an error that is not retried."""
    return _exhausted(endpoint.call(TRACES, payload.filled(endpoint.limit_bytes + OVER_BYTES)))


@rule("otlpgrpc-request", Level.MUST)
def grpc_over_the_limit_inflated(endpoint: Endpoint) -> str:
    """A message that inflates beyond the limit is answered RESOURCE_EXHAUSTED, not to be retried."""
    body = payload.filled(endpoint.limit_bytes + OVER_BYTES)
    return _exhausted(endpoint.call(TRACES, body, grpc.Compression.Gzip))


@rule("otlpgrpc-request", Level.MUST)
def grpc_bomb(endpoint: Endpoint) -> str:
    """A small message that inflates to four times the limit is answered RESOURCE_EXHAUSTED."""
    return _exhausted(
        endpoint.call(TRACES, payload.padded(endpoint.limit_bytes * BOMB_FACTOR), grpc.Compression.Gzip)
    )


def _waiting(endpoint: Endpoint) -> list[Reply]:
    """The replies that tell a sender to wait, of many calls at once."""
    with endpoint.channel() as call, ThreadPoolExecutor(BURST) as pool:
        replies = list(pool.map(lambda _: call(TRACES, payload.traces()), range(BURST)))
    found = [reply for reply in replies if reply.code is not grpc.StatusCode.OK]
    if not found:
        raise NotApplicable(f"{BURST} calls at once were all taken")
    return found


@rule("otlpgrpc-throttling", Level.SHOULD)
def unavailable(endpoint: Endpoint) -> str:
    """Who is overloaded answers UNAVAILABLE, or RESOURCE_EXHAUSTED with RetryInfo."""
    found = _waiting(endpoint)
    for reply in found:
        expect(may_be_sent_again(reply), said(reply))
    return f"{len(found)} of {BURST}: {found[0].code.name}"


@rule("otlpgrpc-throttling", Level.MAY)
def time_to_wait(endpoint: Endpoint) -> str:
    """RetryInfo says how long to wait, longer than no time."""
    waits = [retry_info(status_of(reply)) for reply in _waiting(endpoint)]
    if not any(waits):
        raise NotApplicable("no RetryInfo")
    expect(all(wait and wait.retry_delay.ToMilliseconds() > 0 for wait in waits), "not with each, or none")
    return f"{max(wait.retry_delay.ToMilliseconds() for wait in waits if wait)} ms"


@rule("otlpgrpc-throttling", Level.GOOD)
def time_to_wait_for_python(endpoint: Endpoint) -> str:
    """The time to wait also stands where OpenTelemetry's Python exporter looks for it."""
    found = _waiting(endpoint)
    if not any(retry_info(status_of(reply)) for reply in found):
        raise NotApplicable("no RetryInfo")
    expect(all(PYTHON_TRAILER in reply.trailers for reply in found), "only in the status")
    return PYTHON_TRAILER


RULES = rules_of(vars())
