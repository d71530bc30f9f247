"""OTLP/HTTP: what is answered to what cannot be taken, now or ever."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from google.rpc.status_pb2 import Status

from sightline_collector.conformance import payload
from sightline_collector.conformance.endpoint import Answer, Endpoint
from sightline_collector.conformance.judging import (
    RETRYABLE,
    bad_request,
    expect,
    is_wait,
    refusal,
    retry_info,
    shown,
    some_refused,
)
from sightline_collector.conformance.payload import JSON, PROTOBUF, TYPES
from sightline_collector.conformance.rule import Broken, Level, NotApplicable, rule, rules_of

BURST = 64
"""Requests at once, to see whether any is told to wait."""
RESPONSE_BYTES_MAX = 4 << 20
_BAD = {PROTOBUF: (b"not a request", b"\x0a\xff"), JSON: (b"{", b"[]", b'{"resourceSpans":7}', b"\xff\xfe")}


def _bad(endpoint: Endpoint) -> list[tuple[str, bytes, Answer]]:
    return [
        (content_type, body, endpoint.post("/v1/traces", body, content_type))
        for content_type, bodies in _BAD.items()
        for body in bodies
    ]


@rule("bad-data", Level.MUST)
def status_400(endpoint: Endpoint) -> str:
    """What cannot be decoded is answered 400, which no client sends again."""
    for content_type, body, answer in _bad(endpoint):
        expect(answer.status == 400, f"{body!r} as {content_type}: {shown(answer)}")
    return "400"


@rule("failures-1", Level.MUST)
def status_message(endpoint: Endpoint) -> str:
    """The body of a 400 is a google.rpc.Status in the request's type."""
    for content_type, _, answer in _bad(endpoint):
        refusal(answer, content_type)
    return "in protobuf and JSON"


@rule("failures-1", Level.SHOULD)
def message_for_developers(endpoint: Endpoint) -> str:
    """The Status of a refusal has a message."""
    said = [refusal(answer, content_type).message for content_type, _, answer in _bad(endpoint)]
    expect(all(said), "an empty message")
    return str(said[0][:80])


@rule("bad-data", Level.SHOULD)
def details(endpoint: Endpoint) -> str:
    """The Status of a 400 carries a BadRequest detail that says what is bad."""
    for content_type, body, answer in _bad(endpoint):
        expect(bad_request(refusal(answer, content_type)), f"none for {body!r} as {content_type}")
    return "BadRequest"


@rule("otlphttp-throttling", Level.GOOD)
def no_wait_for_bad_data(endpoint: Endpoint) -> str:
    """What must not be sent again carries no time to wait."""
    bad = _bad(endpoint)
    some_refused(answer for *_, answer in bad)
    for content_type, body, answer in bad:
        expect("retry-after" not in answer.headers, f"Retry-After for {body!r} as {content_type}")
    return "none"


def _elsewhere(endpoint: Endpoint, content_type: str) -> Answer:
    return endpoint.post("/v1/nothing-is-here", payload.of("traces", content_type), content_type)


@rule("failures-1", Level.MUST)
def unknown_path(endpoint: Endpoint) -> str:
    """The body of a 404 is a google.rpc.Status in the request's type, too."""
    return _each(lambda content_type: _elsewhere(endpoint, content_type))


@rule("rfc9110", Level.GOOD)
def unknown_path_404(endpoint: Endpoint) -> str:
    """Where nothing is served the answer is 404."""
    answer = _elsewhere(endpoint, PROTOBUF)
    expect(answer.status == 404, shown(answer))
    return "404"


def _gotten(endpoint: Endpoint, content_type: str = PROTOBUF) -> Answer:
    with endpoint.kept() as send:
        return send("/v1/traces", b"", content_type, method="GET")


@rule("failures-1", Level.MUST)
def wrong_method(endpoint: Endpoint) -> str:
    """The answer to GET has a google.rpc.Status in the request's type, too."""
    return _each(lambda content_type: _gotten(endpoint, content_type))


@rule("rfc9110", Level.GOOD)
def wrong_method_405(endpoint: Endpoint) -> str:
    """Another method than POST is answered 405, and Allow names POST."""
    answer = _gotten(endpoint)
    expect(answer.status == 405 and "POST" in answer.headers.get("allow", ""), shown(answer))
    return "405, Allow: POST"


def _unspoken(endpoint: Endpoint, content_type: str) -> Answer:
    return endpoint.post("/v1/traces", payload.traces(), content_type)


@rule("failures-1", Level.MUST)
def unknown_type(endpoint: Endpoint) -> str:
    """The answer to a Content-Type that is not OTLP's has a google.rpc.Status."""
    answer = _unspoken(endpoint, "text/plain")
    return f"{answer.status}, {_either(answer).message[:60]}"


@rule("rfc9110", Level.GOOD)
def unknown_type_415(endpoint: Endpoint) -> str:
    """A Content-Type that is not OTLP's, or none, is answered 415 or 400."""
    seen = [_unspoken(endpoint, content_type) for content_type in ("text/plain", "")]
    for answer in seen:
        expect(answer.status in (400, 415), shown(answer))
    return ", ".join(str(answer.status) for answer in seen)


def _packed(endpoint: Endpoint, content_type: str = PROTOBUF) -> Answer:
    body = payload.of("traces", content_type)
    return endpoint.post("/v1/traces", body, content_type, content_encoding="nobodys-encoding")


@rule("failures-1", Level.MUST)
def unknown_encoding(endpoint: Endpoint) -> str:
    """The answer to an unknown Content-Encoding has a google.rpc.Status in the request's type."""
    return _each(lambda content_type: _packed(endpoint, content_type))


@rule("rfc9110", Level.GOOD)
def unknown_encoding_415(endpoint: Endpoint) -> str:
    """An unknown Content-Encoding is answered 415 or 400, never taken as if it were plain."""
    answer = _packed(endpoint)
    expect(answer.status in (400, 415), shown(answer))
    return str(answer.status)


@rule("otlphttp-response", Level.MUST)
def bounded_response(endpoint: Endpoint) -> str:
    """A response stays below 4 MiB, whatever the request held."""
    body = b'{"resourceSpans":"' + b"x" * min(6 << 20, endpoint.limit_bytes // 2) + b'"}'
    answer = endpoint.post("/v1/traces", body, JSON)
    expect(len(answer.body) < RESPONSE_BYTES_MAX, f"{len(answer.body)} bytes")
    return f"{answer.status}, {len(answer.body)} bytes"


def _waiting(endpoint: Endpoint) -> list[tuple[str, Answer]]:
    """The refusals of many requests at once. Raises NotApplicable when there is none."""

    def one(number: int) -> tuple[str, Answer]:
        content_type = TYPES[number % 2]
        return content_type, endpoint.post("/v1/traces", payload.of("traces", content_type), content_type)

    with ThreadPoolExecutor(BURST) as pool:
        found = [(kind, answer) for kind, answer in pool.map(one, range(BURST)) if answer.status >= 400]
    if not found:
        raise NotApplicable(f"of {BURST} requests at once none was refused")
    return found


@rule("otlphttp-throttling", Level.SHOULD)
def retryable_status(endpoint: Endpoint) -> str:
    """Who is overloaded answers 429 or 503: nothing else makes every client send again."""
    found = _waiting(endpoint)
    for _, answer in found:
        expect(answer.status in (429, 503), shown(answer))
    return f"{len(found)} of {BURST}: {found[0][1].status}"


@rule("otlphttp-throttling", Level.MAY)
def retry_after(endpoint: Endpoint) -> str:
    """Retry-After of an overloaded endpoint is seconds or an HTTP date."""
    waits = {answer.headers.get("retry-after") for _, answer in _waiting(endpoint)}
    if waits == {None}:
        raise NotApplicable("no Retry-After")
    for wait in waits:
        expect(wait is not None and is_wait(wait), f"Retry-After: {wait}")
    return f"Retry-After: {', '.join(sorted(map(str, waits)))}"


@rule("otlphttp-throttling", Level.GOOD)
def short_retry_after(endpoint: Endpoint) -> str:
    """Retry-After is 3 seconds at most: OpenTelemetry's exporters give a batch up after 10 s in all."""
    waits = [answer.headers.get("retry-after", "") for _, answer in _waiting(endpoint)]
    if not any(waits):
        raise NotApplicable("no Retry-After")
    expect(all(wait.isdigit() and int(wait) <= 3 for wait in waits), f"Retry-After: {max(waits)}")
    return f"{max(waits)} s"


@rule("failures-1", Level.MUST)
def status_of_overload(endpoint: Endpoint) -> str:
    """The body of a 429, 502, 503 or 504 is a google.rpc.Status in the request's type."""
    found = [(kind, answer) for kind, answer in _waiting(endpoint) if answer.status in RETRYABLE]
    if not found:
        raise NotApplicable("no refusal was 429, 502, 503 or 504")
    said = [refusal(answer, kind) for kind, answer in found]
    waits = [wait for status in said if (wait := retry_info(status))]
    return f"{len(waits)} of {len(said)} with RetryInfo"


def _each(ask: Callable[[str], Answer]) -> str:
    """Refused in both types, with a Status in each."""
    seen = {content_type: ask(content_type) for content_type in TYPES}
    for content_type, answer in seen.items():
        refusal(answer, content_type)
    return ", ".join(str(answer.status) for answer in seen.values())


def _either(answer: Answer) -> Status:
    """The Status in whichever type the answer has."""
    expect(answer.status >= 400, f"not refused: {shown(answer)}")
    for content_type in TYPES:
        try:
            return refusal(answer, content_type)
        except Broken:
            continue
    raise Broken(f"no Status: {shown(answer)}")


RULES = rules_of(vars())
