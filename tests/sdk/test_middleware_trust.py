"""Whose request it is, and whom the middleware believes."""

import asyncio
import logging
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.telemetry import TelemetryConfig
from flask import Flask
from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from sdk.servers import OtlpSink, attributes_of
from sdk.web import CALLER, TRACE, UNSAMPLED, ask, request_span
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import sightline
from sightline import _runtime
from sightline.middleware import ASGIMiddleware, WSGIMiddleware, cookie, header, identify
from sightline.testing import Captured

# FastAPI observes itself, too, once some test has set up OpenTelemetry.
QUIET: TelemetryConfig = {"tracing": False}
CLAIMS = {"traceparent": UNSAMPLED, "baggage": "user.id=somebody,sightline.feature=theirs"}


def service(telemetry: Any = QUIET, **options: Any) -> FastAPI:
    app = FastAPI(telemetry=telemetry)

    @app.get("/chats/{number}")
    def chat(number: int) -> int:
        with sightline.stage("work"):
            return number

    app.add_middleware(ASGIMiddleware, **options)
    return app


def test_a_callers_trace_is_continued_and_no_more_is_believed(seen: Captured) -> None:
    """By default a stranger neither says who the user is, nor keeps the request from being recorded."""
    ask(service(), "GET /chats/1", headers=CLAIMS)
    span = request_span(seen)
    assert (span.trace_id, span.parent_span_id) == (TRACE, CALLER)
    assert "user.id" not in span.attributes
    assert seen.span("work").attributes["sightline.feature"] == "/chats/{number}"


def test_a_trusted_callers_word_counts(seen: Captured) -> None:
    """Behind a gateway of one's own, the headers say the user, the feature, and what the trace is."""
    headers = {**CLAIMS, "traceparent": UNSAMPLED[:-1] + "1"}
    ask(service(trust_incoming=True), "GET /chats/1", headers=headers)
    for span in (request_span(seen), seen.span("work")):
        assert span.trace_id == TRACE
        assert (span.attributes["user.id"], span.attributes["sightline.feature"]) == ("somebody", "theirs")


def test_a_trusted_caller_decides_what_is_sampled(seen: Captured) -> None:
    """Whoever sampled the trace away upstream has sampled it away here."""
    assert ask(service(trust_incoming=True), "GET /chats/1", headers=CLAIMS)[0].status_code == 200
    assert seen.spans == []


def test_the_open_internet_begins_traces_of_its_own(sink: OtlpSink) -> None:
    """Without trust a new trace begins, which links to what the caller said."""
    sightline.init("web", sink.url, instrument=False)
    app = Flask("web")
    app.wsgi_app = WSGIMiddleware(app.wsgi_app, trust_incoming=False)  # type: ignore[method-assign]
    app.route("/chats")(lambda: "ok")
    app.test_client().get("/chats", headers=CLAIMS)
    assert sightline.flush()
    (span,) = sink.spans
    assert span.trace_id.hex() != TRACE
    assert span.parent_span_id == b""
    assert [(link.trace_id.hex(), link.span_id.hex()) for link in span.links] == [(TRACE, CALLER)]


def observed(app: Any) -> Any:
    """The application, wrapped by OpenTelemetry's instrumentation."""
    wrapped = OpenTelemetryMiddleware(app, exclude_spans=["receive", "send"])
    wrapped.tracer = _runtime.current.tracer
    return wrapped


def test_below_anothers_server_span_ours_is_internal(seen: Captured) -> None:
    """A request has one SERVER span: OpenTelemetry's, where it wraps the application outside of ours."""
    ask(observed(service()), "GET /chats/1", headers={"traceparent": UNSAMPLED[:-1] + "1"})
    (server,) = [span for span in seen.spans if span.kind == "server"]
    assert (server.trace_id, server.parent_span_id) == (TRACE, CALLER)
    ours = request_span(seen)
    assert (ours.name, ours.kind, ours.parent_span_id) == ("GET /chats/{number}", "internal", server.span_id)


def test_a_request_that_was_not_sampled_outside_is_not_sampled_here(seen: Captured) -> None:
    """One decision a request: what the instrumentation around us leaves out, we leave out."""
    app = observed(service())
    app.tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("theirs")
    assert ask(app, "GET /chats/1", headers={"traceparent": UNSAMPLED})[0].json() == 1
    assert seen.spans == []


def test_an_instrumentation_inside_hangs_below_ours(seen: Captured) -> None:
    """What begins from the headers once more inside finds our span there, and not the caller's."""
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse(request.headers["traceparent"]))])
    (answer,) = ask(ASGIMiddleware(observed(app)), "GET /", headers={"traceparent": UNSAMPLED})
    ours = request_span(seen)
    assert ours.parent_span_id == CALLER
    assert answer.text == f"00-{TRACE}-{ours.span_id}-01"
    assert {span.parent_span_id for span in seen.spans if span is not ours} == {ours.span_id}


def test_fastapis_own_server_span_stays_the_only_one(sink: OtlpSink) -> None:
    """FastAPI observes itself once OpenTelemetry is set up; our span is a workflow below its span."""
    sightline.init("web", sink.url, instrument=False)
    ask(service(None, user=header("x-user")), "GET /chats/1", headers={"x-user": "u1"})
    assert sightline.flush()
    by_kind: dict[int, list[Any]] = {}
    for span in sink.spans:
        by_kind.setdefault(span.kind, []).append(span)
    (server,) = by_kind[trace.SpanKind.SERVER.value + 1]
    (ours,) = [
        span for span in sink.spans if "sightline.operation" in attributes_of(span) and span.name != "work"
    ]
    assert ours.name == "GET /chats/{number}"
    assert ours.parent_span_id == server.span_id
    assert len({span.trace_id for span in sink.spans}) == 1
    (work,) = [span for span in sink.spans if span.name == "work"]
    assert attributes_of(work)["user.id"] == "u1"


def test_around_fastapi_ours_is_the_only_server_span(sink: OtlpSink) -> None:
    """FastAPI's own telemetry would lose what the request carries: it is told to leave the request to us."""
    sightline.init("web", sink.url, instrument=False)
    app = FastAPI()

    @app.get("/chats/{number}")
    def chat(number: int) -> None:
        with sightline.stage("work"):
            pass

    ask(ASGIMiddleware(app, user=header("x-user")), "GET /chats/1", headers={"x-user": "u1"})
    assert sightline.flush()
    work, ours = sink.spans
    assert (ours.name, work.parent_span_id) == ("GET /chats/{number}", ours.span_id)
    assert attributes_of(work)["user.id"] == "u1"


def test_the_application_says_who_it_is_once_it_knows(seen: Captured) -> None:
    """What a dependency finds out is on the request's span, and on all that start afterwards."""
    app = FastAPI(telemetry=QUIET)

    def signed_in() -> None:
        with sightline.stage("checking"):
            pass
        identify(user_id=7, session_id="s1", feature="support")

    @app.get("/chat", dependencies=[Depends(signed_in)])
    async def chat() -> None:
        with sightline.stage("work"):
            pass

    ask(ASGIMiddleware(app), "GET /chat")
    said = {
        "user.id": "7",
        "session.id": "s1",
        "gen_ai.conversation.id": "s1",
        "sightline.feature": "support",
    }
    for span in (request_span(seen), seen.span("work")):
        assert said.items() <= span.attributes.items()
    assert "user.id" not in seen.span("checking").attributes


def test_outside_of_a_request_nobody_is_identified(seen: Captured) -> None:
    """A function that is called by a job, too, may say who it works for without a request around it."""
    identify(user_id="u1")
    with sightline.stage("job"):
        pass
    assert "user.id" not in seen.span("job").attributes


def test_cookies_and_credentials_leave_as_digests(seen: Captured) -> None:
    """Who holds a session's cookie or a key is logged in: equal ones stay equal, and cannot be used."""
    app = service(user=header("Authorization"), session=cookie("sid"))
    ask(app, "GET /chats/1", headers={"authorization": "Bearer abc", "cookie": "a=b; sid=secret; c=d"})
    values = request_span(seen).attributes
    assert (values["user.id"], values["session.id"]) == ("c355dce96c161288", "2bb80d537b1da3e3")


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("support", "support"),
        (False, None),
        (lambda scope: scope["path"][1:6], "chats"),
        (lambda scope: None, None),
    ],
)
def test_a_feature_may_be_said_otherwise(seen: Captured, feature: Any, expected: str | None) -> None:
    """A name, a function of the request, or none at all, in place of the route."""
    ask(service(feature=feature), "GET /chats/1")
    assert request_span(seen).attributes.get("sightline.feature") == expected
    assert seen.span("work").attributes.get("sightline.feature") == expected


def test_excluded_paths_get_no_span(seen: Captured) -> None:
    """Health checks are no work: shell patterns say which paths are left alone."""
    app = service(exclude=("/health*", "/chats/2"))
    for path in ("/healthz", "/health/live", "/chats/2"):
        ask(app, f"GET {path}")
    assert [span.name for span in seen.spans] == ["work"]


def test_secrets_in_urls_stay_here(seen: Captured) -> None:
    """The path is masked and the query left out; asked for, it comes without what looks like a secret."""
    key = "sk-proj-" + "a1B2" * 10
    ask(service(query=True), f"GET /chats/{key}?page=2&access_token=abc&q={key}")
    ask(service(), "GET /chats/1?page=2")
    first, second = [span.attributes for span in seen.spans if "url.path" in span.attributes]
    assert key not in first["url.path"]
    assert first["url.query"].startswith("page=2&access_token=REDACTED&q=[")
    assert key not in first["url.query"]
    assert "url.query" not in second


def test_parameters_are_judged_by_their_names(seen: Captured) -> None:
    """What may let somebody in is cut out, however it is spelled; words that only look so are not."""
    ask(service(query=True), "GET /chats/1?apiKey=a&mykey=b&passcode=c&sig=d&SessionId=e&monkey=f&author=g")
    query = next(span.attributes["url.query"] for span in seen.spans if "url.query" in span.attributes)
    kept = {pair.split("=")[0] for pair in query.split("&") if not pair.endswith("=REDACTED")}
    assert kept == {"monkey", "author"}


def test_what_a_caller_sends_has_bounds(seen: Captured) -> None:
    """Nobody fills the store with a header or a URL: each is cut, and the request is served."""
    endless = "x" * 20_000
    app = service(user=header("x-user"), query=True)
    assert ask(app, f"GET /{endless}?a={endless}", headers={"x-user": endless})[0].status_code == 404
    values = request_span(seen).attributes
    lengths = {name: len(values[name]) for name in ("user.id", "url.path", "url.query")}
    assert lengths == {"user.id": 256, "url.path": 2_048, "url.query": 2_048}


def test_headers_that_make_no_sense_are_no_fault(seen: Captured) -> None:
    """Broken bytes, cookies, traces and baggage: a new trace begins, for nobody."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    async def send(message: Any) -> None:
        pass

    broken = [
        (b"\xff", b"\xff"),
        (b"cookie", b"\x00=;;=\xff; sid"),
        (b"traceparent", b"00-zz"),
        (b"baggage", b"%,="),
    ]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/\ud800",
        "headers": broken,
        "query_string": b"\xff%ff&&=",
    }
    asked = ASGIMiddleware(app, session=cookie("sid"), trust_incoming=True, query=True)
    asyncio.run(asked(scope, None, send))  # type: ignore[arg-type]
    span = request_span(seen)
    assert (span.parent_span_id, span.attributes.get("session.id")) == (None, None)


def test_a_failing_function_of_the_user_costs_the_user_only(
    seen: Captured, caplog: pytest.LogCaptureFixture
) -> None:
    """The request goes on, without a user, and a warning says why."""

    def broken(scope: Any) -> str:
        raise KeyError("user")

    with caplog.at_level(logging.WARNING, "sightline"):
        assert ask(service(user=broken), "GET /chats/1")[0].status_code == 200
    assert "user.id" not in request_span(seen).attributes
    assert "A function given to the middleware failed" in caplog.text


def test_without_init_a_request_is_served_as_ever() -> None:
    """Before sightline.init(), and beside an application that never calls it, nothing is recorded."""
    assert ask(service(user=header("x-user")), "GET /chats/1")[0].json() == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"trust_incoming": "yes"}, "trust_incoming is 'yes'"),
        ({"user": "x-user-id"}, "user is 'x-user-id'"),
        ({"session": 3}, "session is 3; give a function of the request, header"),
        ({"route": "/chats"}, "route is '/chats'; give a function of the request$"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options: dict[str, Any], words: str) -> None:
    """The message names the option, what it was given, and what it may be."""
    with pytest.raises(sightline.ConfigurationError, match=words):
        ASGIMiddleware(FastAPI(), **options)
