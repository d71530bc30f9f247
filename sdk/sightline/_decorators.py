"""`@workflow @agent @step @tool @retrieval @guardrail @llm`: one core, four thin wrappers.

    call ──► _Recording.begin: span opened, arguments captured
             function      runs inside the span
             coroutine     runs inside the span, cancellation included
             generator     each step runs inside, between steps the span is not current:
             async gen.    the consumer's own calls are never adopted
         ──► returned | failed | stopped early: result captured, span ended exactly once

A generator's span hangs where the function was called, not where it is first read: a streamed response is
often read after the handler that made it has returned.
"""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from typing import Any, Final, ParamSpec, Protocol, TypeVar, cast, overload

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from sightline import _clock, attributes
from sightline._answer import Answer
from sightline._arguments import Signature
from sightline._safety import shielded
from sightline._spans import OpenSpan, open_span
from sightline.errors import GuardrailTripped

P = ParamSpec("P")
T = TypeVar("T")

MAX_YIELDS: Final = 1_000  # what a stream's captured result holds on to, at most


@dataclass(frozen=True, slots=True)
class Kind:
    """What one decorator writes; `standard` is OpenTelemetry's operation name where there is one."""

    operation: str
    standard: str | None = None
    name_as: str | None = None
    stage: str | None = None
    arguments_as: str = attributes.INPUT
    result_as: str = attributes.OUTPUT
    span_kind: SpanKind = SpanKind.INTERNAL


@dataclass(frozen=True, slots=True)
class _Spec:
    """One decorated function: everything that does not change from call to call."""

    kind: Kind
    span_name: str
    values: dict[str, Any]
    signature: Signature
    captures: bool


class Decorator(Protocol):
    """Works bare (`@step`) and with options (`@step(name="rank")`); keeps the function's type."""

    @overload
    def __call__(self, function: Callable[P, T], /) -> Callable[P, T]: ...
    @overload
    def __call__(
        self,
        *,
        name: str | None = None,
        stage: str | None = None,
        capture: bool = True,
        provider: str | None = None,
        model: str | None = None,
    ) -> Callable[[Callable[P, T]], Callable[P, T]]: ...


def _decorator(kind: Kind, summary: str) -> Decorator:
    def decorate(
        function: Callable[..., Any] | None = None,
        /,
        *,
        name: str | None = None,
        stage: str | None = None,
        capture: bool = True,
        provider: str | None = None,
        model: str | None = None,
    ) -> Any:
        def wrap(function: Any) -> Any:
            if isinstance(function, staticmethod | classmethod):
                return type(function)(wrap(function.__func__))
            return _wrapped(function, _spec(function, kind, name, stage, capture, provider, model))

        return wrap if function is None else wrap(function)

    decorate.__name__ = decorate.__qualname__ = kind.operation
    decorate.__doc__ = (
        f"{summary}\n\n    `name` replaces the function's, `stage` puts its time under that stage of the"
        "\n    latency breakdown, `capture=False` records neither arguments nor result."
    )
    return cast(Decorator, decorate)


def _spec(
    function: Callable[..., Any],
    kind: Kind,
    name: str | None,
    stage: str | None,
    captures: bool,
    provider: str | None,
    model: str | None,
) -> _Spec:
    name = name or str(getattr(function, "__name__", type(function).__name__))
    values = {
        attributes.OPERATION: kind.operation,
        attributes.GEN_AI_OPERATION: kind.standard,
        attributes.STAGE: stage or kind.stage,
        attributes.GEN_AI_PROVIDER: provider,
        attributes.REQUEST_MODEL: model,
    }
    if kind.name_as:
        values[kind.name_as] = name
    subject = model if model and kind.operation == "llm" else name
    return _Spec(
        kind,
        f"{kind.standard} {subject}" if kind.standard else name,
        {key: value for key, value in values.items() if value is not None},
        Signature.of(function),
        captures,
    )


class _Recording:
    """One call of a decorated function. None of its methods raises."""

    __slots__ = ("_answer", "_open", "_sent", "_spec", "_yields", "activate", "suspend")

    def __init__(self, spec: _Spec, opened: OpenSpan) -> None:
        self._spec, self._open = spec, opened
        self._yields: list[Any] = []
        self._sent: object = None
        self._answer = Answer(_clock.elapsed_ns()) if spec.kind.operation == "llm" else None
        self.activate, self.suspend = opened.activate, opened.suspend

    @classmethod
    def begin(cls, spec: _Spec, args: Any, kwargs: Any, parent: Context | None = None) -> "_Recording":
        opened = open_span(spec.span_name, spec.values, kind=spec.kind.span_kind, parent=parent)
        recording = cls(spec, opened)
        if recording._answer is not None:
            recording._sent = _sent_messages(spec.signature.named(args, kwargs))
        elif spec.captures and opened.captures:
            opened.capture(spec.kind.arguments_as, spec.signature.named(args, kwargs))
        return recording

    @shielded
    def yielded(self, item: object) -> None:
        if self._answer is not None:
            self._answer.chunk(item, _clock.elapsed_ns())
        elif len(self._yields) < MAX_YIELDS and self._open.recording:
            self._yields.append(item)

    def returned(self, result: object) -> None:
        self._note_result(result)
        self._open.end()

    def stopped(self) -> None:
        """The stream is over, read to its end or not: stopping early is no error."""
        texts = self._yields and all(isinstance(item, str) for item in self._yields)
        self.returned("".join(self._yields) if texts else self._yields or None)

    def failed(self, error: BaseException) -> None:
        if self._spec.kind.operation == "guardrail" and isinstance(error, GuardrailTripped):
            self._open.set(attributes.GUARDRAIL_BLOCKED, True)
        else:
            self._open.fail(error)
        self._open.end()

    @shielded
    def _note_result(self, result: object) -> None:
        opened, kind = self._open, self._spec.kind
        if kind.operation == "guardrail":
            opened.set(attributes.GUARDRAIL_BLOCKED, result is False)
        if self._answer is not None:
            self._note_answer(self._answer, result)
        elif self._spec.captures and result is not None:
            opened.capture(kind.result_as, result)

    def _note_answer(self, answer: Answer, result: object) -> None:
        if result is not None:
            answer.response(result)
        model = self._spec.values.get(attributes.REQUEST_MODEL)
        captures = self._open.captures and self._spec.captures
        if self._open.recording:
            self._open.span.set_attributes(answer.attributes(self._sent, model, captures=captures))


def _sent_messages(arguments: dict[str, Any]) -> object:
    """What a hand-made model call sends: the argument `messages`, or else its texts."""
    return arguments.get("messages") or [text for text in arguments.values() if isinstance(text, str)]


def _wrapped(function: Callable[..., Any], spec: _Spec) -> Callable[..., Any]:
    if inspect.isasyncgenfunction(function):
        return _StreamFunction(function, spec, _async_stream)
    if inspect.isgeneratorfunction(function):
        return _StreamFunction(function, spec, _stream)
    if inspect.iscoroutinefunction(function):
        return _coroutine(function, spec)
    return _plain(function, spec)


def _plain(function: Callable[..., Any], spec: _Spec) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        recording = _Recording.begin(spec, args, kwargs)
        recording.activate()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            recording.failed(error)
            raise
        recording.returned(result)
        return result

    return call


def _coroutine(function: Callable[..., Any], spec: _Spec) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        recording = _Recording.begin(spec, args, kwargs)
        recording.activate()
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:  # a cancelled task ends here too
            recording.failed(error)
            raise
        recording.returned(result)
        return result

    return call


class _StreamFunction:
    """A decorated generator function. It looks like the function it wraps, down to `inspect`'s questions:
    frameworks decide by them whether a tool or an endpoint streams.
    """

    def __init__(self, function: Any, spec: _Spec, drive: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._function, self._spec, self._drive = function, spec, drive
        self.__code__ = function.__code__
        self.__defaults__ = function.__defaults__
        self.__kwdefaults__ = function.__kwdefaults__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        stream = self._function(*args, **kwargs)  # a wrong call fails here, as it does undecorated
        begin = functools.partial(_Recording.begin, self._spec, args, kwargs, otel_context.get_current())
        return self._drive(stream, begin)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)


def _stream(stream: Generator[Any, Any, Any], begin: Callable[[], _Recording]) -> Generator[Any, Any, Any]:
    recording = begin()
    advance: Callable[[], Any] = functools.partial(next, stream)
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


def _close(stream: Generator[Any, Any, Any], recording: _Recording) -> None:
    recording.activate()
    try:
        stream.close()
    except BaseException as error:
        recording.failed(error)
        raise
    recording.stopped()


async def _async_stream(
    stream: AsyncGenerator[Any, Any], begin: Callable[[], _Recording]
) -> AsyncGenerator[Any, Any]:
    recording = begin()
    advance: Callable[[], Any] = functools.partial(anext, stream)
    thrown: BaseException | None = None
    while True:
        recording.activate()
        try:
            item = await advance()
        except StopAsyncIteration:
            recording.stopped()
            return
        except BaseException as error:
            if error is thrown and type(error).__name__ == "CancelledError":
                recording.stopped()  # how a loop that ends closes the streams that were left half read
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
            thrown = error
            advance = functools.partial(stream.athrow, error)
        else:
            advance = functools.partial(stream.asend, sent)


async def _aclose(stream: AsyncGenerator[Any, Any], recording: _Recording) -> None:
    recording.activate()
    try:
        await stream.aclose()
    except BaseException as error:
        recording.failed(error)
        raise
    recording.stopped()


workflow = _decorator(
    Kind("workflow", "invoke_workflow", attributes.WORKFLOW_NAME),
    "One whole piece of work: a request, a job.",
)
agent = _decorator(
    Kind("agent", "invoke_agent", attributes.AGENT_NAME), "An agent: decides by itself what to call next."
)
step = _decorator(Kind("step"), "Any part of the work worth its own line in the trace.")
tool = _decorator(
    Kind(
        "tool",
        "execute_tool",
        attributes.TOOL_NAME,
        "tool_execution",
        attributes.TOOL_ARGUMENTS,
        attributes.TOOL_RESULT,
    ),
    "A tool that a model asked for.",
)
retrieval = _decorator(
    Kind("retrieval", "retrieval", stage="retrieval"), "A search for passages, rows or documents."
)
guardrail = _decorator(
    Kind("guardrail", stage="guardrail"),
    "A check that may block: by returning False, or by raising `GuardrailTripped`.",
)
llm = _decorator(
    Kind("llm", "chat", stage="model_inference", span_kind=SpanKind.CLIENT),
    "A function that calls a model by itself and returns its response.",
)
