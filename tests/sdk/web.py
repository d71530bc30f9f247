"""Real web servers on loopback, and requests to applications."""

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from served import served
from werkzeug.serving import make_server

from sightline.testing import Captured, CapturedSpan

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
UNSAMPLED = f"00-{TRACE}-{CALLER}-00"


def ask(app: Any, *requests: str, headers: Mapping[str, str] | None = None) -> list[httpx.Response]:
    """Requests to an ASGI application, such as "POST /chat", one after the other."""

    async def talk() -> list[httpx.Response]:
        async with browser(app) as client:
            return [await client.request(*request.split(), headers=headers) for request in requests]

    return asyncio.run(talk())


def browser(app: Any) -> httpx.AsyncClient:
    """A client of an ASGI application in this process, which sees failures as a browser does."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@contextmanager
def uvicorn_serving(app: Any) -> Iterator[str]:
    """The address of a uvicorn that serves the application."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def wsgi_serving(app: Any) -> Iterator[str]:
    """The address of a threaded WSGI server that serves the application."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.log = lambda *_: None  # type: ignore[method-assign]
    with served(server) as address:
        yield f"http://{address}"


def request_span(seen: Captured) -> CapturedSpan:
    """The one span of a request."""
    (span,) = request_spans(seen)
    return span


def request_spans(seen: Captured) -> list[CapturedSpan]:
    return [span for span in seen.spans if "http.request.method" in span.attributes]


def attributes_of_request(route: str, **more: str) -> dict[str, Any]:
    """All that the span of `POST /v1/chats/7` has where its route is this, and more."""
    return {
        "sightline.operation": "workflow",
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": f"POST {route}",
        "http.request.method": "POST",
        "http.route": route,
        "http.response.status_code": 200,
        "url.scheme": "http",
        "url.path": "/v1/chats/7",
        "user.id": "u1",
        "sightline.feature": route,
        **more,
    }


def children_of(seen: Captured, span: CapturedSpan) -> set[str]:
    return {other.name for other in seen.spans if other.parent_span_id == span.span_id}
