"""ASGI: FastAPI and Starlette, and any other application; Django has a middleware of its own.

    app.add_middleware(ASGIMiddleware)    inside the framework: below the SERVER span that FastAPI may make
    app = ASGIMiddleware(app)             around it: the request's only SERVER span is ours

The span ends with the last byte of the answer; what an application still does afterwards (background tasks)
stays below it. A websocket may last for hours and gets no span: what it does begins traces of its own, with
the connection's user, session and feature.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, Unpack

from opentelemetry import context as otel_context

from sightline._configure import flush
from sightline._safety import shielded
from sightline._spans.leaving import leave
from sightline.middleware import _routes
from sightline.middleware._identity import template
from sightline.middleware._opening import opened, passed_on, surroundings
from sightline.middleware._options import Asked, Options
from sightline.middleware._request import Incoming, RequestSpan

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

_BODIES: Final = frozenset({"http.response.body", "http.response.zerocopysend"})
_FLUSH_S: Final = 5.0  # as long as an exit waits
_LAST: Final = frozenset({"http.response.pathsend"})


class ASGIMiddleware:
    """One workflow span a request; `Options` says what the keyword arguments do."""

    def __init__(self, app: App, **options: Unpack[Asked]) -> None:
        self.app = app
        self._options = Options(**options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._connection(scope, receive, send)
        else:
            await self.app(scope, receive, _flushing(send))

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        span = _opened(scope, self._options)
        if span is None:
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(span, receive, send)
        token = otel_context.attach(span.context)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except BaseException as error:
            span.finish(error)
            raise
        finally:
            span.finish()
            leave(token, span.context)

    async def _connection(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = _surroundings(scope, self._options)
        around = otel_context.get_current() if context is None else context
        token = otel_context.attach(around)
        try:
            await self.app(scope, receive, send)
        finally:
            leave(token, around)


def _flushing(send: Send) -> Send:
    """At the end of the application's lifespan all is sent: uvicorn then ends itself by the signal that it
    was stopped with, and Python runs no exit functions.
    """

    async def flushed(message: Message) -> None:
        if message["type"].startswith("lifespan.shutdown."):
            await asyncio.to_thread(flush, _FLUSH_S)
        await send(message)

    return flushed


class _Exchange:
    """Watches what passes between server and application, which may happen in any task."""

    def __init__(self, span: RequestSpan, receive: Receive, send: Send) -> None:
        self._span, self._receive, self._send = span, receive, send
        self._complete = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect" and not self._complete:
            self._span.gone = True
        return message

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._span.answering(message["status"])
        try:
            await self._send(message)
        except OSError:  # how servers say that nobody listens any more
            self._span.gone = True
            raise
        if kind in _LAST or (kind in _BODIES and not message.get("more_body", False)):
            self._over()

    def _over(self) -> None:
        self._complete = True
        if not self._span.failing:  # a framework answers for an exception first, and raises it then
            self._span.finish()


@shielded
def _opened(scope: Scope, options: Options) -> RequestSpan | None:
    _keep_fastapi_quiet(scope)
    span = opened(_incoming(scope, options), options)
    ours = None if span is None else passed_on(span)
    if ours is not None:
        others = [pair for pair in scope.get("headers", ()) if pair[0].lower() != b"traceparent"]
        scope["headers"] = [*others, (b"traceparent", ours.encode())]
    return span


@shielded
def _surroundings(scope: Scope, options: Options) -> Any:
    _keep_fastapi_quiet(scope)
    return surroundings(_incoming(scope, options), options)


def _keep_fastapi_quiet(scope: Scope) -> None:
    """Inside of us, FastAPI's own telemetry would begin from an empty context: nothing of ours would be
    known below it. Its word for "not this request" is None; outside of us it has put its notes there already.
    """
    scope.setdefault("fastapi.telemetry", None)


def _incoming(scope: Scope, options: Options) -> Incoming:
    headers: dict[str, str] = {}
    for name, value in scope.get("headers", ()):
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return Incoming(
        raw=scope,
        method=str(scope.get("method", "")),
        scheme=str(scope.get("scheme", "http")),
        path=str(scope.get("path", "")),
        query=bytes(scope.get("query_string", b"")).decode("latin-1"),
        headers=headers,
        route=_routes.remembered(lambda: template(options.route, scope) or _routes.of_scope(scope)),
    )
