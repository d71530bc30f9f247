"""One call of a decorated function: what goes on its span, and when the span ends."""

from dataclasses import dataclass
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from sightline import _clock, attributes, budget
from sightline._answer import Answer
from sightline._safety import shielded
from sightline._spans import late
from sightline._spans.arguments import Signature
from sightline._spans.open import OpenSpan
from sightline._spans.yields import Yields
from sightline.budget import _guard
from sightline.budget._caps import Budget
from sightline.errors import GuardrailTripped


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
class Spec:
    """One decorated function: everything that does not change from call to call."""

    kind: Kind
    span_name: str
    values: dict[str, Any]
    signature: Signature
    captures: bool
    budget: Budget | None = None


class Recording(OpenSpan):
    """One call of a decorated function. None of its methods raises, but `ask_budget` does on purpose."""

    __slots__ = ("_answer", "_sent", "_spec", "_yields")

    def __init__(self, spec: Spec, args: Any, kwargs: Any, parent: Context | None = None) -> None:
        super().__init__(spec.span_name, spec.values, spec.kind.span_kind, parent)
        self._spec = spec
        self._yields: Yields | None = None
        self._answer: Answer | None = None
        if spec.kind.operation == "llm":
            self._answer = Answer(_clock.elapsed_ns())
            self._sent = _sent_messages(spec.signature, args, kwargs)
        elif spec.captures and self.captures:
            self.capture(spec.kind.arguments_as, spec.signature.named(args, kwargs))

    def ask_budget(self) -> None:
        """Raises BudgetExceeded for a model call that must not be made; other work is never stopped."""
        guard = _guard.current
        if guard is not None and self._answer is not None:
            budget.admit(guard, self.span, budget=self._spec.budget)

    @property
    def asks_model(self) -> bool:
        return self._answer is not None

    @shielded
    def yielded(self, item: object) -> None:
        if self._answer is not None:
            self._answer.chunk(item, _clock.elapsed_ns())
        elif self._yields is not None:
            self._yields.add(item)
        elif self._keeps_yields():
            self._yields = Yields()
            self._yields.add(item)

    def returned(self, result: object) -> None:
        if self._spec.kind.operation == "guardrail":
            self._said[attributes.GUARDRAIL_BLOCKED] = result is False
        self._note_result(result)
        self.end()

    def stopped(self) -> None:
        """The stream is over, read to its end."""
        self.returned(self._yielded_so_far())

    def left(self) -> None:
        """The reader left before the stream's end, which is no error."""
        self.stopped()

    def failed(self, error: BaseException) -> None:
        """What a stream had yielded until then stays on record, tokens and cost of an answer included."""
        if self._spec.kind.operation == "guardrail" and isinstance(error, GuardrailTripped):
            self._said[attributes.GUARDRAIL_BLOCKED] = True
        else:
            self._note_result(self._yielded_so_far())
            self.fail(error)
        self.end()

    def _keeps_yields(self) -> bool:
        """What nobody wants is not held on to: the program's objects go when the program lets them go."""
        return self.captures and self._spec.captures

    def _yielded_so_far(self) -> object:
        return None if self._yields is None else self._yields.result()

    def _note_result(self, result: object) -> None:
        if self._answer is not None:
            self._note_answer(self._answer, result)
        elif result is not None and self._spec.captures:
            self.capture(self._spec.kind.result_as, result)

    @shielded
    def _note_answer(self, answer: Answer, result: object) -> None:
        if result is not None:
            answer.response(result)
        if self.recording:
            model = self._spec.values.get(attributes.REQUEST_MODEL)
            self.say(answer.attributes(self._sent, model, captures=self.captures and self._spec.captures))
            late.watch(self.span, answer)


@shielded
def _sent_messages(signature: Signature, args: Any, kwargs: Any) -> object:
    """What a hand-made model call sends: the argument `messages`, or else its texts. Whether an argument is
    true is not asked: an array has no answer to that.
    """
    arguments = signature.named(args, kwargs)
    messages = arguments.get("messages")
    if messages is not None:
        return messages
    return [text for text in arguments.values() if isinstance(text, str)]
