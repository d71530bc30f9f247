"""Thresholds without a store: each is passed once, is over when its limit is raised, and says what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from collector.alerts.spending import DAY, MARCH_3, WINDOW
from hypothesis import given
from hypothesis import strategies as st

from sightline_collector.alerts.event import Event
from sightline_collector.alerts.thresholds import Passed, crossings, resolutions

SPENT_60 = replace(WINDOW, spend_usd=Decimal(60))
RAISED = replace(SPENT_60, limit_usd=Decimal(100))


def stored(events: Iterable[Event], resolved: int = 0) -> list[Passed]:
    """The events as the store gives them back."""
    rows = (
        {
            **event.row(),
            "window_start": event.window_start,
            "window_end": event.window_end,
            "resolved": resolved,
        }
        for event in events
    )
    return [Passed.of(row) for row in rows]


def test_the_message_says_what_to_know_and_to_do() -> None:
    """Spend, limit, drivers, pace, what is not counted, and the next step."""
    *_, told = crossings([WINDOW], [], MARCH_3)
    assert told.title == "budget day:feature=support: 82 % of 50.00 USD spent, past 80 %"
    assert told.message == (
        "feature=support: 41.20 USD of 50.00 USD (82.4 %) in the day 2025-03-03 UTC\n"
        "Most of it: support / gpt-4o 30.10 USD, support / gpt-5-mini 11.10 USD\n"
        "At this pace: 61.80 USD by the end of the day\n"
        "Not counted: 3 calls without a price (unpriced_calls)\n"
        "Next: look at `select * from budget_status` and slow the largest driver, or raise the limit with"
        " `sightline budget set`"
    )


@pytest.mark.parametrize(
    ("usd", "said"),
    [
        ("0.00002", "0.00002"),
        ("0.000000001234", "0.0000000012"),
        ("0.0999", "0.10"),
        ("0.05", "0.05"),
        ("0.1", "0.10"),
        ("1234567.891", "1,234,567.89"),
        ("1E+3", "1,000.00"),
    ],
)
def test_money_is_written_out(usd: str, said: str) -> None:
    """People read plain decimals, however small the amount: spend, limit, drivers and pace."""
    window = replace(
        WINDOW,
        spend_usd=Decimal(usd),
        limit_usd=Decimal(usd),
        forecast_usd=float(usd),
        drivers=(("m1", float(usd)),),
    )
    *_, told = crossings([window], [], MARCH_3)
    assert told.title == f"budget day:feature=support: 100 % of {said} USD spent, past 100 %"
    assert f": {said} USD of {said} USD (100.0 %)" in told.message
    assert f"m1 {said} USD\nAt this pace: {said} USD by" in told.message


def test_the_highest_threshold_is_told_and_all_are_kept() -> None:
    """A jump over three thresholds is three events and one message."""
    events = crossings([SPENT_60], [], MARCH_3)
    assert [(e.threshold, e.notify, e.severity) for e in events] == [
        (50, False, "warning"),
        (80, False, "warning"),
        (100, True, "critical"),
    ]


def test_many_windows_found_at_once_are_one_message() -> None:
    """Of several days that are found together the newest is told, and names the others."""
    days = [replace(WINDOW, start=MARCH_3 + i * DAY, end=MARCH_3 + (i + 1) * DAY) for i in range(3)]
    events = crossings(days, [], MARCH_3)
    (told,) = [event for event in events if event.notify]
    assert told.window_start == MARCH_3 + 2 * DAY
    assert told.message.endswith("in earlier windows: 2025-03-03 (82 %), 2025-03-04 (82 %)")
    assert len(events) == 6


def test_a_raised_limit_makes_new_thresholds() -> None:
    """What passed 100 % of the old limit passes 50 % of the new one, and is told."""
    old = stored(crossings([SPENT_60], [], MARCH_3))
    assert [(e.threshold, e.notify) for e in crossings([RAISED], old, MARCH_3)] == [(50, True)]


def test_a_raised_limit_resolves_what_it_is_no_longer_past() -> None:
    """Nothing of the old limit stays an alert; people are told once that it is over."""
    ended = resolutions([RAISED], stored(crossings([SPENT_60], [], MARCH_3)), MARCH_3)
    assert [(e.threshold, e.state, e.notify) for e in ended] == [
        (100, "resolved", True),
        (80, "resolved", False),
        (50, "resolved", False),
    ]
    assert ended[0].title == "budget day:feature=support: over, 60 % of 100.00 USD spent, below 100 %"
    assert ended[0].message == (
        "feature=support: 60.00 USD of 100.00 USD (60.0 %) in the day 2025-03-03 UTC\nNext: nothing to do"
    )


def test_a_limit_that_is_raised_too_little_is_no_relief() -> None:
    """When the new limit is passed too, its alert takes the old one's place in silence."""
    window = replace(SPENT_60, limit_usd=Decimal(55), thresholds=(100,))
    old = stored(crossings([replace(window, limit_usd=Decimal(50))], [], MARCH_3))
    assert [(e.threshold, e.notify) for e in crossings([window], old, MARCH_3)] == [(100, True)]
    assert [(e.threshold, e.notify) for e in resolutions([window], old, MARCH_3)] == [(100, False)]


def test_what_still_holds_or_is_past_is_not_resolved() -> None:
    """An alert of the limit in force stays, and so does what a window that is over once passed."""
    old = stored(crossings([SPENT_60], [], MARCH_3))
    assert resolutions([SPENT_60], old, MARCH_3) == []
    assert resolutions([RAISED], old, MARCH_3 + DAY) == []


def test_the_alerts_of_a_removed_budget_end_in_silence() -> None:
    """A budget that is gone has no alerts, and nobody to tell."""
    ended = resolutions([], stored(crossings([SPENT_60], [], MARCH_3)), MARCH_3)
    assert [(e.state, e.notify) for e in ended] == [("resolved", False)] * 3


def test_a_limit_that_is_lowered_again_is_told_again() -> None:
    """After it was resolved a threshold can fire anew, as another event than the first."""
    fired = crossings([SPENT_60], [], MARCH_3)
    ended = resolutions([RAISED], stored(fired), MARCH_3)
    again = crossings([SPENT_60], stored(ended, resolved=1), MARCH_3)
    assert [(e.threshold, e.notify) for e in again] == [(50, False), (80, False), (100, True)]
    assert not {e.event_id for e in again} & {e.event_id for e in [*fired, *ended]}


@given(
    spends=st.lists(st.integers(0, 140), min_size=1, max_size=30),
    thresholds=st.lists(st.integers(1, 130), min_size=1, max_size=5, unique=True).map(sorted),
)
def test_each_threshold_is_passed_once(spends: list[int], thresholds: list[int]) -> None:
    """However spend moves between looks, each threshold that it ever reached is one event."""
    known: list[Passed] = []
    passed: list[float | None] = []
    for minute, spent in enumerate(spends):
        window = replace(
            WINDOW, spend_usd=Decimal(spent), limit_usd=Decimal(100), thresholds=tuple(thresholds)
        )
        events = crossings([window], known, MARCH_3 + timedelta(minutes=minute))
        known += stored(events)
        passed += [event.threshold for event in events]
        assert sum(event.notify for event in events) == bool(events)
    assert sorted(t for t in passed if t is not None) == [t for t in thresholds if t <= max(spends)]
