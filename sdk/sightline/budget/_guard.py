"""The budget guard: what was spent, here and elsewhere, against what may be; asked before a model is called.

    budget.check, llm_call(), @llm, clients ──► Guard ──► Spending   what this process has used
                                                  │  └──► Statuses   what the collector says of all processes
                                                  └──► the decision that allows least, on the span

There is no guard until a budget is in use: `current` is None, and nothing is counted.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from opentelemetry import trace

from sightline import _clock, attributes
from sightline._call_price import load_prices
from sightline._delivery.destination import Route
from sightline._fork import reset_in_child
from sightline._safety import shielded
from sightline.budget._caps import Budget, Decision, Sum
from sightline.budget._place import Place
from sightline.budget._spend import Key, Spending, Spent, keys_of
from sightline.budget._status import Statuses
from sightline.budget._verdict import Finding, by_caps, least
from sightline.errors import BudgetExceeded


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom a model is to be called, by span attributes; outside of a trace the span is invalid."""

    span: trace.Span
    values: Mapping[str, Any]
    model: str | None = None
    place_id: int = 0  # of a call whose span has not begun: then `span` is the one around it

    @property
    def keys(self) -> tuple[Key, ...]:
        return keys_of(self.values, self.span.get_span_context().trace_id, _clock.now_ns())


@dataclass(frozen=True, slots=True)
class Known:
    """How a collector knows this program: by its service, and each user by what leaves as their id."""

    service: str = ""
    user: Callable[[str], str] = str


class Guard:
    """`everywhere` holds for each call, and may ask a collector; a call may bring a budget of its own."""

    def __init__(
        self, everywhere: Budget | None = None, collector: Route | None = None, known: Known | None = None
    ) -> None:
        self.spending = Spending()
        self._everywhere, self._known = everywhere, known or Known()
        self._statuses = Statuses(everywhere, collector) if everywhere and collector else None
        self._reset()
        reset_in_child(self._reset)

    def _reset(self) -> None:
        self._loads_prices = False

    def close(self) -> None:
        if self._statuses is not None:
            self._statuses.close()

    def decide(self, asked: Asked, own: Budget | None) -> Decision:
        """What holds for such a call, without making it."""
        elsewhere = self._elsewhere(asked)
        return self._decided(elsewhere, own, self.spending.spent(asked.keys))

    def admit(self, asked: Asked, own: Budget | None) -> Decision:
        """What holds for the call itself; unless it is denied, it is under way from now on."""
        from sightline._spans.twins import one_with

        self._load_prices()
        elsewhere = self._elsewhere(asked)

        def judge(spent: dict[Sum, Spent]) -> Decision:
            decision = self._decided(elsewhere, own, spent)
            if decision.action == "deny":
                raise BudgetExceeded(decision)
            return decision

        span_id = asked.span.get_span_context().span_id
        try:
            return self.spending.admit(asked.place_id or span_id, one_with(span_id), asked.keys, judge)
        except BudgetExceeded as denied:
            return denied.decision

    def place(self, around: trace.Span) -> Place:
        """A place to hold for a call that is about to be made around there."""
        return Place(self.spending, around.get_span_context().span_id)

    def _elsewhere(self, asked: Asked) -> list[Finding]:
        """What the collector's budgets say; asked outside of any lock, for it may wait."""
        if self._statuses is None:
            return []
        user, values = asked.values.get(attributes.USER_ID), asked.values
        if user:
            values = {**values, attributes.USER_ID: self._known.user(user)}
        return list(self._statuses.findings(self._known.service, values, asked.model))

    def _decided(self, elsewhere: list[Finding], own: Budget | None, spent: Mapping[Sum, Spent]) -> Decision:
        decision = least([*elsewhere, *self._here(own, spent)])
        stale = self._statuses is not None and self._statuses.stale
        return replace(decision, stale=True) if stale else decision

    def _here(self, own: Budget | None, spent: Mapping[Sum, Spent]) -> Iterator[Finding]:
        for budget in (self._everywhere, own):
            if budget is not None:
                yield from by_caps(budget, spent)

    def _load_prices(self) -> None:
        """In the background, at the first call: they are there by the time that it ends."""
        if self._loads_prices:
            return
        self._loads_prices = True
        try:
            threading.Thread(target=shielded(load_prices), name="sightline-prices", daemon=True).start()
        except RuntimeError:
            return  # the interpreter is going down: prices are loaded when the call ends


current: Guard | None = None
_wanted = False  # by a budget of a function's own, whoever else has one


def want() -> None:
    """Count from now on, for budgets that functions bring along."""
    global current, _wanted
    _wanted = True
    if current is None:
        current = Guard()


def start(
    everywhere: Budget | None, collector: Route | None = None, known: Known | None = None
) -> Guard | None:
    """Put a new guard in, where one is wanted; returns the one that was there, for `stop`."""
    global current
    before = current
    current = Guard(everywhere, collector, known) if everywhere is not None or _wanted else None
    return before


def stop(before: Guard | None) -> None:
    """Go back to the guard that was there."""
    global current
    if current is not None:
        current.close()
    current = Guard() if before is None and _wanted else before
