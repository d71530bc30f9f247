"""A model call made by hand, with everything its span can say, written in one place.

    with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages=messages) as call:
        call.record(response)                      # or call.chunk(event) for each event of a stream

Answers of every provider in `providers` are read, as clients' objects or as plain JSON. Cost is not written
here: every model call is priced on its way out, whoever made its span.
"""

from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Any, Final, TypeVar

from opentelemetry.trace import Span, SpanKind

from sightline import _clock, attributes, budget
from sightline._answer import Answer
from sightline._messages import system_json, tools_json
from sightline._safety import log_rarely, shielded
from sightline._spans import late
from sightline._spans.held import held, is_value
from sightline._spans.open import OpenSpan
from sightline._unread_answer import UnreadAnswer
from sightline.budget import _guard
from sightline.errors import BudgetExceeded
from sightline.usage import Usage, count

T = TypeVar("T")

_MODEL_STAGE: Final = "model_inference"


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, in the provider's own shape; `model` is the one asked for."""

    model: str
    messages: object = None
    system: object = None
    tools: object = None

    def content(self) -> dict[str, str]:
        """The attributes of what was asked beside the messages."""
        values = {}
        if self.system is not None:
            values[attributes.SYSTEM_INSTRUCTIONS] = system_json(self.system)
        if self.tools is not None:
            values[attributes.TOOL_DEFINITIONS] = tools_json(self.tools)
        return values


class LLMCall:
    """An open model call. None of its methods raises, but entering one that is denied: BudgetExceeded."""

    def __init__(self, opened: OpenSpan, request: Request) -> None:
        self._open, self._request = opened, request
        self._answer = Answer(_clock.elapsed_ns())
        self._stream: UnreadAnswer | None = None

    def record(self, response: T) -> T:
        """Read a whole answer of any provider, as object or JSON, or a bare text: it has the last word.

        Returns it. Of a stream, read what is returned: the call is over when that is, `chunk` is not needed.
        """
        if not is_value(response) and self._open.recording and self._stream is None:
            reader = UnreadAnswer(self._open, self._answer, self._end)
            stream: T | None = held(response, reader)
            if stream is not None:
                self._stream = reader
                return stream
        self._take(response)
        return response

    @shielded
    def _take(self, response: object) -> None:
        self._answer.response(response)

    @shielded
    def chunk(self, chunk: object) -> None:
        """Read an event of any provider's stream as it arrives: object or JSON, or a bare piece of text."""
        if self._stream is None:
            self._answer.chunk(chunk, _clock.elapsed_ns())

    @shielded
    def record_usage(
        self,
        *,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        reasoning_tokens: int | None = None,
    ) -> None:
        """Say the usage yourself: input includes the cache's tokens, output includes reasoning.

        What is no whole number, 0 or more, counts as not said, and is warned of.
        """
        said = (input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens)
        counts = [count(tokens) for tokens in said]
        for tokens, found in zip(said, counts, strict=True):
            if found is None and tokens is not None:
                log_rarely(
                    "record_usage",
                    "record_usage() takes whole numbers, 0 or more; a %s was left out",
                    type(tokens).__name__ if not isinstance(tokens, int) else repr(tokens),
                )
        self._answer.usage = Usage(*counts)

    @property
    def usage(self) -> Usage:
        """What the provider has reported so far; empty when nothing."""
        return self._answer.usage

    def traceparent(self) -> str:
        """The call's W3C traceparent, to give feedback on later."""
        from sightline.feedback import traceparent

        return traceparent(self._open.span)

    def score(
        self, name: str, value: float | bool | str, *, label: str | None = None, comment: str | None = None
    ) -> str:
        """Score this call, open or ended; see `sightline.score`."""
        from sightline.scores import score

        return score(name, value, label=label, comment=comment, target=self._open.span)

    @property
    def span(self) -> Span:
        """The call's span."""
        return self._open.span

    @property
    def span_id(self) -> str:
        """The span's id, 16 hex digits."""
        return f"{self._open.span.get_span_context().span_id:016x}"

    def __enter__(self) -> "LLMCall":
        self._open.activate()
        guard = _guard.current
        if guard is not None:
            try:
                budget.admit(guard, self._open.span)
            except BudgetExceeded as denied:
                self.__exit__(BudgetExceeded, denied, None)
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._stream is not None and self._stream.outlives_block():
            self._open.suspend()
        else:
            self._end(error)

    def _end(self, error: BaseException | None = None) -> None:
        self._write_answer()
        if error is not None:
            self._open.fail(error)
        self._open.end()

    async def __aenter__(self) -> "LLMCall":
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    @shielded
    def _write_answer(self) -> None:
        if not self._open.recording:
            return
        request, captures = self._request, self._open.captures
        content = request.content() if captures or self._answer.lacks_usage else {}
        self._open.say(
            self._answer.attributes(
                request.messages, request.model, captures=captures, beside=tuple(content.values())
            )
        )
        if captures:
            self._open.say(content)
        late.watch(self._open.span, self._answer)


def llm_call(
    *,
    provider: str,
    model: str,
    messages: object = None,
    system: object = None,
    tools: object = None,
    operation: str = "chat",
    stream: bool | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    max_tokens: int | None = None,
) -> LLMCall:
    """Open the span of a model call; use it as a context manager, with `with` or `async with`.

    `provider` and `operation` are OpenTelemetry's names (openai, anthropic, aws.bedrock, ...; chat,
    text_completion, generate_content, embeddings). `messages`, `system` and `tools` are what the provider is
    sent, in its own shape (Gemini's contents, OpenAI's input, a bare text); they are recorded as the content
    mode allows, and counted when the provider reports no usage.
    """
    provider, model, operation = _word(provider), _word(model), _word(operation)
    values: dict[str, Any] = {
        attributes.OPERATION: "llm",
        attributes.GEN_AI_OPERATION: operation,
        attributes.STAGE: _MODEL_STAGE,
        attributes.GEN_AI_PROVIDER: provider,
        attributes.REQUEST_MODEL: model,
        attributes.REQUEST_STREAM: stream,
        attributes.REQUEST_TEMPERATURE: temperature,
        attributes.REQUEST_TOP_P: top_p,
        attributes.REQUEST_MAX_TOKENS: max_tokens,
    }
    known = {name: value for name, value in values.items() if value is not None}
    # Programs append the answer to the list they sent: what is recorded is the list as it was sent.
    sent = messages.copy() if type(messages) is list else messages
    opened = OpenSpan(f"{operation} {model}", known, SpanKind.CLIENT)
    return LLMCall(opened, Request(model, sent, system, tools))


def _word(name: object) -> str:
    """A name as text, whatever it is kept in: an enumeration's value, or what a thing calls itself."""
    if type(name) is str:
        return name
    value = name.value if isinstance(name, Enum) else name
    return str.__str__(value) if isinstance(value, str) else shielded(str)(value) or type(value).__name__
