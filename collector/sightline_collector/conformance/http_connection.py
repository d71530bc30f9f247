"""OTLP/HTTP: connections, heads, and what browsers ask first."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from sightline_collector.conformance import payload
from sightline_collector.conformance.endpoint import Answer, Endpoint, Unanswered
from sightline_collector.conformance.judging import expect, refusal, shown, some_refused, success
from sightline_collector.conformance.payload import JSON, PROTOBUF
from sightline_collector.conformance.rule import Broken, Level, NotApplicable, rule, rules_of

CONCURRENT = 32
LARGE_HEADER_BYTES = 6 << 10
"""A few tokens and a full baggage; most servers allow 8 KiB or more."""
HUGE_HEADER_BYTES = 1 << 20
ORIGIN = "https://app.example.com"


@rule("otlphttp-connection", Level.SHOULD)
def kept_alive(endpoint: Endpoint) -> str:
    """A connection is kept between requests."""
    with endpoint.kept() as send:
        ends = {str(send("/v1/traces", payload.traces()).connection) for _ in range(3)}
    expect(len(ends) == 1, f"3 requests took {len(ends)} connections")
    return "3 requests on one"


@rule("otlphttp-connection", Level.SHOULD)
def kept_after_errors(endpoint: Endpoint) -> str:
    """A connection is kept after a refusal, and the next request on it is answered rightly."""
    with endpoint.kept() as send:
        answers = [
            send("/v1/traces", payload.traces()),
            send("/v1/traces", b"bad"),
            send("/v1/nothing-is-here", payload.traces()),
            send("/v1/traces", payload.traces(), "text/plain"),
            send("/v1/traces", payload.traces(), content_encoding="gzip"),
            send("/v1/traces", payload.traces()),
        ]
    success(answers[-1], "traces", PROTOBUF)
    ends = {str(answer.connection) for answer in answers}
    expect(len(ends) == 1, f"{len(answers)} requests took {len(ends)} connections")
    some_refused(answers)
    return f"{[answer.status for answer in answers]} on one"


@rule("otlphttp-concurrent-requests", Level.MUST)
def concurrent(endpoint: Endpoint) -> str:
    """Requests on many connections at once are all answered."""
    with ThreadPoolExecutor(CONCURRENT) as pool:
        answers = list(
            pool.map(lambda _: endpoint.post("/v1/traces", payload.traces()), range(2 * CONCURRENT))
        )
    for answer in answers:
        expect(answer.status in (200, 429, 503), shown(answer))
    took = sum(answer.status == 200 for answer in answers)
    return f"{took} of {len(answers)} taken, over {CONCURRENT} connections"


@rule("rfc9112", Level.MUST)
def chunked(endpoint: Endpoint) -> str:
    """A body whose length is not told, in chunks, is taken."""
    body = payload.traces()
    success(endpoint.post("/v1/traces", iter((body[:7], body[7:8], body[8:]))), "traces", PROTOBUF)
    return "taken"


def _bare(endpoint: Endpoint, *parts: bytes, wait_for: bytes = b"") -> bytes:
    """What comes back on a bare connection until the end of an answer's head; parts after the first are sent
    once `wait_for` has come."""
    with endpoint.bare() as connection:
        came = b""
        for number, part in enumerate(parts):
            while number and wait_for not in came:
                came += _piece(connection)
            connection.sendall(part)
        while b"\r\n\r\n" not in came.replace(wait_for, b""):
            came += _piece(connection)
        return came


def _piece(connection: socket.socket) -> bytes:
    piece = connection.recv(1 << 16)
    if not piece:
        raise Broken("the connection was closed without an answer")
    return piece


def _head(endpoint: Endpoint, length: int, *more: str) -> bytes:
    host = urlsplit(endpoint.url).netloc
    own = [f"{name}: {value}" for name, value in endpoint.headers.items()]
    base = f"{urlsplit(endpoint.url).path}/v1/traces"
    lines = [
        f"POST {base} HTTP/1.1",
        f"Host: {host}",
        f"Content-Type: {PROTOBUF}",
        f"Content-Length: {length}",
    ]
    return "\r\n".join([*lines, *own, *more, "", ""]).encode()


@rule("rfc9110", Level.MUST)
def expect_100_continue(endpoint: Endpoint) -> str:
    """A sender that waits for 100 Continue, as curl does with large bodies, gets it and then its answer."""
    body = payload.traces()
    going_on = b"HTTP/1.1 100 Continue\r\n\r\n"
    came = _bare(endpoint, _head(endpoint, len(body), "Expect: 100-continue"), body, wait_for=going_on)
    expect(b" 200 " in came.replace(going_on, b"")[:20], came[:60].decode("latin-1"))
    return "100, then 200"


@rule("rfc9112", Level.MUST)
def half_a_body(endpoint: Endpoint) -> str:
    """A sender that goes away in the middle of a body does no harm to the next."""
    body = payload.traces()
    for sent in (b"", body[:5]):
        with endpoint.bare() as connection:
            connection.sendall(_head(endpoint, len(body)) + sent)
    success(endpoint.post("/v1/traces", payload.traces()), "traces", PROTOBUF)
    return "the next is taken"


@rule("rfc9112", Level.MUST)
def one_host(endpoint: Endpoint) -> str:
    """A request of HTTP/1.1 without a Host, with two, or with one that is none, is refused with 400."""
    body = payload.traces()
    head = _head(endpoint, len(body), "Connection: close")
    line = next(line for line in head.split(b"\r\n") if line.startswith(b"Host: ")) + b"\r\n"
    for hosts in (b"", 2 * line, b"Host: not a host/\r\n"):
        came = _bare(endpoint, head.replace(line, hosts) + body)
        expect(came.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 ")), f"{hosts!r}: {came[:30]!r}")
    return "3 times 400"


@rule("rfc9112", Level.GOOD)
def large_headers(endpoint: Endpoint) -> str:
    """Headers of 6 KiB, such as tokens and baggage, are taken."""
    answer = endpoint.post("/v1/traces", payload.traces(), baggage="a=" + "b" * LARGE_HEADER_BYTES)
    success(answer, "traces", PROTOBUF)
    return f"{LARGE_HEADER_BYTES} bytes taken"


@rule("rfc9112", Level.GOOD)
def huge_headers(endpoint: Endpoint) -> str:
    """A head of 1 MiB is cut off, or refused with 4xx."""
    try:
        answer = endpoint.post("/v1/traces", payload.traces(), baggage="a=" + "b" * HUGE_HEADER_BYTES)
    except Unanswered:
        return "cut off"
    expect(400 <= answer.status < 500, shown(answer))
    return str(answer.status)


@rule("rfc9110", Level.MUST)
def type_with_parameters(endpoint: Endpoint) -> str:
    """A Content-Type may have parameters and any case."""
    for content_type in (
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json;charset=UTF-8",
    ):
        answer = endpoint.post("/v1/traces", payload.json_traces(), content_type)
        expect(answer.status == 200, f"{content_type}: {shown(answer)}")
    return "taken"


@rule("rfc9110", Level.MUST)
def offered_upgrade(endpoint: Endpoint) -> str:
    """A sender that offers another protocol, as Java's client does, is answered, and its body is read."""
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAA")
    seen = []
    for body, status in ((b"not a request", b"400"), (payload.traces(), b"200")):
        came = _bare(endpoint, _head(endpoint, len(body), *offer) + body)
        if came.startswith(b"HTTP/1.1 101 "):
            raise NotApplicable("the upgrade is taken")
        expect(came.split(b" ", 2)[1] == status, f"{body[:13]!r}: {came[:30].decode('latin-1')}")
        seen.append(status.decode())
    return " and ".join(seen)


@rule("failures-1", Level.GOOD)
def status_of_no_http(endpoint: Endpoint) -> str:
    """What is no HTTP is cut off, or refused with a google.rpc.Status in the type that its head names."""
    head = _head(endpoint, 0).removesuffix(b"\r\n") + b"no colon\r\n\r\n"
    try:
        came = _to_the_end(endpoint, head)
    except Unanswered:
        return "cut off"
    if not came:
        return "cut off"
    answer = _answer(came)
    return f"{answer.status}, {refusal(answer, PROTOBUF).message[:60]}"


def _to_the_end(endpoint: Endpoint, sent: bytes) -> bytes:
    with endpoint.bare() as connection:
        connection.sendall(sent)
        came = b""
        while piece := connection.recv(1 << 16):
            came += piece
        return came


def _answer(came: bytes) -> Answer:
    head, _, body = came.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":")[::2] for line in lines)
    return Answer(int(first.split()[1]), {name.lower(): value.strip() for name, value in pairs}, body)


@rule("fetch", Level.GOOD)
def cors_preflight(endpoint: Endpoint) -> str:
    """Where pages of an origin may send, OPTIONS is answered with what the browser has to know."""
    with endpoint.kept() as send:
        answer = send(
            "/v1/traces",
            b"",
            "",
            method="OPTIONS",
            origin=ORIGIN,
            access_control_request_method="POST",
            access_control_request_headers="content-type",
        )
    allowed = answer.headers.get("access-control-allow-origin")
    if allowed is None:
        raise NotApplicable(f"no other origin may send: {answer.status}")
    expect(answer.status in (200, 204) and allowed in ("*", ORIGIN), shown(answer))
    methods, headers = (
        answer.headers.get(f"access-control-allow-{name}", "") for name in ("methods", "headers")
    )
    expect("POST" in methods or methods == "*", f"methods: {methods}")
    expect("content-type" in headers.lower() or headers == "*", f"headers: {headers}")
    return f"{answer.status}, {allowed}"


@rule("fetch", Level.GOOD)
def cors_on_every_answer(endpoint: Endpoint) -> str:
    """Where pages of an origin may send, they may read successes and refusals."""
    for body, status in ((payload.json_traces(), 200), (b"{", 400)):
        answer = endpoint.post("/v1/traces", body, JSON, origin=ORIGIN)
        if "access-control-allow-origin" not in answer.headers and status == 200:
            raise NotApplicable("no other origin may send")
        expect("access-control-allow-origin" in answer.headers, f"not on {answer.status}")
    return "on 200 and 400"


RULES = rules_of(vars())
