"""Budgets without a store: what they are named, what is refused, and which thresholds a window has passed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from collector.alerts.spending import WINDOW
from pydantic import ValidationError

from sightline_collector.alerts.budget import Budget


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
        ({"limit_usd": 5, "feature": "a\x1b[2Jb"}, "holds control characters"),
        ({"limit_usd": 5, "user_id": "a\nb"}, "holds control characters"),
        ({"limit_usd": 5, "model": "\udcff"}, "holds control characters"),
        ({"limit_usd": 5, "id": "\x00"}, "holds control characters"),
        ({"limit_usd": 5, "notify": ("json://host/to\nken",)}, "an address holds control characters"),
    ],
)
def test_a_wrong_budget_is_refused(wrong: dict[str, object], says: str) -> None:
    """Each field says what it may be."""
    with pytest.raises(ValidationError, match=says):
        Budget.model_validate(wrong)


def test_names_may_be_of_any_script() -> None:
    """What people call features and users is taken as it is: only what is no character is refused."""
    for name in ("größe", "检索", "👩‍💻 help", "a=b,c/d", "تقرير"):
        assert Budget(limit_usd=Decimal(1), feature=name).id == f"day:feature={name}"


def test_a_threshold_is_reached_exactly() -> None:
    """80 % of the limit passes the threshold of 80, a millionth less does not."""
    assert replace(WINDOW, spend_usd=Decimal(40)).passed() == [50, 80]
    assert replace(WINDOW, spend_usd=Decimal("39.999999")).passed() == [50]
