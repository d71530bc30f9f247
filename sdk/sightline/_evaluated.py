"""A recording whose result evaluators judge: used only by decorators that name some."""

from collections.abc import Sequence
from typing import Any

from opentelemetry.context import Context

from sightline import _clock
from sightline._safety import log_rarely, shielded
from sightline._spans.recording import Recording, Spec
from sightline.errors import ConfigurationError
from sightline.evaluation import Evaluator, evaluate_span


class EvaluatedRecording(Recording):
    """Evaluators are given the arguments by name and the result: of a stream what it yielded, of a model call
    its messages and its answer. What failed is not judged, nor the beginning of what was too long to keep, or
    was not read to its end.
    """

    __slots__ = ("_asked", "_evaluators", "_left", "_output", "_returned")

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
        self._returned = self._left = False
        self._output: object = None

    def returned(self, result: object) -> None:
        if self._yields is not None and self._yields.is_cut:
            log_rarely(
                "evaluators of streams",
                "What %s yielded is not evaluated: it is longer than what is kept of a stream",
                self._spec.span_name,
            )
        else:
            self._returned, self._output = not self._left, result
        super().returned(result)

    def left(self) -> None:
        """Half an answer is not judged: nobody has read the other."""
        self._left = True
        super().left()

    def _keeps_yields(self) -> bool:
        return True

    def end(self, at_ns: int | None = None) -> None:
        """Judged while the span is open and current, so that inline scores are on it and inline work is below
        it; but it ends when the work did: judging is no part of how long an answer took.
        """
        try:
            if self._returned:
                at_ns = _clock.now_ns()
                self._evaluate()
        finally:  # an interrupt while judging takes no span with it
            super().end(at_ns)

    @shielded
    def _evaluate(self) -> None:
        output = self._output
        if output is None and self._answer is not None:
            output = self._answer.text()
        evaluate_span(self._evaluators, {"input": self._asked, "output": output}, self.span)


def checked(evaluators: Sequence[Evaluator[..., Any]], where: str) -> tuple[Evaluator[..., Any], ...]:
    """Raises ConfigurationError for what is no evaluator."""
    for each in evaluators:
        if not isinstance(each, Evaluator):
            raise ConfigurationError(f"@{where}(evaluators=...): {each!r} is none; make it @evaluator")
    return tuple(evaluators)
