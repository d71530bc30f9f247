"""One span a request of a WSGI application, streamed answers included."""

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Never

import httpx
import pytest
from flask import Blueprint, Flask, Response
from sdk.web import attributes_of_request, children_of, request_span, request_spans, wsgi_serving
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

import sightline
from sightline.middleware import WSGIMiddleware, header
from sightline.testing import Captured


@sightline.agent
def answer(number: int) -> str:
    return str(number)


def service(**options: Any) -> Flask:
    app = Flask("service")
    chats = Blueprint("chats", "chats", url_prefix="/v1")

    @chats.post("/chats/<int:number>")
    def chat(number: int) -> str:
        return answer(number)

    @app.get("/stream")
    def stream() -> Response:
        return Response(answer(number) for number in range(3))

    @app.get("/breaks")
    def breaks() -> Response:
        return Response(answer(1 // (1 - number)) for number in range(3))

    @app.get("/fails")
    def fails() -> Never:
        raise LookupError("not here")

    app.register_blueprint(chats)
    app.wsgi_app = WSGIMiddleware(app.wsgi_app, **options)  # type: ignore[method-assign]
    return app


def test_a_request_is_one_workflow_span(seen: Captured) -> None:
    """It says method, route, path and status, and what the application does hangs below it."""
    client = service(user=header("X-User")).test_client()
    assert client.post("/v1/chats/7?key=k", headers={"x-user": "u1"}).text == "7"
    span = request_span(seen)
    assert (span.name, span.kind, span.status) == ("POST /v1/chats/<int:number>", "server", "unset")
    assert span.attributes == attributes_of_request("/v1/chats/<int:number>")
    child = seen.span("invoke_agent answer")
    assert child.parent_span_id == span.span_id
    assert (child.attributes["user.id"], child.attributes["sightline.feature"]) == (
        "u1",
        "/v1/chats/<int:number>",
    )


def test_where_a_service_is_mounted_belongs_to_its_routes(seen: Captured) -> None:
    """Below a prefix the template is whole; an unknown path has none."""
    client = Client(DispatcherMiddleware(Flask("root"), {"/api": service()}))
    client.post("/api/v1/chats/7", buffered=True)
    client.get("/api/nowhere/7", buffered=True)
    assert [(span.name, span.attributes["url.path"]) for span in request_spans(seen)] == [
        ("POST /api/v1/chats/<int:number>", "/api/v1/chats/7"),
        ("GET", "/api/nowhere/7"),
    ]


def test_a_streamed_answer_is_the_requests_work(seen: Captured) -> None:
    """Over a real socket: each piece is made below the request, which ends with the last one."""
    with wsgi_serving(service()) as url:
        assert httpx.get(f"{url}/stream").text == "012"
    span = request_span(seen)
    assert [other.parent_span_id for other in seen.spans] == [span.span_id] * 3 + [None]
    assert seen.spans[-1] is span
    assert span.status == "unset"


def test_a_stream_that_breaks_is_an_error(seen: Captured) -> None:
    """The status was sent already and stays; what broke the stream is the error, and passes unchanged."""
    with pytest.raises(ZeroDivisionError):
        service().test_client().get("/breaks", buffered=True)
    span = request_span(seen)
    assert (span.status, span.attributes["error.type"]) == ("error", "ZeroDivisionError")
    assert span.attributes["http.response.status_code"] == 200


def test_a_failure_is_an_error(seen: Captured) -> None:
    """What the framework answers for with 500 is an error; a client's mistake is none."""
    with wsgi_serving(service()) as url:
        assert httpx.get(f"{url}/fails").status_code == 500
        assert httpx.get(f"{url}/nowhere").status_code == 404
    failed, lost = request_spans(seen)
    assert (failed.name, failed.status, failed.attributes["error.type"]) == ("GET /fails", "error", "500")
    assert (lost.status, lost.attributes["http.response.status_code"]) == ("unset", 404)


def test_an_exception_before_the_answer_passes_unchanged(seen: Captured) -> None:
    """A bare application's exception reaches the server, which answers for it with 500."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise LookupError("not here")

    with pytest.raises(LookupError, match="not here"):
        Client(WSGIMiddleware(app)).get("/")
    values = request_span(seen).attributes
    assert (values["error.type"], values["http.response.status_code"]) == ("LookupError", 500)


def test_a_client_that_leaves_is_no_error(
    seen: Captured, until: Callable[[Callable[[], object]], None]
) -> None:
    """Over a real socket: a stream without end ends with its reader, marked, and without an error."""
    closed = threading.Event()

    def for_ever() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 100_000
        finally:
            closed.set()

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        return for_ever()

    with wsgi_serving(WSGIMiddleware(app)) as url, httpx.Client() as client:
        with client.stream("GET", url) as response:
            next(response.iter_raw())
        until(lambda: seen.spans)
    span = request_span(seen)
    assert (span.status, span.attributes["sightline.http.client_gone"]) == ("unset", True)
    assert closed.is_set()


class Pieces:
    """A body that counts how often it is closed, and works while it is closed."""

    closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield b"a"
        yield b"b"

    def close(self) -> None:
        self.closed += 1
        answer(self.closed)


def serving(body: Any) -> WSGIMiddleware:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return body

    return WSGIMiddleware(app)


def call(app: Any) -> Any:
    return app({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)


def test_a_body_is_closed_once(seen: Captured) -> None:
    """However often it is asked, and below the request, too."""
    pieces = Pieces()
    body = call(serving(pieces))
    assert list(body) == [b"a", b"b"]
    body.close()
    body.close()
    assert pieces.closed == 1
    assert children_of(seen, request_span(seen)) == {"invoke_agent answer"}
    assert "sightline.http.client_gone" not in request_span(seen).attributes


def test_a_body_that_nobody_reads_has_lost_nobody(seen: Captured) -> None:
    """A HEAD request's body is closed unread: its client is still there."""
    call(serving(Pieces())).close()
    assert "sightline.http.client_gone" not in request_span(seen).attributes


def test_a_body_that_is_dropped_ends_its_span(seen: Captured) -> None:
    """A server that forgets to close does not lose the request."""
    body = call(serving(Pieces()))
    next(body)
    del body
    gc.collect()
    assert request_span(seen).status == "unset"


def test_a_whole_body_stays_as_it_is(seen: Captured) -> None:
    """Servers count the pieces of a list to know its length."""
    body = [b"whole"]
    assert call(serving(body)) is body
    assert request_span(seen).attributes["http.response.status_code"] == 200


def test_what_is_written_goes_to_the_server(seen: Captured) -> None:
    """The old way of streaming, `write`, stays the server's own."""
    written: list[bytes] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])(b"old")
        return []

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
    WSGIMiddleware(app)(environ, lambda *_: written.append)
    assert written == [b"old"]


def test_other_frameworks_routes_are_asked_for(seen: Captured) -> None:
    """A function says the template where the framework is not known, once the request was routed."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        environ["their.route"] = "/chats/:id"
        start_response("200 OK", [])
        return [answer(1).encode()]

    call(WSGIMiddleware(app, route=lambda environ: environ.get("their.route")))
    assert request_span(seen).name == "GET /chats/:id"
    assert seen.span("invoke_agent answer").attributes["sightline.feature"] == "/chats/:id"


def test_a_status_that_is_replaced_counts(seen: Captured) -> None:
    """An application may take its status back before the first byte, and the server is told why."""
    told: list[Any] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        try:
            raise LookupError
        except LookupError as error:
            start_response("503 Busy", [], (type(error), error, None))
        return []

    WSGIMiddleware(app)({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *said: told.append(len(said)))
    assert told == [2, 3]
    assert request_span(seen).attributes["http.response.status_code"] == 503


def test_requests_at_the_same_time_are_kept_apart(seen: Captured) -> None:
    """Two users at once are never mixed: each one's work carries that user and hangs below that request."""
    everybody = threading.Barrier(8)
    app = Flask("chats")

    @app.get("/chat/<number>")
    def chat(number: str) -> Response:
        everybody.wait(30)
        return Response(answer(int(number)) for _ in range(2))

    app.wsgi_app = WSGIMiddleware(app.wsgi_app, user=header("x-user"))  # type: ignore[method-assign]

    def ask(number: int) -> int:
        return len(app.test_client().get(f"/chat/{number}", headers={"x-user": f"u{number}"}).text)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [2] * 8
    requests = {span.span_id: span for span in request_spans(seen)}
    answers = [span for span in seen.spans if span.name == "invoke_agent answer"]
    assert (len(requests), len(answers)) == (8, 16)
    for span in answers:
        request = requests[span.parent_span_id or ""]
        assert request.attributes["url.path"] == f"/chat/{span.attributes['sightline.output'].strip(chr(34))}"
        assert request.attributes["user.id"] == span.attributes["user.id"]
