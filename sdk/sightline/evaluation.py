"""Functions that judge answers: checks in code, or models that judge models.

    @sightline.evaluator(sample=0.1, source="judge")
    def grounded(input, output):              # answers a number, a yes or no, a label, a Score, or None
        ...

    @sightline.agent(evaluators=[grounded])   # at every call
    def answer(question): ...
    sightline.evaluate(grounded, input=question, output=text)     # or by hand

A verdict is OpenTelemetry's evaluation event on the judged span. The evaluator's own work is a span of
operation `evaluator`: in the background it begins a trace of its own, linked to the judged span; inline it is
a child, for the program does wait for it. Either way it and the model calls below carry nothing of what they
judge but the feature `evaluation:<name>`: what a judge costs is seen there, and counts for no user, session,
prompt or variant. An evaluator that fails gives an evaluation with `error.type`, and no error of the program.
"""

import inspect
import random
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, ParamSpec, TypeVar, get_args, overload

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from sightline import attributes
from sightline._background import evaluations
from sightline._context import carried, carrying
from sightline._evaluator_arguments import fault_of, parameters
from sightline._judgement import SOURCES, Judged, Source, Target, about
from sightline._safety import shielded
from sightline._spans.open import OpenSpan
from sightline.errors import ConfigurationError
from sightline.experiments import share
from sightline.scores import Score, put_on, tell, verdict

P = ParamSpec("P")
T = TypeVar("T")
Run = Literal["inline", "background"]

_RUNS: Final[tuple[Run, ...]] = get_args(Run)
_JUDGING: Final = otel_context.create_key("sightline-judging")


class Evaluator(Generic[P, T]):
    """A function that judges; called, it does what the function does, and nothing is recorded."""

    def __init__(self, function: Callable[P, T], name: str, sample: float, run: Run, source: Source) -> None:
        self._function = function
        self.name, self.sample, self.run, self.source = name, sample, run, source
        self._names = parameters(function)
        self.__doc__ = function.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._function(*args, **kwargs)

    def judge(self, given: Mapping[str, object]) -> Score | None:
        """Call the function with what it asks for; None when it has nothing to say.

        By name where it has a parameter `output`; otherwise input and output come first, whatever they are
        called. Raises what the function raises, and ValueError when its answer is no verdict.
        """
        function: Callable[..., Any] = self._function
        if self._names is None:
            answer = function(**given)
        elif "output" in self._names:
            answer = function(**{name: given[name] for name in self._names if name in given})
        else:
            more = {name: given[name] for name in self._names[2:] if name in given}
            answer = function(*[given["input"], given["output"]][: len(self._names)], **more)
        if inspect.iscoroutine(answer):
            answer = self._awaited(answer)
        return None if answer is None else Score.of(answer)

    def _awaited(self, answer: Coroutine[Any, Any, object]) -> object:
        if self.run == "inline":
            answer.close()
            raise ValueError("a coroutine can be run in the background only")
        import asyncio

        return asyncio.run(answer)


@overload
def evaluator(function: Callable[P, T], /) -> Evaluator[P, T]: ...
@overload
def evaluator(
    *, name: str | None = None, sample: float = 1.0, run: Run = "background", source: Source = "code"
) -> Callable[[Callable[P, T]], Evaluator[P, T]]: ...
def evaluator(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    sample: float = 1.0,
    run: Run = "background",
    source: Source = "code",
) -> Any:
    """Make a function an evaluator.

    `sample` is the share of traces that it judges, the same ones for all evaluators. With run="background"
    nobody waits for it but `flush()`; "inline" it runs where the program is, and its score is on the span. A
    coroutine function can be run in the background only.

    Raises ConfigurationError when an option cannot be used.
    """
    if not 0 <= sample <= 1:
        raise ConfigurationError(f"evaluator(sample={sample!r}): give a share of traces from 0 to 1")
    if run not in _RUNS:
        raise ConfigurationError(f"evaluator(run={run!r}): give one of {', '.join(_RUNS)}")
    if source not in SOURCES:
        raise ConfigurationError(f"evaluator(source={source!r}): give one of {', '.join(SOURCES)}")

    def wrap(function: Callable[..., Any]) -> Evaluator[..., Any]:
        known = name or str(getattr(function, "__name__", type(function).__name__))
        if run == "inline" and inspect.iscoroutinefunction(function):
            raise ConfigurationError(f"evaluator {known!r} is a coroutine: it can run in the background only")
        if fault := fault_of(function):
            raise ConfigurationError(f"evaluator {known!r} could never be called: {fault}")
        return Evaluator(function, known, sample, run, source)

    return wrap if function is None else wrap(function)


def evaluate(
    *evaluators: Evaluator[..., Any],
    input: object = None,
    output: object = None,
    target: Target = None,
    **more: object,
) -> dict[str, Score]:
    """Have an answer judged: that of the current span, or of `target` (see `feedback`).

    `more` is for evaluators that ask for it by name: expected=, passages=, ... Returns the verdicts of those
    that ran inline, by name; those in the background follow by themselves. Nothing here raises.
    What an evaluator calls is not evaluated, or one that calls what it judges would never end.
    """
    given = {"input": input, "output": output, **more}
    return evaluate_span(evaluators, given, target) or {}


@shielded
def evaluate_span(
    evaluators: Sequence[Evaluator[..., Any]], given: Mapping[str, object], target: Target
) -> dict[str, Score]:
    """`evaluate()` for those who hold the evaluators already."""
    if otel_context.get_value(_JUDGING):
        return {}
    judged, around = about(target), dict(carried())
    span = trace.get_current_span() if target is None else target
    verdicts: dict[str, Score] = {}
    for each in evaluators:
        if not _chosen(each.sample, judged):
            continue
        work = _Work(each, given, judged, around)
        if each.run == "inline":
            if (found := work.done()) is not None:
                verdicts[each.name] = found
        elif judged.known:
            evaluations.submit(work.done_alone)
            if isinstance(span, trace.Span):
                span.set_attribute(attributes.JUDGED, True)
    if isinstance(span, trace.Span):
        for name, found in verdicts.items():
            put_on(span, name, found)
    return verdicts


@dataclass(frozen=True, slots=True)
class _Work:
    """One evaluator's work on one answer."""

    evaluator: Evaluator[..., Any]
    given: Mapping[str, object]
    judged: Judged
    around: Mapping[str, Any]

    def done_alone(self) -> None:
        """In a trace of its own, linked to what is judged."""
        self.done(link=self.judged.context() if self.judged.span_id else None)

    def done(self, link: Context | None = None) -> Score | None:
        """The verdict, after it was told; None when there is none."""
        name = self.evaluator.name
        with carrying(self._carried(), alone=True), _judging():
            opened = OpenSpan(f"evaluate {name}", self._values())
            if link is not None:
                opened.span.add_link(trace.get_current_span(link).get_span_context())
            opened.activate()
            try:
                found = self.evaluator.judge(self.given)
            except Exception as error:
                opened.fail(error)
                self._tell(error)
                return None
            else:
                opened.say({} if found is None else verdict(found))
            finally:
                opened.end()
        if found is not None:
            self._tell(found)
        return found

    def _carried(self) -> dict[str, Any]:
        """What the evaluator's spans carry: nothing of the judged ones, but the day that they lie in."""
        said = {attributes.FEATURE: attributes.EVALUATION_FEATURE + self.evaluator.name}
        moved = {name: self.around[name] for name in (attributes.BACKDATE_NS,) if name in self.around}
        return said | moved

    def _values(self) -> dict[str, Any]:
        return {
            attributes.OPERATION: "evaluator",
            attributes.STAGE: "evaluation",
            attributes.EVALUATION_NAME: self.evaluator.name,
        }

    def _tell(self, given: Score | Exception) -> None:
        known = self.evaluator
        tell(known.name, given, self.judged, source=known.source, around=self.around)


@contextmanager
def _judging() -> Iterator[None]:
    token = otel_context.attach(otel_context.set_value(_JUDGING, True))
    try:
        yield
    finally:
        otel_context.detach(token)


def _chosen(sample: float, judged: Judged) -> bool:
    """Whether this trace is among those to judge; where there is none, chance decides."""
    if sample >= 1 or sample <= 0:
        return sample >= 1
    about_whom = f"{judged.trace_id:032x}" if judged.trace_id else judged.response_id or judged.session_id
    point = share("evaluation", about_whom) if about_whom else random.random()  # noqa: S311  # a lot
    return point < sample
