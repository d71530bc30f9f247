"""A model call made by hand, with everything its span can say, written in one place.

    with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages=messages) as call:
        call.record(response)                      # or call.chunk(piece) for each piece of a stream

Cost is not written here: every model call is priced on its way out, whoever made its span.
"""

from types import TracebackType
from typing import Final

from opentelemetry.trace import SpanKind

from sightline import _budget_guard, _clock, _late, attributes, budget
from sightline._answer import Answer
from sightline._safety import shielded
from sightline._spans import OpenSpan
from sightline.errors import BudgetExceeded
from sightline.usage import Usage

_MODEL_STAGE: Final = "model_inference"


class LLMCall:
    """An open model call. None of its methods raises, but entering one that is denied: BudgetExceeded."""

    def __init__(self, opened: OpenSpan, model: str, messages: object) -> None:
        self._open, self._model, self._messages = opened, model, messages
        self._answer = Answer(_clock.elapsed_ns())

    @shielded
    def record(self, response: object) -> None:
        """Read a whole response: an OpenAI chat completion as object or JSON, or the bare text."""
        self._answer.response(response)

    @shielded
    def chunk(self, chunk: object) -> None:
        """Read one chunk of a stream: an OpenAI chat completion chunk as object or JSON, or a bare text."""
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
        """Say the usage yourself: input includes the cache's tokens, output includes reasoning."""
        self._answer.usage = Usage(
            input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens
        )

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

    def __enter__(self) -> "LLMCall":
        self._open.activate()
        if _budget_guard.current is not None:
            try:
                budget.admit(_budget_guard.current, self._open.span)
            except BudgetExceeded as denied:
                self.__exit__(BudgetExceeded, denied, None)
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write_answer()
        if error is not None:
            self._open.fail(error)
        self._open.end()

    @shielded
    def _write_answer(self) -> None:
        if self._open.recording:
            self._open.say(self._answer.attributes(self._messages, self._model, captures=self._open.captures))
            _late.watch(self._open.span, self._answer)


def llm_call(
    *,
    provider: str,
    model: str,
    messages: object = None,
    operation: str = "chat",
    stream: bool | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
) -> LLMCall:
    """Open the span of a model call; use it as a context manager.

    `provider` and `operation` are OpenTelemetry's names (openai, anthropic, aws.bedrock, ...; chat,
    text_completion, generate_content, embeddings). `messages` are recorded as the content mode allows, and
    counted when the provider reports no usage.
    """
    values = {
        attributes.OPERATION: "llm",
        attributes.GEN_AI_OPERATION: operation,
        attributes.STAGE: _MODEL_STAGE,
        attributes.GEN_AI_PROVIDER: provider,
        attributes.REQUEST_MODEL: model,
        attributes.REQUEST_STREAM: stream,
        attributes.REQUEST_TEMPERATURE: temperature,
        attributes.REQUEST_MAX_TOKENS: max_tokens,
    }
    known = {name: value for name, value in values.items() if value is not None}
    return LLMCall(OpenSpan(f"{operation} {model}", known, SpanKind.CLIENT), model, messages)
