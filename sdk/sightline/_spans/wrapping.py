"""Four thin wrappers around one recording: function, coroutine, generator, asynchronous generator.

    call ──► Recording: span opened, arguments captured
             function      runs inside the span
             coroutine     runs inside the span, cancellation included
             a stream      that is returned unread: see `held`
             generator     each step runs inside; between steps the span is not current:
             async gen.    the consumer's own calls are never adopted
         ──► returned | failed | stopped early: result captured, span ended exactly once

A generator's span hangs where the function was called, not where it is first read: a streamed response is
often read after the handler that made it has returned.
"""

import functools
import inspect
import types
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from opentelemetry import context as otel_context

from sightline._spans.held import held, is_value
from sightline._spans.recording import Recording, Spec
from sightline.budget import _guard

Record = Callable[..., Recording]  # of a spec, arguments by place and by name, and a parent


def wrapped(function: Callable[..., Any], spec: Spec, record: Record = Recording) -> Callable[..., Any]:
    """The function, recorded; what it is to its caller and to `inspect` stays the same."""
    body = body_of(function)
    if inspect.isasyncgenfunction(body):
        return _StreamFunction(function, body, spec, record, _async_stream)
    if inspect.isgeneratorfunction(body):
        return _StreamFunction(function, body, spec, record, _stream)
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(body):
        return _coroutine(function, spec, record)
    return _plain(function, spec, record)


def body_of(function: Callable[..., Any]) -> Any:
    """The function whose code runs when this is called: that of a partial, or of an object's type."""
    while isinstance(function, functools.partial):
        function = function.func
    return function if inspect.isroutine(function) else type(function).__call__


def _plain(function: Callable[..., Any], spec: Spec, record: Record) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        recording = record(spec, args, kwargs)
        recording.activate()
        try:
            if _guard.current is not None:
                recording.ask_budget()
            result = function(*args, **kwargs)
        except BaseException as error:
            recording.failed(error)
            raise
        return _handed_out(result, recording)

    return call


def _coroutine(function: Callable[..., Any], spec: Spec, record: Record) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        recording = record(spec, args, kwargs)
        recording.activate()
        try:
            if _guard.current is not None:
                recording.ask_budget()
            result = await function(*args, **kwargs)
        except BaseException as error:  # a cancelled task ends here too
            recording.failed(error)
            raise
        return _handed_out(result, recording)

    return call


def _handed_out(result: Any, recording: Recording) -> Any:
    """What a function returned; with it the call is over, unless it is a stream that nobody has read."""
    if not is_value(result) and recording.recording:
        stream = held(result, recording)
        if stream is not None:
            recording.suspend()
            return stream
    recording.returned(result)
    return result


class _StreamFunction:
    """A decorated generator function. It looks like the function it wraps, down to `inspect`'s questions:
    frameworks decide by them whether a tool or an endpoint streams.
    """

    def __init__(
        self, function: Any, body: Any, spec: Spec, record: Record, drive: Callable[..., Any]
    ) -> None:
        functools.update_wrapper(self, body)
        functools.update_wrapper(self, function, updated=())
        self._function, self._spec, self._record, self._drive = function, spec, record, drive
        self.__code__ = getattr(body, "__code__", None)
        self.__defaults__ = getattr(body, "__defaults__", None)
        self.__kwdefaults__ = getattr(body, "__kwdefaults__", None)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        stream = self._function(*args, **kwargs)  # a wrong call fails here, as it does undecorated
        begin = functools.partial(self._record, self._spec, args, kwargs, otel_context.get_current())
        return self._drive(stream, begin)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __reduce__(self) -> str:
        """Pickled as functions are: by its name."""
        return str(vars(self)["__qualname__"])


def _stream(stream: Generator[Any, Any, Any], begin: Callable[[], Recording]) -> Generator[Any, Any, Any]:
    recording = begin()
    advance: Callable[[], Any] = functools.partial(_first, next, stream, recording)
    while True:
        recording.activate()
        try:
            item = advance()
        except StopIteration as stop:
            recording.stopped()
            return stop.value
        except BaseException as error:
            recording.failed(error)
            raise
        recording.suspend()
        recording.yielded(item)
        try:
            sent = yield item
        except GeneratorExit:
            _close(stream, recording)
            raise
        except BaseException as error:
            advance = functools.partial(stream.throw, error)
        else:
            advance = functools.partial(stream.send, sent)


def _first(step: Callable[[Any], Any], stream: Any, recording: Recording) -> Any:
    """The first step of a stream is where its work begins."""
    recording.ask_budget()
    return step(stream)


def _close(stream: Generator[Any, Any, Any], recording: Recording) -> None:
    recording.activate()
    try:
        stream.close()
    except BaseException as error:
        recording.failed(error)
        raise
    recording.left()


async def _async_stream(
    stream: AsyncGenerator[Any, Any], begin: Callable[[], Recording]
) -> AsyncGenerator[Any, Any]:
    recording = begin()
    advance: Callable[[], Any] = functools.partial(_first, anext, stream, recording)
    while True:
        recording.activate()
        try:
            item = await advance()
        except StopAsyncIteration:
            recording.stopped()
            return
        except BaseException as error:
            if type(error).__name__ == "CancelledError":
                recording.left()  # the reader's task is over: a browser has left, or a loop ends
            else:
                recording.failed(error)
            raise
        recording.suspend()
        recording.yielded(item)
        try:
            sent = yield item
        except GeneratorExit:
            await _aclose(stream, recording)
            raise
        except BaseException as error:
            advance = functools.partial(stream.athrow, error)
        else:
            advance = functools.partial(stream.asend, sent)


async def _aclose(stream: AsyncGenerator[Any, Any], recording: Recording) -> None:
    recording.activate()
    try:
        await stream.aclose()
    except BaseException as error:
        recording.failed(error)
        raise
    recording.left()
