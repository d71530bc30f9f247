"""One span a request of an ASGI application: what it says, where it hangs, when it ends."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse
from sdk.web import (
    ask,
    attributes_of_request,
    browser,
    children_of,
    request_span,
    request_spans,
    uvicorn_serving,
)
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

import sightline
from sightline.middleware import ASGIMiddleware, header
from sightline.testing import Captured


@sightline.agent
def answer(number: int) -> str:
    return str(number)


def service(telemetry: Any = None) -> FastAPI:
    """A FastAPI service with a router, a mounted application, and ways to fail."""
    app = FastAPI(telemetry=telemetry)
    chats = APIRouter(prefix="/v1")

    @chats.post("/chats/{number}")
    def chat(number: int) -> str:
        return answer(number)

    app.include_router(chats)
    inner = FastAPI()

    @inner.get("/deep/{number}")
    async def deep(number: int) -> str:
        return answer(number)

    app.mount("/tenants/{tenant}", inner)

    @app.get("/busy")
    def busy() -> JSONResponse:
        return JSONResponse({}, 503)

    @app.get("/fails")
    async def fails() -> None:
        raise LookupError("not here")

    return app


def stars(tmp: str) -> Starlette:
    async def page(request: Any) -> PlainTextResponse:
        answer(1)
        return PlainTextResponse("page")

    return Starlette(
        routes=[
            Route("/pages/{name}", page),
            Mount("/shops/{shop}", routes=[Route("/pages/{name}", page)]),
            Mount("/static", StaticFiles(directory=tmp)),
            Mount("/plain", routes=[Route("/", page)]),
        ]
    )


def test_a_request_is_one_workflow_span(seen: Captured) -> None:
    """It says method, route, path and status, and what the application does hangs below it."""
    app = ASGIMiddleware(service(), user=header("x-user"), session=header("x-session"))
    (response,) = ask(app, "POST /v1/chats/7?key=k", headers={"x-user": "u1", "x-session": "s1"})
    assert response.json() == "7"
    span = request_span(seen)
    assert (span.name, span.kind, span.status) == ("POST /v1/chats/{number}", "server", "unset")
    whose = {"session.id": "s1", "gen_ai.conversation.id": "s1"}
    assert span.attributes == attributes_of_request("/v1/chats/{number}", **whose)
    child = seen.span("invoke_agent answer")
    assert child.parent_span_id == span.span_id
    carried = ("user.id", "session.id", "sightline.feature")
    assert {name: child.attributes[name] for name in carried} == {
        name: span.attributes[name] for name in carried
    }


@pytest.mark.parametrize("telemetry", [None, {"tracing": False}])
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("POST /v1/chats/7", "POST /v1/chats/{number}"),
        ("GET /tenants/acme/deep/7", "GET /tenants/{tenant}/deep/{number}"),
        ("GET /nowhere/7", "GET"),
        ("BREW /v1/chats/7", "HTTP /v1/chats/{number}"),
    ],
)
def test_fastapis_routes_are_named_whole(
    seen: Captured, telemetry: Any, inside: bool, asked: str, name: str
) -> None:
    """Prefixes of routers and mounts belong to the template; without a route the method is the name."""
    app: Any = service(telemetry)
    if inside:
        app.add_middleware(ASGIMiddleware)
    else:
        app = ASGIMiddleware(app)
    ask(app, asked)
    assert request_span(seen).name == name


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/pages/a", "/pages/{name}"),
        ("/shops/s1/pages/a", "/shops/{shop}/pages/{name}"),
        ("/shops/pages/pages/a", "/shops/{shop}/pages/{name}"),
        ("/static/logo.png", "/static/{path}"),
        ("/plain/", "/plain/"),
        ("/nowhere", None),
    ],
)
def test_starlettes_routes_are_named_whole(
    seen: Captured, tmp_path: Any, path: str, route: str | None
) -> None:
    """Mounts belong to the template, their parameters by name and not by value."""
    ask(ASGIMiddleware(stars(str(tmp_path))), f"GET {path}")
    assert request_span(seen).attributes.get("http.route") == route


def test_a_failure_is_an_error_and_passes_unchanged(seen: Captured) -> None:
    """An exception before the answer is recorded with the status that the server answers with."""
    raised = LookupError("not here")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise raised

    async def call() -> None:
        await ASGIMiddleware(app)({"type": "http", "method": "GET", "path": "/"}, None, None)  # type: ignore[arg-type]

    with pytest.raises(LookupError) as caught:
        asyncio.run(call())
    assert caught.value is raised
    span = request_span(seen)
    assert (span.status, span.status_message) == ("error", "not here")
    assert span.attributes["error.type"] == "LookupError"
    assert span.attributes["http.response.status_code"] == 500


@pytest.mark.parametrize("inside", [True, False])
def test_an_exception_that_a_framework_answers_for_keeps_its_type(seen: Captured, inside: bool) -> None:
    """Inside the framework or around it: the span knows the exception, not only its status."""
    app: Any = service()
    if inside:
        app.add_middleware(ASGIMiddleware)
    else:
        app = ASGIMiddleware(app)
    assert ask(app, "GET /fails")[0].status_code == 500
    values = request_span(seen).attributes
    assert (values["error.type"], values["http.response.status_code"]) == ("LookupError", 500)


def test_only_the_servers_own_failures_are_errors(seen: Captured) -> None:
    """A status of 500 and more is an error named by it; a client's mistake is none."""
    ask(ASGIMiddleware(service()), "GET /busy", "GET /nowhere")
    busy, lost = request_spans(seen)
    assert (busy.status, busy.attributes["error.type"]) == ("error", "503")
    assert (lost.status, lost.attributes["http.response.status_code"]) == ("unset", 404)


def stream_of(pieces: Callable[[], Any], **options: Any) -> ASGIMiddleware:
    app = FastAPI()
    app.get("/stream")(lambda: StreamingResponse(pieces()))
    return ASGIMiddleware(app, **options)


def in_threads() -> Iterator[str]:
    for number in range(3):
        yield answer(number)


async def in_tasks() -> AsyncIterator[str]:
    for number in range(3):
        yield answer(number)


@pytest.mark.parametrize("pieces", [in_threads, in_tasks])
def test_what_a_streamed_answer_does_is_the_requests(seen: Captured, pieces: Any) -> None:
    """Generators run in a thread pool or in the loop; either way their work hangs below the request."""
    assert ask(stream_of(pieces), "GET /stream")[0].text == "012"
    span = request_span(seen)
    assert [other.parent_span_id for other in seen.spans] == [span.span_id] * 3 + [None]
    assert seen.spans[-1] is span
    assert {other.attributes["sightline.feature"] for other in seen.spans} == {"/stream"}


def test_a_stream_that_breaks_is_an_error(seen: Captured) -> None:
    """The status was sent already and stays; what broke the stream is the error."""

    def pieces() -> Iterator[str]:
        yield "a"
        raise OverflowError("too much")

    ask(stream_of(pieces), "GET /stream")
    span = request_span(seen)
    assert (span.status, span.attributes["error.type"]) == ("error", "OverflowError")
    assert span.attributes["http.response.status_code"] == 200


@pytest.mark.parametrize("is_async", [True, False])
def test_a_client_that_leaves_is_no_error(
    seen: Captured, until: Callable[[Callable[[], object]], None], is_async: bool
) -> None:
    """Over a real socket: a stream without end ends with its reader, marked, and without an error."""

    async def for_ever() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0.001)

    def in_thread() -> Iterator[bytes]:
        while True:
            yield b"x" * 100_000

    app = stream_of(for_ever if is_async else in_thread)
    with uvicorn_serving(app) as url, httpx.Client() as client:
        with client.stream("GET", f"{url}/stream") as response:
            next(response.iter_raw())
        until(lambda: seen.spans)
    span = request_span(seen)
    assert span.status == "unset"
    assert span.attributes["sightline.http.client_gone"] is True
    assert "error.type" not in span.attributes


def test_the_span_ends_with_the_last_byte(seen: Captured) -> None:
    """A background task runs when the request is over, and still belongs to it."""
    over_before: list[int] = []

    def afterwards() -> None:
        over_before.append(len(seen.spans))
        answer(1)

    app = Starlette(
        routes=[Route("/", lambda request: PlainTextResponse("ok", background=BackgroundTask(afterwards)))]
    )
    ask(ASGIMiddleware(app), "GET /")
    assert over_before == [1]
    assert children_of(seen, request_span(seen)) == {"invoke_agent answer"}


def test_requests_at_the_same_time_are_kept_apart(seen: Captured) -> None:
    """Two users at once are never mixed: each one's work carries that user and hangs below that request."""
    app = FastAPI()
    everybody = asyncio.Barrier(20)

    @app.get("/chat/{number}")
    async def chat(number: int) -> str:
        await everybody.wait()
        return await asyncio.to_thread(answer, number)

    async def all_at_once() -> None:
        async with browser(ASGIMiddleware(app, user=header("x-user"))) as client:
            asked = [client.get(f"/chat/{number}", headers={"x-user": f"u{number}"}) for number in range(20)]
            await asyncio.gather(*asked)

    asyncio.run(all_at_once())
    requests = {span.span_id: span for span in request_spans(seen)}
    answers = [span for span in seen.spans if span.name == "invoke_agent answer"]
    assert len(requests) == len(answers) == 20
    for span in answers:
        request = requests[span.parent_span_id or ""]
        assert request.attributes["url.path"] == f"/chat/{span.attributes['sightline.output'].strip(chr(34))}"
        assert request.attributes["user.id"] == span.attributes["user.id"]
        assert request.trace_id == span.trace_id


def test_a_request_leaves_nothing_behind(seen: Captured) -> None:
    """What a request was made of is gone with it, and not only when the garbage collector comes by."""
    ended: list[weakref.ref[object]] = []

    class Piece:
        """A piece of the request that can be watched."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["piece"] = Piece()
        ended.append(weakref.ref(scope["piece"]))
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    async def send(message: Any) -> None:
        pass

    gc.disable()
    try:
        asyncio.run(ASGIMiddleware(app)({"type": "http", "method": "GET", "path": "/"}, None, send))  # type: ignore[arg-type]
        assert [piece() for piece in ended] == [None]
    finally:
        gc.enable()


def test_a_websocket_gets_no_span_and_is_still_somebodys(seen: Captured) -> None:
    """A connection may last for hours: what it does begins traces of its own, of the connection's user."""

    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        answer(1)
        await socket.close()

    app = ASGIMiddleware(Starlette(routes=[WebSocketRoute("/ws/{room}", talk)]), user=header("x-user"))
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    scope = {"type": "websocket", "path": "/ws/a", "headers": [(b"x-user", b"u1")], "query_string": b""}
    asyncio.run(app(scope, receive, send))
    assert sent == ["websocket.accept", "websocket.close"]
    (span,) = seen.spans
    assert (span.name, span.parent_span_id) == ("invoke_agent answer", None)
    assert (span.attributes["user.id"], span.attributes["sightline.feature"]) == ("u1", "/ws/{room}")


def test_an_applications_lifespan_is_left_alone(seen: Captured) -> None:
    """Startup and shutdown reach the application as they are."""
    ran: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        ran.append(scope["type"])

    asyncio.run(ASGIMiddleware(app)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert (ran, seen.spans) == (["lifespan"], [])
