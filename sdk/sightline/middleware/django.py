"""Django, under WSGI and under ASGI: first in `MIDDLEWARE`.

    MIDDLEWARE = ["sightline.middleware.django.DjangoMiddleware", ...]
    SIGHTLINE = {"user": lambda request: request.user.pk, "exclude": ["/health*"]}    # optional

`user` and `session` are functions of the HttpRequest, asked when its view is known: by then the other
middleware has found out who is logged in.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from opentelemetry import context as otel_context

from sightline._safety import shielded
from sightline._spans.leaving import leave
from sightline.middleware._identity import asked, identify
from sightline.middleware._opening import opened
from sightline.middleware._options import Options
from sightline.middleware._request import Incoming, RequestSpan
from sightline.middleware.wsgi import Body

_SPAN = "_sightline_span"


class DjangoMiddleware:
    """One workflow span a request; `Options` says what the settings in `SIGHTLINE` do."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response
        self._options = Options(**getattr(settings, "SIGHTLINE", {}))
        self._at_first = dataclasses.replace(self._options, user=None, session=None)
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        if self._options.user or self._options.session:
            self.process_view = self._identify  # Django asks for it by name, and it costs a thread's turn

    def __call__(self, request: Any) -> Any:
        if self._is_async:
            return self._later(request)
        span = _opened(request, self._at_first)
        if span is None:
            return self.get_response(request)
        span.activate()
        try:
            response = self.get_response(request)
        except BaseException as error:
            span.finish(error)
            raise
        span.suspend()
        _answered(response, span)
        return response

    async def _later(self, request: Any) -> Any:
        span = _opened(request, self._at_first)
        if span is None:
            return await self.get_response(request)
        token = otel_context.attach(span.context)
        try:
            response = await self.get_response(request)
        except BaseException as error:
            span.gone = isinstance(error, asyncio.CancelledError)  # so Django ends a view nobody waits for
            span.finish(error)
            raise
        finally:
            leave(token, span.context)
        _answered(response, span)
        return response

    def process_exception(self, request: Any, exception: Exception) -> None:
        """Django asks for it by name: the exception that it is about to make a response of."""
        span = getattr(request, _SPAN, None)
        if span is not None:
            span.error = exception

    def _identify(self, request: Any, *_: object) -> None:
        identify(user_id=asked(self._options.user, request), session_id=asked(self._options.session, request))


class _Pieces:
    """A body that an asynchronous view streams."""

    def __init__(self, pieces: AsyncIterator[bytes], span: RequestSpan) -> None:
        self._pieces, self._span = pieces, span

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        token = otel_context.attach(self._span.context)
        try:
            return await anext(self._pieces)
        except StopAsyncIteration:
            self._span.finish()
            raise
        except BaseException as error:
            self._span.gone = isinstance(error, asyncio.CancelledError)
            self._span.finish(error)
            raise
        finally:
            leave(token, self._span.context)

    def close(self) -> None:
        """Django closes every response: one that was not read to its end has lost its reader."""
        self._span.abandon()


@shielded
def _opened(request: Any, options: Options) -> RequestSpan | None:
    span = opened(_incoming(request), options)
    setattr(request, _SPAN, span)
    return span


def _answered(response: Any, span: RequestSpan) -> None:
    """The view is done; what it streams is yet to be made, and files are sent by the server."""
    if not _watched(response, span):
        span.finish()


@shielded
def _watched(response: Any, span: RequestSpan) -> bool:
    span.answering(response.status_code)
    if not response.streaming or getattr(response, "file_to_stream", None) is not None:
        return False
    watch: Any = _Pieces if response.is_async else Body
    response.streaming_content = watch(response.streaming_content, span)
    return True


def _incoming(request: Any) -> Incoming:
    return Incoming(
        raw=request,
        method=str(request.method),
        scheme=str(request.scheme),
        path=str(request.path),
        query=str(request.META.get("QUERY_STRING", "")),
        headers={name.lower(): str(value) for name, value in request.headers.items()},
        route=lambda: _route(request),
    )


def _route(request: Any) -> str | None:
    """The pattern of the view's URL, below where the project is mounted; None for unknown paths."""
    pattern = getattr(request.resolver_match, "route", None)
    mounted = request.path.removesuffix(request.path_info)
    return None if pattern is None else f"{mounted}/{pattern}"
