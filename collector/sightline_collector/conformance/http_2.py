"""OTLP/HTTP over HTTP/2: with prior knowledge, and by ALPN where there is TLS."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from h2.config import H2Configuration
from h2.connection import H2Connection

from sightline_collector.conformance import payload
from sightline_collector.conformance.endpoint import Answer, Endpoint, Post, Unanswered
from sightline_collector.conformance.judging import expect, refusal, shown, success
from sightline_collector.conformance.payload import JSON, PROTOBUF, SIGNALS, TYPES
from sightline_collector.conformance.rule import Level, NotApplicable, rule, rules_of

STREAMS = 32
"""At once on one connection: every server allows 100."""
BEYOND_WINDOWS_BYTES = 300 << 10
"""HTTP/2's own window has 64 KiB: such a body waits for updates."""
RESETS = 3000


def _over_2(endpoint: Endpoint, use: Callable[[Post], list[Answer]]) -> list[Answer]:
    """The answers over HTTP/2. Raises NotApplicable where it is not spoken."""
    try:
        with endpoint.kept(http_2=True) as send:
            send("/v1/traces", b"")
    except Unanswered:
        raise NotApplicable("HTTP/1.1 alone") from None
    with endpoint.kept(http_2=True) as send:
        return use(send)


@rule("rfc9113", Level.MAY)
def http_2(endpoint: Endpoint) -> str:
    """HTTP/2 is spoken to who begins with it, and answers every signal in both types."""
    cases = [(signal, content_type) for signal in SIGNALS for content_type in TYPES]
    answers = _over_2(endpoint, lambda send: [send(f"/v1/{s}", payload.of(s, t), t) for s, t in cases])
    for answer, (signal, content_type) in zip(answers, cases, strict=True):
        success(answer, signal, content_type)
    return "200"


@rule("failures-1", Level.MUST)
def status_over_http_2(endpoint: Endpoint) -> str:
    """Over HTTP/2, too, the body of a refusal is a google.rpc.Status in the request's type."""
    cases = [(path, content_type) for path in ("/v1/traces", "/v1/nothing-is-here") for content_type in TYPES]
    answers = _over_2(endpoint, lambda send: [send(path, b"{bad", t) for path, t in cases])
    for answer, (_, content_type) in zip(answers, cases, strict=True):
        refusal(answer, content_type)
    return ", ".join(str(answer.status) for answer in answers)


@rule("rfc9113", Level.MUST)
def http_2_windows(endpoint: Endpoint) -> str:
    """A body larger than HTTP/2's first window is taken: the window opens again."""
    body = payload.filled(min(BEYOND_WINDOWS_BYTES, endpoint.limit_bytes // 2))
    [answer] = _over_2(endpoint, lambda send: [send("/v1/traces", body)])
    success(answer, "traces", PROTOBUF)
    return f"{len(body)} bytes taken"


@rule("otlphttp-concurrent-requests", Level.MUST)
def http_2_streams(endpoint: Endpoint) -> str:
    """Many requests at once on one connection over HTTP/2 are all answered."""

    def at_once(send: Post) -> list[Answer]:
        with ThreadPoolExecutor(STREAMS) as pool:
            return list(pool.map(lambda _: send("/v1/traces", payload.traces()), range(2 * STREAMS)))

    answers = _over_2(endpoint, at_once)
    for answer in answers:
        expect(answer.status in (200, 429, 503), shown(answer))
    took = sum(answer.status == 200 for answer in answers)
    return f"{took} of {len(answers)} taken, on one connection"


@rule("rfc9113", Level.GOOD)
def http_2_rapid_reset(endpoint: Endpoint) -> str:
    """Who begins and resets streams without end is cut off, and the next is answered (CVE-2023-44487)."""
    if endpoint.is_tls:
        raise NotApplicable("only tried without TLS")
    _over_2(endpoint, lambda send: [send("/v1/traces", b"")])
    peer = H2Connection(H2Configuration(client_side=True))
    peer.initiate_connection()
    head = [(":method", "POST"), (":path", "/v1/traces"), (":scheme", "http"), (":authority", "localhost")]
    cut_off = False
    with endpoint.bare() as connection:
        try:
            for _ in range(RESETS):
                stream_id = peer.get_next_available_stream_id()
                peer.send_headers(stream_id, head)
                peer.reset_stream(stream_id)
                connection.sendall(peer.data_to_send())
            connection.settimeout(1)
            while connection.recv(1 << 16):
                pass
            cut_off = True
        except TimeoutError:
            pass
        except OSError:
            cut_off = True
    success(endpoint.post("/v1/traces", payload.of("traces", JSON), JSON), "traces", JSON)
    expect(cut_off, f"{RESETS} resets were taken")
    return "cut off"


RULES = rules_of(vars())
