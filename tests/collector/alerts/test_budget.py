"""Budgets without a store: what is refused, what is told, and that each threshold is passed once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sightline_collector.alerts.budget import Budget, Window, crossings

MARCH_3 = datetime(2025, 3, 3, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOW = Window(
    budget="day:feature=support",
    scope="feature=support",
    per="day",
    start=MARCH_3,
    end=MARCH_3 + DAY,
    spend_usd=Decimal("41.2"),
    limit_usd=Decimal(50),
    thresholds=(50, 80, 100),
    unpriced_calls=3,
    forecast_usd=61.8,
    drivers=(("support / gpt-4o", 30.1), ("support / gpt-5-mini", 11.1)),
    set_at=MARCH_3 - DAY,
)


def test_a_budget_is_named_after_its_window_and_scope() -> None:
    """The same scope and window give the same id, so that setting it again replaces it."""
    assert Budget(limit_usd=Decimal(50), per="day", feature="support").id == "day:feature=support"
    assert Budget(limit_usd=Decimal(9), per="month").id == "month"
    assert Budget(limit_usd=Decimal(9), id="team a").id == "team a"


def test_thresholds_are_kept_in_order_once() -> None:
    """Thresholds come out ascending, each once."""
    assert Budget(limit_usd=Decimal(1), thresholds=(100, 50, 100, 80)).thresholds == (50, 80, 100)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"limit_usd": 0}, "greater than 0"),
        ({"limit_usd": 5, "per": "fortnight"}, "'hour', 'day', 'week' or 'month'"),
        ({"limit_usd": 5, "thresholds": ()}, "at least 1 item"),
        ({"limit_usd": 5, "thresholds": (0,)}, "greater than or equal to 1"),
        ({"limit_usd": 5, "featur": "x"}, "Extra inputs"),
    ],
)
def test_a_wrong_budget_is_refused(wrong: dict[str, object], says: str) -> None:
    """Each field says what it may be."""
    with pytest.raises(ValidationError, match=says):
        Budget.model_validate(wrong)


def test_the_message_says_what_to_know_and_to_do() -> None:
    """Spend, limit, drivers, pace, what is not counted, and the next step."""
    *_, told = crossings([WINDOW], set(), MARCH_3)
    assert told.title == "budget day:feature=support: 82 % of 50.00 USD spent"
    assert told.message == (
        "feature=support: 41.20 USD of 50.00 USD (82.4 %) in the day 2025-03-03 UTC\n"
        "Most of it: support / gpt-4o 30.10 USD, support / gpt-5-mini 11.10 USD\n"
        "At this pace: 61.80 USD by the end of the day\n"
        "Not counted: 3 calls without a price (unpriced_calls)\n"
        "Next: look at `select * from budget_status` and slow the largest driver, or raise the limit with"
        " `sightline budget set`"
    )


def test_the_highest_threshold_is_told_and_all_are_kept() -> None:
    """A jump over three thresholds is three events and one message."""
    events = crossings([replace(WINDOW, spend_usd=Decimal(60))], set(), MARCH_3)
    assert [(e.threshold, e.notify, e.severity) for e in events] == [
        (50, False, "warning"),
        (80, False, "warning"),
        (100, True, "critical"),
    ]


def test_many_windows_found_at_once_are_one_message() -> None:
    """Of several days that are found together the newest is told, and names the others."""
    days = [replace(WINDOW, start=MARCH_3 + i * DAY, end=MARCH_3 + (i + 1) * DAY) for i in range(3)]
    events = crossings(days, set(), MARCH_3)
    (told,) = [event for event in events if event.notify]
    assert told.window_start == MARCH_3 + 2 * DAY
    assert told.message.endswith("in earlier windows: 2025-03-03 (82 %), 2025-03-04 (82 %)")
    assert len(events) == 6


def test_a_threshold_is_reached_exactly() -> None:
    """80 % of the limit passes the threshold of 80, a millionth less does not."""
    assert replace(WINDOW, spend_usd=Decimal(40)).passed() == [50, 80]
    assert replace(WINDOW, spend_usd=Decimal("39.999999")).passed() == [50]


def test_a_raised_limit_makes_new_thresholds() -> None:
    """What passed 100 % of the old limit passes 50 % of the new one, and is told."""
    old = {e.event_id for e in crossings([replace(WINDOW, spend_usd=Decimal(60))], set(), MARCH_3)}
    raised = replace(WINDOW, spend_usd=Decimal(60), limit_usd=Decimal(100))
    assert [e.threshold for e in crossings([raised], old, MARCH_3)] == [50]


@given(
    spends=st.lists(st.integers(0, 140), min_size=1, max_size=30),
    thresholds=st.lists(st.integers(1, 130), min_size=1, max_size=5, unique=True).map(sorted),
)
def test_each_threshold_is_passed_once(spends: list[int], thresholds: list[int]) -> None:
    """However spend moves between looks, each threshold that it ever reached is one event."""
    known: set[str] = set()
    passed: list[float | None] = []
    for minute, spent in enumerate(spends):
        window = replace(
            WINDOW, spend_usd=Decimal(spent), limit_usd=Decimal(100), thresholds=tuple(thresholds)
        )
        events = crossings([window], known, MARCH_3 + timedelta(minutes=minute))
        known |= {event.event_id for event in events}
        passed += [event.threshold for event in events]
        assert sum(event.notify for event in events) == bool(events)
    assert sorted(t for t in passed if t is not None) == [t for t in thresholds if t <= max(spends)]
