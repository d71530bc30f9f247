"""`@workflow @agent @step @tool @retrieval @guardrail @llm`: what each writes. `_spans.wrapping` does it."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

from opentelemetry.trace import SpanKind

from sightline import attributes
from sightline._evaluated import EvaluatedRecording, checked
from sightline._spans.arguments import Signature
from sightline._spans.recording import Kind, Recording, Spec
from sightline._spans.wrapping import wrapped
from sightline.budget import _guard
from sightline.budget._caps import Budget
from sightline.errors import ConfigurationError
from sightline.evaluation import Evaluator

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Options:
    """What a user may say at one decorator."""

    name: str | None = None
    stage: str | None = None
    capture: bool = True
    provider: str | None = None
    model: str | None = None
    budget: Budget | None = None
    evaluators: Sequence[Evaluator[..., Any]] = ()


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
        budget: Budget | None = None,
        evaluators: Sequence[Evaluator[..., Any]] = (),
    ) -> Callable[[Callable[P, T]], Callable[P, T]]: ...


def _decorator(kind: Kind, summary: str) -> Decorator:
    def decorate(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
        said = _said(kind, function, options)
        evaluators = checked(said.evaluators, kind.operation)
        record = functools.partial(EvaluatedRecording, evaluators) if evaluators else Recording

        def wrap(function: Any) -> Any:
            if isinstance(function, staticmethod | classmethod):
                return type(function)(wrap(function.__func__))
            _check_function(kind, function)
            return wrapped(function, _spec(function, kind, said), record)

        return wrap if function is None else wrap(function)

    decorate.__name__ = decorate.__qualname__ = kind.operation
    decorate.__doc__ = (
        f"{summary}\n\n    `name` replaces the function's, `stage` puts its time under that stage of the"
        "\n    latency breakdown, `capture=False` records neither arguments nor result,"
        "\n    `evaluators` judge what it returns."
    )
    return cast(Decorator, decorate)


def _said(kind: Kind, function: object, options: dict[str, Any]) -> _Options:
    """Raises ConfigurationError for what is no option."""
    if isinstance(function, str):
        raise ConfigurationError(
            f"@{kind.operation}({function!r}): say which option it is: @{kind.operation}(name={function!r})"
        )
    known = [field.name for field in fields(_Options)]
    if unknown := [name for name in options if name not in known]:
        raise ConfigurationError(
            f"@{kind.operation}({unknown[0]}=...): there is no such option; there are {', '.join(known)}"
        )
    return _Options(**options)


def _check_function(kind: Kind, function: object) -> None:
    """Raises ConfigurationError for what is no function, with what to decorate instead."""
    if isinstance(function, type):
        raise ConfigurationError(
            f"@{kind.operation} on the class {function.__qualname__}: decorate its methods, one by one"
        )
    if isinstance(function, property):
        raise ConfigurationError(
            f"@{kind.operation} on a property: write @property above @{kind.operation}, not below it"
        )
    if not callable(function):
        raise ConfigurationError(
            f"@{kind.operation} on a {type(function).__qualname__}: decorate the function inside of it"
        )


def _name_of(function: Callable[..., Any]) -> str:
    """A function's own name; of a partial that of its function, of an object that of its type."""
    if isinstance(function, functools.partial):
        return _name_of(function.func)
    return str(getattr(function, "__name__", type(function).__name__))


def _spec(function: Callable[..., Any], kind: Kind, said: _Options) -> Spec:
    name = said.name or _name_of(function)
    subject = said.model if said.model and kind.operation == "llm" else name
    values = {
        attributes.OPERATION: kind.operation,
        attributes.GEN_AI_OPERATION: kind.standard,
        attributes.STAGE: said.stage or kind.stage,
        attributes.GEN_AI_PROVIDER: said.provider,
        attributes.REQUEST_MODEL: said.model,
    }
    if kind.name_as:
        values[kind.name_as] = name
    return Spec(
        kind,
        f"{kind.standard} {subject}" if kind.standard else name,
        {key: value for key, value in values.items() if value is not None},
        Signature.of(function),
        said.capture,
        _checked(said.budget, kind),
    )


def _checked(budget: object, kind: Kind) -> Budget | None:
    """Raises ConfigurationError for what is no budget, and for one where no model is called."""
    if budget is None:
        return None
    if not isinstance(budget, Budget) or kind.operation != "llm":
        raise ConfigurationError(
            f"@{kind.operation}(budget={budget!r}): @llm takes a sightline.Budget, the other decorators none;"
            " ask sightline.budget.check() there"
        )
    _guard.want()
    return budget


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
