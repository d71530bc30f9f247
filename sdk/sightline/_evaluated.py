"""A recording whose result evaluators judge: used only by decorators that name some."""

from collections.abc import Sequence
from typing import Any

from opentelemetry.context import Context

from sightline._recording import Recording, Spec
from sightline._safety import shielded
from sightline.errors import ConfigurationError
from sightline.evaluation import Evaluator, evaluate_span


class EvaluatedRecording(Recording):
    """Evaluators are given the arguments by name and the result: of a stream what it yielded, of a model call
    its messages and its answer. What failed is not judged.
    """

    __slots__ = ("_asked", "_evaluators")

    def __init__(
        self,
        evaluators: Sequence[Evaluator[..., Any]],
        spec: Spec,
        args: Any,
        kwargs: Any,
        parent: Context | None = None,
    ) -> None:
        super().__init__(spec, args, kwargs, parent)
        self._evaluators = evaluators
        self._asked = self._sent if self._answer is not None else spec.signature.named(args, kwargs)

    def returned(self, result: object) -> None:
        """Judged while the span is open and current: inline scores are on it, inline work is below it."""
        self._evaluate(result)
        super().returned(result)

    @shielded
    def _evaluate(self, result: object) -> None:
        output = self._answer.text() if result is None and self._answer is not None else result
        evaluate_span(self._evaluators, {"input": self._asked, "output": output}, self.span)


def checked(evaluators: Sequence[Evaluator[..., Any]], where: str) -> tuple[Evaluator[..., Any], ...]:
    """Raises ConfigurationError for what is no evaluator."""
    for each in evaluators:
        if not isinstance(each, Evaluator):
            raise ConfigurationError(f"@{where}(evaluators=...): {each!r} is none; make it @evaluator")
    return tuple(evaluators)
