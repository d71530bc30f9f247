"""Budgets: limits on what models may cost, kept before they are called.

    sightline.init(budget=sightline.Budget(per_trace=0.50, per_session=Cap(usd=5, calls=200)))

    if sightline.budget.check(user_id="u1").action == "deny":     # ask, and decide yourself
        return "That is enough for today."

    @sightline.llm(budget=sightline.Budget(per_trace=0.10))       # a tighter limit for one function

Model calls ask by themselves: `llm_call()`, `@llm`, instrumented clients. One that is denied raises
BudgetExceeded and is not made; one that is only warned of says so on its span, and in the log once a minute.
A call that is under way ends whatever it costs: a cap in USD or tokens is passed by what was under way, at
most. A cap of calls is exact, but for streams that a client begins only when they are read, after their
method has returned: of those that are begun at the same moment, some may pass it.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, Final

from opentelemetry import trace

from sightline import attributes
from sightline._context import carried
from sightline._safety import log_rarely, shielded
from sightline._spans.attributes import attributes_of
from sightline._spans.open import OpenSpan
from sightline.budget import _guard
from sightline.budget._caps import Budget, Cap, Decision
from sightline.budget._guard import Asked
from sightline.budget._place import held
from sightline.errors import BudgetExceeded

__all__ = ["Budget", "BudgetExceeded", "Cap", "Decision", "check", "enforce"]

_WHOSE: Final = (attributes.SESSION_ID, attributes.USER_ID, attributes.FEATURE)


def check(
    *,
    feature: str | None = None,
    user_id: object = None,
    session_id: object = None,
    model: str | None = None,
    budget: Budget | None = None,
) -> Decision:
    """Whether a model may be called now, here, for these; what is not said is taken from the surroundings.

    Asks `init()`'s budget, the collector's, and `budget`. Never raises, and never waits for a network but
    for the first answer where `on_unknown="deny"`. Outside of all budgets everything is allowed. Calls are
    counted from `init()`'s budget on, or else from the first use of one: what was spent before is not known.
    """
    if budget is not None:
        _guard.want()
    guard = _guard.current
    if guard is None:
        return Decision()
    asked = _asked(trace.get_current_span(), feature, user_id, session_id, model)
    return (asked and _decide(guard, asked, budget)) or Decision()


def enforce(*, provider: str | None = None, model: str | None = None, budget: Budget | None = None) -> None:
    """Call this right before a model is: raises BudgetExceeded when that is denied.

    Where the current span is the model call's, the decision is put on it, and the call is under way. Where
    it is not, a denied call of a model that is named here leaves a span of its own.
    """
    if budget is not None:
        _guard.want()
    guard = _guard.current
    if guard is not None:
        _enforce(guard, provider, model, budget)


def hold(provider: str | None, model: str) -> AbstractContextManager[None]:
    """The same for a client's method, to be called inside of what comes back: the call is under way there.

    Where the method begins the call's span the call is under way until that ends.
    """
    guard, span = _guard.current, trace.get_current_span()
    if guard is None or held(span.get_span_context().span_id):
        return nullcontext()
    if _is_call(span, attributes_of(span)):
        _enforce(guard, provider, model)
        return nullcontext()
    place = guard.place(span)
    _enforce(guard, provider, model, place_id=place.id)
    return place


def _enforce(
    guard: _guard.Guard,
    provider: str | None,
    model: str | None,
    budget: Budget | None = None,
    place_id: int = 0,
) -> None:
    span = trace.get_current_span()
    try:
        admit(guard, span, model, budget, place_id)
    except BudgetExceeded as denied:
        if model and not _is_call(span, attributes_of(span)):
            _leave_span(denied, provider, model)
        raise


def admit(
    guard: _guard.Guard,
    span: trace.Span,
    model: str | None = None,
    budget: Budget | None = None,
    place_id: int = 0,
) -> None:
    """The same for the call whose span this is, or the one that has this place inside of the span."""
    asked = _asked(span, None, None, None, model)
    if asked is None:
        return
    is_call = _is_call(span, asked.values)
    if place_id:
        asked = replace(asked, place_id=place_id)
    decision = _admit(guard, asked, budget) if is_call or place_id else _decide(guard, asked, budget)
    if decision is None or decision.action == "allow":
        return
    if is_call:
        span.set_attribute(attributes.BUDGET_DECISION, decision.action)
    if decision.action == "deny":
        raise BudgetExceeded(decision)
    log_rarely(f"budget {decision.budget}", "%s", decision.reason)


def _is_call(span: trace.Span, values: Mapping[str, Any]) -> bool:
    from sightline._spans.twins import may_be_call

    return span.is_recording() and may_be_call(span, values)


@shielded
def _leave_span(denied: BudgetExceeded, provider: str | None, model: str) -> None:
    values = {
        attributes.OPERATION: "llm",
        attributes.GEN_AI_OPERATION: "chat",
        attributes.GEN_AI_PROVIDER: provider,
        attributes.REQUEST_MODEL: model,
        attributes.BUDGET_DECISION: denied.decision.action,
    }
    known = {name: value for name, value in values.items() if value is not None}
    opened = OpenSpan(f"chat {model}", known, trace.SpanKind.CLIENT)
    opened.fail(denied)
    opened.end()


@shielded
def _asked(
    span: trace.Span, feature: str | None, user_id: object, session_id: object, model: str | None
) -> Asked:
    said = {attributes.FEATURE: feature, attributes.USER_ID: user_id, attributes.SESSION_ID: session_id}
    on_span, around = attributes_of(span), carried()
    values: dict[str, Any] = dict(on_span)
    for name in _WHOSE:
        value = said[name] if said[name] is not None else on_span.get(name, around.get(name))
        values[name] = None if value is None else str(value)
    return Asked(span, values, model or on_span.get(attributes.REQUEST_MODEL))


@shielded
def _decide(guard: _guard.Guard, asked: Asked, budget: Budget | None) -> Decision:
    return guard.decide(asked, budget)


@shielded
def _admit(guard: _guard.Guard, asked: Asked, budget: Budget | None) -> Decision:
    return guard.admit(asked, budget)
