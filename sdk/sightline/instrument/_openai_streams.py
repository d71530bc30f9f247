"""Streamed chat completions, watched from inside OpenTelemetry's wrapper; see `openai.py`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import wrapt
from openai import APIStatusError, AsyncStream, Stream
from openai.resources.chat.completions import AsyncCompletions, Completions
from opentelemetry import trace

from sightline import _clock, _late, attributes
from sightline._answer import Answer
from sightline._late import Findings
from sightline._safety import shielded
from sightline.instrument import Undo
from sightline.providers.fields import field

_RAW_RESPONSE: Final = "X-Stainless-Raw-Response"
_REFUSING_STATUS: Final = (400, 422)
_OUR_ADDITION: Final = ("stream_options", "include_usage")
_MAX_REFUSING: Final = 1_000  # servers remembered as refusing; beyond that they are asked again

_refusing: set[str] = set()


def watch(*, ask_for_usage: bool) -> Undo:
    """Wrap both clients' `create`; returns the way back."""
    wrapt.wrap_function_wrapper(Completions, "create", _create(ask_for_usage))
    wrapt.wrap_function_wrapper(AsyncCompletions, "create", _acreate(ask_for_usage))

    def undo() -> None:
        for owner in (Completions, AsyncCompletions):
            wrapped = getattr(owner.create, "__wrapped__", None)
            if wrapped is not None:
                setattr(owner, "create", wrapped)  # noqa: B010  # a method, says the type checker, cannot be assigned

    return undo


def _create(ask: bool) -> Callable[..., Any]:
    def create(call: Callable[..., Any], client: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        if not kwargs.get("stream"):
            return call(*args, **kwargs)
        watcher = StreamWatcher(kwargs)
        if ask and watcher.may_ask(client):
            try:
                return _watched(call(*args, **watcher.asking()), watcher)
            except APIStatusError as error:
                if not watcher.was_refused(error, client):
                    raise
        return _watched(call(*args, **kwargs), watcher)

    return create


def _acreate(ask: bool) -> Callable[..., Any]:
    async def create(call: Callable[..., Any], client: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        if not kwargs.get("stream"):
            return await call(*args, **kwargs)
        watcher = StreamWatcher(kwargs)
        if ask and watcher.may_ask(client):
            try:
                return _watched(await call(*args, **watcher.asking()), watcher)
            except APIStatusError as error:
                if not watcher.was_refused(error, client):
                    raise
        return _watched(await call(*args, **kwargs), watcher)

    return create


class StreamWatcher:
    """Everything seen of one streamed call."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._request = request
        self._span = trace.get_current_span()
        self._answer = Answer(_clock.elapsed_ns())
        self._asked = self._done = self._stopped = False

    def may_ask(self, client: Any) -> bool:
        """Only where the caller said nothing about it, and reads chunks rather than the raw response."""
        headers = self._request.get("extra_headers") or {}
        body = self._request.get("extra_body") or {}
        silent = not isinstance(self._request.get("stream_options"), Mapping) and "stream_options" not in body
        return silent and _RAW_RESPONSE not in headers and _address(client) not in _refusing

    def asking(self) -> dict[str, Any]:
        self._asked = True
        return {**self._request, "stream_options": {"include_usage": True}}

    def was_refused(self, error: APIStatusError, client: Any) -> bool:
        """Whether the server refused just our addition; it is remembered."""
        text = _words_of(error) or ""
        if error.status_code not in _REFUSING_STATUS or not any(word in text for word in _OUR_ADDITION):
            return False
        if len(_refusing) < _MAX_REFUSING:
            _refusing.add(_address(client))
        self._asked = False
        return True

    def watching(self) -> None:
        if self._span.is_recording():
            _late.watchers[self._span.get_span_context().span_id] = self

    def hides(self, chunk: object) -> bool:
        """Take note of a chunk; True when the caller must not see it."""
        self._note(chunk)
        return self._asked and not field(chunk, "choices") and field(chunk, "usage") is not None

    @shielded
    def _note(self, chunk: object) -> None:
        self._answer.chunk(chunk, _clock.elapsed_ns())

    @shielded
    def finish(self, *, stopped: bool = False) -> None:
        """Write what was seen on the span, while it is open; `stopped` by the caller, or by itself."""
        if not self._done:
            self._done, self._stopped = True, stopped
            self._span.set_attributes(self._seen())

    def findings(self) -> Findings | None:
        """The caller may stop a stream, or drop it unread: neither is a failure of the model's.

        OpenTelemetry gives an answer without an end the finish reason "error", and a dropped one a failure.
        """
        dropped, self._done = not self._done, True
        if not dropped and not self._stopped:
            return None
        removed = () if self._answer.finished else (attributes.FINISH_REASONS,)
        return Findings(self._seen() if dropped else {}, removed, forgiven=dropped)

    def _seen(self) -> dict[str, Any]:
        messages, model = self._request.get("messages"), self._request.get("model")
        extras = self._answer.extras(messages, model if isinstance(model, str) else None)
        return self._answer.usage.to_attributes() | extras


def _watched(stream: Any, watcher: StreamWatcher) -> Any:
    if isinstance(stream, Stream):
        return _watching(WatchedStream(stream), watcher)
    if isinstance(stream, AsyncStream):
        return _watching(WatchedAsyncStream(stream), watcher)
    return stream


def _watching(proxy: Any, watcher: StreamWatcher) -> Any:
    proxy._self_watcher = watcher
    watcher.watching()
    return proxy


class WatchedStream(wrapt.ObjectProxy[Any]):
    """The client's stream; reads pass by the watcher."""

    _self_watcher: StreamWatcher

    def __iter__(self) -> "WatchedStream":
        return self

    def __next__(self) -> Any:
        try:
            chunk = next(self.__wrapped__)
            while self._self_watcher.hides(chunk):
                chunk = next(self.__wrapped__)
        except BaseException:  # the end of the stream, or of the server
            self._self_watcher.finish()
            raise
        return chunk

    def close(self) -> None:
        self._self_watcher.finish(stopped=True)
        self.__wrapped__.close()


class WatchedAsyncStream(wrapt.ObjectProxy[Any]):
    """The same for the asynchronous client."""

    _self_watcher: StreamWatcher

    def __aiter__(self) -> "WatchedAsyncStream":
        return self

    async def __anext__(self) -> Any:
        try:
            chunk = await anext(self.__wrapped__)
            while self._self_watcher.hides(chunk):
                chunk = await anext(self.__wrapped__)
        except BaseException:
            self._self_watcher.finish()
            raise
        return chunk

    async def close(self) -> None:
        self._self_watcher.finish(stopped=True)
        await self.__wrapped__.close()


@shielded
def _words_of(error: APIStatusError) -> str:
    """All that the server said, in whatever shape it says such things."""
    return f"{error} {error.response.text}"


def _address(client: Any) -> str:
    return str(getattr(getattr(client, "_client", None), "base_url", ""))
