"""Streamed answers, watched on their way to the program, for every client.

    program ─► somebody's wrapper (the span) ─► ours ─► the client ─► HTTP
               chunks ◄──────────────────── watches: first token, speed, usage

Ours is the inner wrapper: the span is current while it works, and ends only after it has spoken. What a
dropped stream had brought is added when its span has ended, see `_spans.late`.
"""

import json
import sys
from collections.abc import Callable
from typing import Any, Final

import wrapt
from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from sightline import _clock, attributes
from sightline._answer import Answer
from sightline._safety import shielded
from sightline._spans import late
from sightline._spans.attributes import attributes_of
from sightline._spans.late import Findings
from sightline._spans.twins import may_be_call

_HELD_MAX: Final = 1_000  # spans that never end would hold theirs for ever

_held: "dict[int, StreamWatcher]" = {}


class StreamWatcher:
    """Everything seen of one streamed call; `hidden` says which chunks are not the caller's."""

    def __init__(
        self,
        messages: object,
        model: object,
        span: trace.Span | None = None,
        hidden: Callable[[object], bool | None] | None = None,
    ) -> None:
        self._messages, self._model = messages, model if isinstance(model, str) else None
        self.span = (call_span() if span is None else span) or trace.INVALID_SPAN
        self._answer = Answer(_clock.elapsed_ns())
        self._hidden = hidden
        self._done = self._stopped = self._cancelled = False

    @shielded
    def watching(self) -> None:
        """Be asked for findings when the span has ended."""
        if self.span.is_recording():
            late.watchers.add(self.span.get_span_context().span_id, self)

    def held_until_asked(self) -> None:
        """A parsed response and its stream hold each other: the garbage collector, which ends their span,
        would forget a watcher that nobody else holds before it is asked.
        """
        if self.span.is_recording() and len(_held) < _HELD_MAX:
            _held[id(self)] = self

    def hides(self, chunk: object) -> bool:
        """Take note of a chunk; True when the caller must not see it."""
        self.note(chunk)
        return self._hidden is not None and bool(self._hidden(chunk))

    @shielded
    def note(self, chunk: object) -> None:
        self._answer.chunk(chunk, _clock.elapsed_ns())

    @shielded
    def finish(self, error: BaseException | None = None, *, stopped: bool = False) -> None:
        """Write what was seen on the span, while it is open; `stopped` by the caller, or by itself."""
        if not self._done:
            # A cancelled reader has left: its browser is gone, or its loop ends.
            self._cancelled = type(error).__name__ == "CancelledError"
            self._done, self._stopped = True, stopped or self._cancelled
            self.span.set_attributes(self._seen())
            if isinstance(error, Exception) and not isinstance(error, StopIteration | StopAsyncIteration):
                self._fail(error)

    def closed(self, *, reading: bool) -> None:
        """Somebody closes the stream: its reader, or, in the middle of a read, a client that gives up."""
        self.finish(sys.exc_info()[1] if reading else None, stopped=not reading)

    def _fail(self, error: Exception) -> None:
        """As OpenTelemetry's wrapper would, which of a raw response sees only that it was closed."""
        kind = type(error)
        self.span.set_attribute(attributes.ERROR_TYPE, f"{kind.__module__}.{kind.__qualname__}")
        self.span.set_status(Status(StatusCode.ERROR, str(error)))

    def findings(self) -> Findings | None:
        """The caller may stop a stream, or drop it unread: neither is a failure of the model's.

        OpenTelemetry gives an answer without an end the finish reason "error", and a dropped one a failure.
        """
        _held.pop(id(self), None)
        early, self._done = not self._done, True
        if not early and not self._stopped:
            return self._answer.findings()
        finished = self._answer.finished
        removed = () if finished else (attributes.FINISH_REASONS,)
        added = (self._seen() if early else {}) | self._answer.to_count()
        added |= ({} if finished else self._said_so_far()) or {}
        forgiven = (early or self._cancelled) and not self._answer.failed
        return Findings(added, removed, forgiven=forgiven)

    @shielded
    def _said_so_far(self) -> dict[str, Any]:
        """The captured answer, in which nobody failed."""
        captured = attributes_of(self.span).get(attributes.OUTPUT_MESSAGES)
        if not isinstance(captured, str):
            return {}
        messages = [
            {name: value for name, value in message.items() if (name, value) != ("finish_reason", "error")}
            for message in json.loads(captured)
        ]
        return {attributes.OUTPUT_MESSAGES: json.dumps(messages, ensure_ascii=False, separators=(",", ":"))}

    def _seen(self) -> dict[str, Any]:
        extras = self._answer.extras(self._messages, self._model)
        return self._answer.usage.to_attributes() | extras


@shielded
def call_span() -> trace.Span:
    """The span of the model call that is being made; one that records nothing where there is none.

    Without an instrumentation's span, the current one is the program's own: not ours to write on.
    """
    current = trace.get_current_span()
    return current if may_be_call(current, attributes_of(current)) else trace.INVALID_SPAN


def watched(stream: Any, watcher: StreamWatcher) -> Any:
    """The same stream, which is read past the watcher; so is the one that a raw response is parsed to."""
    if hasattr(stream, "__next__"):
        return _watching(WatchedStream(stream), watcher)
    return WatchedResponse(stream, watcher) if hasattr(stream, "parse") else stream


def awatched(stream: Any, watcher: StreamWatcher) -> Any:
    """The same for an asynchronous stream. Some clients' streams are both: who asked for it knows which."""
    if hasattr(stream, "__anext__"):
        return _watching(WatchedAsyncStream(stream), watcher)
    return WatchedResponse(stream, watcher) if hasattr(stream, "parse") else stream


def watched_events(events: Any, watcher: StreamWatcher) -> Any:
    """The same events, which their reader iterates over, past the watcher."""
    return _watching(WatchedEvents(events), watcher)


def _watching(proxy: Any, watcher: StreamWatcher) -> Any:
    proxy._self_watcher = watcher
    watcher.watching()
    return proxy


class WatchedStream(wrapt.ObjectProxy[Any]):
    """A client's stream; reads pass by the watcher."""

    _self_watcher: StreamWatcher
    _self_reading = False

    def __iter__(self) -> "WatchedStream":
        return self

    def __next__(self) -> Any:
        self._self_reading = True
        try:
            chunk = self._self_next()
            while self._self_watcher.hides(chunk):
                chunk = self._self_next()
        except BaseException as error:  # the end of the stream, or of the server
            self._self_watcher.finish(error)
            raise
        finally:
            self._self_reading = False
        return chunk

    def _self_next(self) -> Any:
        return next(self.__wrapped__)

    def close(self) -> None:
        self._self_watcher.closed(reading=self._self_reading)
        self.__wrapped__.close()


class WatchedEvents(WatchedStream):
    """A client's stream that is no iterator itself, but makes one."""

    _self_events: Any = None

    def __next__(self) -> Any:
        if self._self_events is None:
            self._self_events = iter(self.__wrapped__)
        return super().__next__()

    def _self_next(self) -> Any:
        return next(self._self_events)


class WatchedAsyncStream(wrapt.ObjectProxy[Any]):
    """The same for an asynchronous client, whose streams are closed by either name."""

    _self_watcher: StreamWatcher
    _self_reading = False

    def __aiter__(self) -> "WatchedAsyncStream":
        return self

    async def __anext__(self) -> Any:
        self._self_reading = True
        try:
            chunk = await anext(self.__wrapped__)
            while self._self_watcher.hides(chunk):
                chunk = await anext(self.__wrapped__)
        except BaseException as error:
            self._self_watcher.finish(error)
            raise
        finally:
            self._self_reading = False
        return chunk

    async def close(self) -> None:
        self._self_watcher.closed(reading=self._self_reading)
        await self.__wrapped__.close()

    async def aclose(self) -> None:
        self._self_watcher.closed(reading=self._self_reading)
        await self.__wrapped__.aclose()


class WatchedResponse(wrapt.ObjectProxy[Any]):
    """A raw response; the stream that is parsed from it is watched."""

    def __init__(self, response: Any, watcher: StreamWatcher) -> None:
        super().__init__(response)
        self._self_watcher = watcher

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        stream = self.__wrapped__.parse(*args, **kwargs)
        both = awatched if hasattr(stream, "__anext__") else watched
        self._self_watcher.held_until_asked()
        return both(stream, self._self_watcher)


def unwrap(owner: type, method: str) -> None:
    """Give a class its own method back."""
    wrapped = getattr(getattr(owner, method, None), "__wrapped__", None)
    if wrapped is not None:
        setattr(owner, method, wrapped)
