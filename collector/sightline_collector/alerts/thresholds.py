"""When a window of a budget passes one of its thresholds, when that is over, and what people read then. Pure.

                spend reaches threshold
                of the limit in force
    (nothing) ──────────────────────────▶ firing ─────────▶ over with its window
                                          │    ▲
              the limit was raised, or    │    │  as before, once the
              the threshold taken away    ▼    │  old limit is back
                                         resolved

Each threshold of each limit in each window fires once, however often it is looked at and whatever arrives
late. People are told that it is over when they were told that it fired and the spend is below it now; not
when the same threshold of a new limit fires in its place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sightline_collector.alerts.budget import Window
from sightline_collector.alerts.event import Event, Severity
from sightline_collector.alerts.rule import Labels

EARLIER_SHOWN = 7
"""How many earlier windows a message names: more would bury the newest."""
ADVICE = {
    "warning": "look at `select * from budget_status` and slow the largest driver, or raise the limit with"
    " `sightline budget set`",
    "critical": "stop or cheapen the largest driver, or raise the limit with `sightline budget set`;"
    " calls are not blocked",
}


@dataclass(frozen=True, slots=True)
class Passed:
    """A threshold that a window passed, as the stored events left it."""

    budget: str
    labels: Labels
    threshold: float
    severity: Severity
    window_start: datetime
    window_end: datetime
    firing: bool
    told: bool
    resolved: int
    """How often it was resolved so far."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Passed:
        """From the newest of a threshold's rows in alert_events_v1, and the count of its resolutions."""
        return cls(
            budget=row["key"],
            labels=tuple(row["labels"].items()),
            threshold=row["threshold"],
            severity=row["severity"],
            window_start=row["window_start"].replace(tzinfo=UTC),
            window_end=row["window_end"].replace(tzinfo=UTC),
            firing=row["state"] == "firing",
            told=bool(row["notify"]),
            resolved=int(row["resolved"]),
        )


def crossings(windows: Iterable[Window], past: Collection[Passed], now: datetime) -> list[Event]:
    """The thresholds passed that do not fire already, as events.

    Of all that one budget passed at one look, people are told of the highest threshold of the newest
    window; that message names the other windows.
    """
    known = {(one.budget, one.labels): one for one in past}
    by_budget: dict[str, list[tuple[Window, list[Event]]]] = {}
    for window in sorted(windows, key=lambda w: w.start):
        fresh = []
        for threshold in window.passed():
            before = known.get((window.budget, window.labels(threshold)))
            if before is None or not before.firing:
                fresh.append(_fired(window, threshold, now, before.resolved if before else 0))
        if fresh:
            by_budget.setdefault(window.budget, []).append((window, fresh))
    return [event for passed in by_budget.values() for event in _one_told(passed)]


def resolutions(windows: Iterable[Window], past: Collection[Passed], now: datetime) -> list[Event]:
    """The thresholds that fire in an open window and no longer hold there, as events.

    A limit was raised or lowered, a threshold or the whole budget taken away. Of what one budget resolved at
    one look, people are told once: of the highest threshold that is over.
    """
    at = {(window.budget, window.start): window for window in windows}
    ended: list[Event] = []
    told: set[str] = set()
    for one in sorted(past, key=lambda p: -p.threshold):
        window = at.get((one.budget, one.window_start))
        if not one.firing or one.window_end <= now or (window and _holds(window, one)):
            continue
        event = _resolved(one, window, now, already_told=one.budget in told)
        if event.notify:
            told.add(one.budget)
        ended.append(event)
    return ended


def _holds(window: Window, one: Passed) -> bool:
    return one.labels in map(window.labels, window.passed())


def _one_told(passed: list[tuple[Window, list[Event]]]) -> list[Event]:
    """All events of one budget, of which the last is told and names the windows before it."""
    *silent, told = [event for _, fresh in passed for event in fresh]
    earlier = [f"{window.when} ({window.share_pct:.0f} %)" for window, _ in passed[:-1]]
    if earlier:
        shown = ", ".join(earlier[-EARLIER_SHOWN:])
        told = replace(told, message=f"{told.message}\nFound at the same time, in earlier windows: {shown}")
    return [*(replace(event, notify=False) for event in silent), told]


def _fired(window: Window, threshold: int, now: datetime, resolved_before: int) -> Event:
    severity: Severity = "critical" if threshold >= 100 else "warning"
    return Event(
        at=now,
        kind="budget",
        key=window.budget,
        labels=window.labels(threshold),
        state="firing",
        severity=severity,
        value=window.share_pct,
        threshold=float(threshold),
        title=f"budget {window.budget}: {_spent(window)}, past {threshold} %",
        message=_message(window, severity),
        notify=True,
        window_start=window.start,
        window_end=window.end,
        resolved_before=resolved_before,
    )


def _resolved(one: Passed, window: Window | None, now: datetime, *, already_told: bool) -> Event:
    """`window` is None when the budget is gone, or has spent nothing."""
    over = window is not None and not window.reaches(one.threshold)
    now_is = _spent(window) if window else "the budget is not in force"
    return Event(
        at=now,
        kind="budget",
        key=one.budget,
        labels=one.labels,
        state="resolved",
        severity=one.severity,
        value=window.share_pct if window else None,
        threshold=one.threshold,
        title=f"budget {one.budget}: over, {now_is}" + (f", below {one.threshold:g} %" if over else ""),
        message=f"{_standing(window)}\nNext: nothing to do" if window else "Next: nothing to do",
        notify=one.told and over and not already_told,
        window_start=one.window_start,
        window_end=one.window_end,
        resolved_before=one.resolved,
    )


def _spent(window: Window) -> str:
    return f"{window.share_pct:.0f} % of {_usd(window.limit_usd)} spent"


def _standing(window: Window) -> str:
    return (
        f"{window.scope}: {_usd(window.spend_usd)} of {_usd(window.limit_usd)} ({window.share_pct:.1f} %)"
        f" in the {window.per} {window.when} UTC"
    )


def _message(window: Window, severity: Severity) -> str:
    lines = [_standing(window)]
    if window.drivers:
        named = ", ".join(f"{driver or 'unnamed'} {_usd(usd)}" for driver, usd in window.drivers)
        lines.append(f"Most of it: {named}")
    if window.forecast_usd is not None:
        lines.append(f"At this pace: {_usd(window.forecast_usd)} by the end of the {window.per}")
    if window.unpriced_calls:
        calls = "call" if window.unpriced_calls == 1 else "calls"
        lines.append(f"Not counted: {window.unpriced_calls} {calls} without a price (unpriced_calls)")
    return "\n".join([*lines, f"Next: {ADVICE[severity]}"])


def _usd(amount: Decimal | float) -> str:
    """Two places; of less than a cent as many as tell it from nothing. Never as a power of ten."""
    number = Decimal(str(amount))
    if number >= Decimal("0.1") or not number:
        return f"{number:,.2f} USD"
    return f"{Decimal(f'{number:.2g}'):f} USD"
