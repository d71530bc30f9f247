"""One span a request of a Django project, under WSGI and under ASGI."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.test import Client, override_settings
from sdk import django_site  # noqa: F401  # configures Django
from sdk.web import ask, attributes_of_request, request_span, request_spans, uvicorn_serving, wsgi_serving

from sightline.testing import Captured

HEADERS = {"x-user": "u1"}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Django writes about requests that fail, which these are meant to."""
    logger = logging.getLogger("django.request")
    before, logger.disabled = logger.disabled, True
    yield
    logger.disabled = before


def test_a_request_is_one_workflow_span(seen: Captured) -> None:
    """It says method, route, path, status, and who was logged in; the view's work hangs below it."""
    assert Client(headers=HEADERS).post("/v1/chats/7?key=k").content == b"7"
    span = request_span(seen)
    assert (span.name, span.kind, span.status) == ("POST /v1/chats/<int:number>", "server", "unset")
    assert span.attributes == attributes_of_request("/v1/chats/<int:number>")
    child = seen.span("invoke_agent answer")
    assert child.parent_span_id == span.span_id
    assert child.attributes["user.id"] == "u1"


@pytest.mark.parametrize("path", ["/v1/chats/7", "/v1/achats/7"])
def test_both_kinds_of_view_are_the_same_under_asgi(seen: Captured, path: str) -> None:
    """A view runs in a thread or in the loop; its work hangs below the request and carries the user."""
    assert ask(get_asgi_application(), f"GET {path}", headers=HEADERS)[0].text == "7"
    span, child = request_span(seen), seen.span("invoke_agent answer")
    assert (span.name, span.attributes["user.id"]) == (f"GET {path[:-1]}<int:number>", "u1")
    assert (child.parent_span_id, child.attributes["user.id"]) == (span.span_id, "u1")


@pytest.mark.parametrize("is_async", [False, True])
def test_a_streamed_answer_is_the_requests_work(
    seen: Captured, until: Callable[[Callable[[], object]], None], is_async: bool
) -> None:
    """Over a real socket: each piece is made below the request, which ends with the last one."""
    app: Any = get_asgi_application() if is_async else get_wsgi_application()
    serving: Any = uvicorn_serving if is_async else wsgi_serving
    with serving(app) as url:
        assert httpx.get(f"{url}/{'astream' if is_async else 'stream'}", headers=HEADERS).text == "012"
        until(lambda: request_spans(seen))
    span = request_span(seen)
    assert [other.parent_span_id for other in seen.spans] == [span.span_id] * 3 + [None]
    assert (span.status, {other.attributes["user.id"] for other in seen.spans}) == ("unset", {"u1"})


def test_a_client_that_leaves_is_no_error(
    seen: Captured, until: Callable[[Callable[[], object]], None]
) -> None:
    """Over a real socket: a stream without end ends with its reader, marked, and without an error."""
    with uvicorn_serving(get_asgi_application()) as url, httpx.Client() as client:
        with client.stream("GET", f"{url}/endless") as response:
            next(response.iter_raw())
        until(lambda: seen.spans)
    span = request_span(seen)
    assert (span.name, span.status) == ("GET /endless", "unset")
    assert span.attributes["sightline.http.client_gone"] is True


@pytest.mark.parametrize("is_async", [False, True])
def test_a_failing_view_is_an_error_with_its_type(seen: Captured, is_async: bool) -> None:
    """Django makes a page of every exception; the span knows what it was."""
    if is_async:
        ask(get_asgi_application(), "GET /fails", "GET /nowhere")
    else:
        client = Client(raise_request_exception=False)
        client.get("/fails")
        client.get("/nowhere")
    failed, lost = request_spans(seen)
    assert (failed.status, failed.status_message) == ("error", "not here")
    assert (failed.attributes["error.type"], failed.attributes["http.response.status_code"]) == (
        "LookupError",
        500,
    )
    assert (lost.name, lost.status, lost.attributes["http.response.status_code"]) == ("GET", "unset", 404)


def test_a_stream_that_breaks_is_an_error(seen: Captured) -> None:
    """The status was sent already and stays; what broke the stream is the error, and passes unchanged."""
    with pytest.raises(ZeroDivisionError):
        list(Client().get("/breaks"))
    span = request_span(seen)
    assert (span.status, span.attributes["error.type"]) == ("error", "ZeroDivisionError")


def test_files_are_left_to_the_server(seen: Captured) -> None:
    """Servers send files by themselves: the request is over when the view is."""
    with wsgi_serving(get_wsgi_application()) as url:
        assert "def file" in httpx.get(f"{url}/file").text
    assert request_span(seen).name == "GET /file"


def test_excluded_paths_get_no_span(seen: Captured) -> None:
    """The project's settings say which paths are left alone, and whatever else the middleware knows."""
    Client().get("/healthz")
    with override_settings(SIGHTLINE={"feature": "support"}):
        Client().get("/v1/chats/7")
    (span,) = request_spans(seen)
    assert span.attributes["sightline.feature"] == "support"
