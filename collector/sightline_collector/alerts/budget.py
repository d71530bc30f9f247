"""A budget: what it limits, when a window passes one of its thresholds, and what people read then. Pure.

Each threshold of each window is passed once, however often it is looked at and whatever arrives late.
Raising the limit makes new thresholds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sightline_collector.alerts.event import Event, Severity

SCOPES = ("project", "service", "feature", "model", "user_id")
ID_LENGTH = 200
EARLIER_SHOWN = 7
"""How many earlier windows a message names: more would bury the newest."""
ADVICE = {
    "warning": "look at `select * from budget_status` and slow the largest driver, or raise the limit with"
    " `sightline budget set`",
    "critical": "stop or cheapen the largest driver, or raise the limit with `sightline budget set`;"
    " calls are not blocked",
}


class Budget(BaseModel):
    """A limit in USD per calendar window (UTC; weeks begin on Monday) on what a scope spends.

    A scope that is empty admits anything. `id` is made of scope and window when not given, so that setting
    the same budget again replaces it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit_usd: Annotated[Decimal, Field(gt=0, le=Decimal("1e11"), max_digits=18, decimal_places=6)]
    per: Literal["hour", "day", "week", "month"] = "day"
    project: str = ""
    service: str = ""
    feature: str = ""
    model: str = ""
    user_id: str = ""
    thresholds: Annotated[tuple[Annotated[int, Field(ge=1, le=1000)], ...], Field(min_length=1)] = (
        50,
        80,
        100,
    )
    notify: tuple[str, ...] = ()
    id: Annotated[str, Field(max_length=ID_LENGTH)] = ""

    @field_validator("thresholds")
    @classmethod
    def _ascending(cls, thresholds: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(thresholds)))

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or given.get("id"):
            return given
        scope = ",".join(f"{name}={given[name]}" for name in SCOPES if given.get(name))
        name = f"{given.get('per', 'day')}:{scope}".removesuffix(":")
        return {**given, "id": name if len(name) <= ID_LENGTH else _digest(name)}


@dataclass(frozen=True, slots=True)
class Window:
    """A row of budget_windows."""

    budget: str
    scope: str
    per: str
    start: datetime
    end: datetime
    spend_usd: Decimal
    limit_usd: Decimal
    thresholds: tuple[int, ...]
    unpriced_calls: int
    forecast_usd: float | None
    drivers: tuple[tuple[str, float], ...]
    set_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Window:
        """The window of a row of budget_windows."""
        return cls(
            budget=row["budget"],
            scope=row["scope"],
            per=row["per"],
            start=row["window_start"].replace(tzinfo=UTC),
            end=row["window_end"].replace(tzinfo=UTC),
            spend_usd=row["spend_usd"],
            limit_usd=row["limit_usd"],
            thresholds=tuple(row["thresholds"]),
            unpriced_calls=int(row["unpriced_calls"]),
            forecast_usd=row["forecast_usd"],
            drivers=tuple((d["driver"], d["usd"]) for d in row["drivers"]),
            set_at=row["set_at"].replace(tzinfo=UTC),
        )

    @property
    def share_pct(self) -> float:
        """What was spent, in percent of the limit."""
        return float(100 * self.spend_usd / self.limit_usd)

    def passed(self) -> list[int]:
        """The thresholds that the spend has reached, ascending."""
        return [t for t in self.thresholds if self.spend_usd * 100 >= self.limit_usd * t]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def crossings(windows: Iterable[Window], known: Set[str], now: datetime) -> list[Event]:
    """The thresholds passed that no event of `known` (event ids) stands for, as events.

    Of all that one budget passed at one look, people are told of the highest threshold of the newest
    window; that message names the other windows.
    """
    by_budget: dict[str, list[tuple[Window, list[Event]]]] = {}
    for window in sorted(windows, key=lambda w: w.start):
        events = (_event(window, threshold, now) for threshold in window.passed())
        fresh = [event for event in events if event.event_id not in known]
        if fresh:
            by_budget.setdefault(window.budget, []).append((window, fresh))
    return [event for passed in by_budget.values() for event in _one_told(passed)]


def _one_told(passed: list[tuple[Window, list[Event]]]) -> list[Event]:
    """All events of one budget, of which the last is told and names the windows before it."""
    *silent, told = [event for _, fresh in passed for event in fresh]
    earlier = [f"{_when(window)} ({window.share_pct:.0f} %)" for window, _ in passed[:-1]]
    if earlier:
        shown = ", ".join(earlier[-EARLIER_SHOWN:])
        told = replace(told, message=f"{told.message}\nFound at the same time, in earlier windows: {shown}")
    return [*(replace(event, notify=False) for event in silent), told]


def _event(window: Window, threshold: int, now: datetime) -> Event:
    severity: Severity = "critical" if threshold >= 100 else "warning"
    return Event(
        at=now,
        kind="budget",
        key=window.budget,
        labels=(
            ("limit_usd", f"{window.limit_usd.normalize():f}"),
            ("threshold_pct", str(threshold)),
            ("window", _when(window)),
        ),
        state="firing",
        severity=severity,
        value=window.share_pct,
        threshold=float(threshold),
        title=f"budget {window.budget}: {window.share_pct:.0f} % of {_usd(window.limit_usd)} spent",
        message=_message(window, severity),
        notify=True,
        window_start=window.start,
        window_end=window.end,
    )


def _message(window: Window, severity: Severity) -> str:
    lines = [
        f"{window.scope}: {_usd(window.spend_usd)} of {_usd(window.limit_usd)} ({window.share_pct:.1f} %)"
        f" in the {window.per} {_when(window)} UTC"
    ]
    if window.drivers:
        named = ", ".join(f"{driver or 'unnamed'} {_usd(usd)}" for driver, usd in window.drivers)
        lines.append(f"Most of it: {named}")
    if window.forecast_usd is not None:
        lines.append(f"At this pace: {_usd(window.forecast_usd)} by the end of the {window.per}")
    if window.unpriced_calls:
        lines.append(f"Not counted: {window.unpriced_calls} calls without a price (unpriced_calls)")
    return "\n".join([*lines, f"Next: {ADVICE[severity]}"])


def _when(window: Window) -> str:
    forms = {"hour": "%Y-%m-%d %H:00", "day": "%Y-%m-%d", "week": "from %Y-%m-%d", "month": "%Y-%m"}
    return window.start.strftime(forms[window.per])


def _usd(amount: Decimal | float) -> str:
    """Two places; as many as are needed to tell a small amount from nothing."""
    number = float(amount)
    return f"{number:,.2f} USD" if number >= 0.1 or number == 0 else f"{number:.2g} USD"
