"""budget_windows and budget_status over given spans: scopes, calendar windows, money and pace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from collector.alerts.spending import spend

from sightline_collector.alerts.api import list_budgets, remove_budget, set_budget
from sightline_collector.alerts.budget import Budget
from sightline_collector.alerts.event import stored_time
from sightline_collector.alerts.notify import masked
from sightline_collector.errors import BadConfiguration
from sightline_collector.store.engine import Engine

SUNDAY = datetime(2025, 3, 2, 23, 30, tzinfo=UTC)
MONDAY = datetime(2025, 3, 3, 0, 30, tzinfo=UTC)
APRIL = datetime(2025, 4, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def spent(engine: Engine) -> Engine:
    """Calls around a day's, a week's and a month's edge, of two features, models and users."""
    spend(engine, SUNDAY, 1, user_id="ann")
    spend(engine, MONDAY, 2, model="m2", user_id="ann")
    spend(engine, MONDAY + timedelta(hours=1), 4, feature="search", project="other", service="s2")
    spend(engine, APRIL, 8, user_id="bob")
    spend(engine, APRIL, None, calls=3)
    spend(engine, APRIL, 100, operation="agent")
    return engine


def windows(engine: Engine, **fields: Any) -> dict[str, Decimal]:
    """By window start, what a budget with these fields spent; windows without spend left out."""
    budget_id = set_budget(engine, Budget(limit_usd=Decimal(10), id="probe", **fields)).id
    rows = engine.rows(
        "select * from budget_windows where budget = {id:String} and spend_usd > 0 order by window_start",
        {"id": budget_id},
    )
    return {row["window_start"].strftime("%m-%d %H"): row["spend_usd"] for row in rows}


@pytest.mark.parametrize(
    ("per", "expected"),
    [
        ("hour", {"03-02 23": 1, "03-03 00": 2, "03-03 01": 4, "04-01 12": 8}),
        ("day", {"03-02 00": 1, "03-03 00": 6, "04-01 00": 8}),
        ("week", {"02-24 00": 1, "03-03 00": 6, "03-31 00": 8}),
        ("month", {"03-01 00": 7, "04-01 00": 8}),
    ],
)
def test_windows_are_the_calendars(spent: Engine, per: str, expected: dict[str, int]) -> None:
    """Hours, days, weeks from Monday and months, in UTC; only model calls are charged."""
    assert windows(spent, per=per) == expected


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"feature": "search"}, {"03-01 00": 4}),
        ({"project": "other"}, {"03-01 00": 4}),
        ({"service": "s2"}, {"03-01 00": 4}),
        ({"model": "m2"}, {"03-01 00": 2}),
        ({"user_id": "ann"}, {"03-01 00": 3}),
        ({"user_id": "ann", "model": "m1"}, {"03-01 00": 1}),
        ({"feature": "support", "model": "m1"}, {"03-01 00": 1, "04-01 00": 8}),
        ({"feature": "none"}, {}),
    ],
)
def test_scopes_combine(spent: Engine, scope: dict[str, str], expected: dict[str, int]) -> None:
    """Project, service, feature, model and user limit a budget, alone and together."""
    assert windows(spent, per="month", **scope) == expected


def test_a_window_tells_its_drivers_and_what_it_leaves_out(spent: Engine) -> None:
    """The costliest pairs, the calls without a price, the state; no forecast once it is over."""
    set_budget(
        spent, Budget(limit_usd=Decimal(8), per="month", id="drivers", notify=("https://h.example/s3cret",))
    )
    rows = spent.rows("select * from budget_windows where budget = 'drivers' order by window_start")
    march, april = rows[0], rows[1]
    assert [(d["driver"], d["usd"]) for d in march["drivers"]] == [
        ("search / m1", 4),
        ("support / m2", 2),
        ("support / m1", 1),
    ]
    assert (march["share_pct"], march["state"], march["elapsed_pct"]) == (87.5, "warning", 100)
    assert (april["calls"], april["unpriced_calls"], april["state"]) == (4, 3, "exceeded")
    assert march["forecast_usd"] is None
    assert list(march["channels"]) == ["https://h.example/***"]


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.example/t0ken?t0ken#t0ken",
        "json://t0ken:t0ken@hooks.example:8080/",
        "jsons://t0ken:t0@ken@hooks.example",
        "https://user:t0ken@[::1]:8443/t0ken",
        "mailto://me:t0ken@mail.example",
        "slack://t0kenA/t0kenB/t0kenC",
        "discord://t0ken@t0ken",
    ],
)
def test_a_channel_is_shown_as_in_the_log(engine: Engine, address: str) -> None:
    """The view shows of an address what the log shows of it, and no secret."""
    engine.insert(
        "budgets_v1", [{"id": "shown", "set_at": stored_time(APRIL, "seconds"), "notify": [address]}]
    )
    (row,) = engine.rows("select channels from budget_limits where budget = 'shown'")
    engine.command("delete from budgets_v1 where id = 'shown'")
    assert list(row["channels"]) == [masked(address)]
    assert "t0" not in masked(address)


def test_the_open_window_is_shown_also_without_spend(spent: Engine) -> None:
    """A new budget has a row at once: nothing spent, ok."""
    set_budget(spent, Budget(limit_usd=Decimal(5), per="hour", feature="quiet", id="quiet"))
    (row,) = [row for row in list_budgets(spent) if row["budget"] == "quiet"]
    assert (row["spend_usd"], row["state"], row["scope"]) == (0, "ok", "feature=quiet")
    assert row["window_end"] - row["window_start"] == timedelta(hours=1)


def test_the_forecast_goes_on_at_the_windows_pace(spent: Engine) -> None:
    """Spend divided by the part that has passed, and nothing before a tenth has."""
    for per in ("hour", "day", "week", "month"):
        set_budget(spent, Budget(limit_usd=Decimal(5), per=per, feature="pace", id=f"pace {per}"))
    spend(spent, datetime.now(UTC), 3, feature="pace")
    rows = [row for row in list_budgets(spent) if row["budget"].startswith("pace")]
    paid = [row for row in rows if row["spend_usd"] > 0]
    assert (len(rows), len(paid) >= 3) == (4, True)  # a window may have ended since
    for row in paid:
        if row["elapsed_pct"] < 9.9:
            assert row["forecast_usd"] is None
        elif row["elapsed_pct"] > 10.1:
            assert row["forecast_usd"] == pytest.approx(300 / row["elapsed_pct"], rel=0.01)


def test_setting_a_budget_again_replaces_it(spent: Engine) -> None:
    """The newest limit of an id holds."""
    for limit in (5, 7):
        set_budget(spent, Budget(limit_usd=Decimal(limit), feature="again"))
    found = [row["limit_usd"] for row in list_budgets(spent) if row["budget"] == "day:feature=again"]
    assert found == [7]


def test_what_is_not_given_stays(engine: Engine) -> None:
    """A new limit keeps thresholds and channels, unless others are given or the budget was removed."""
    first = {"thresholds": (90,), "notify": ("json://h.example/t0ken",)}
    made = set_budget(engine, Budget.model_validate({"limit_usd": 20, "id": "kept", **first}))
    assert (made.replaced_limit_usd, made.channels) == (None, ("json://h.example/***",))
    made = set_budget(engine, Budget(limit_usd=Decimal(50), id="kept"))
    assert (made.replaced_limit_usd, made.channels) == (Decimal(20), ("json://h.example/***",))
    thresholds = "select thresholds from budget_limits where budget = 'kept'"
    assert list(engine.value(thresholds)) == [90]
    assert set_budget(engine, Budget(limit_usd=Decimal(50), id="kept", notify=())).channels == ()
    remove_budget(engine, "kept")
    made = set_budget(engine, Budget(limit_usd=Decimal(50), id="kept"))
    assert (made.replaced_limit_usd, list(engine.value(thresholds))) == (None, [50, 80, 100])


def test_a_removed_budget_is_gone(spent: Engine) -> None:
    """Removing takes a budget out of force; it can be set again."""
    budget = Budget(limit_usd=Decimal(5), feature="brief")
    set_budget(spent, budget)
    remove_budget(spent, budget.id)
    assert budget.id not in {row["budget"] for row in list_budgets(spent)}
    set_budget(spent, budget)
    assert budget.id in {row["budget"] for row in list_budgets(spent)}


def test_removing_a_budget_that_is_not_there_lists_those_that_are(spent: Engine) -> None:
    """The error names the budgets that can be removed."""
    set_budget(spent, Budget(limit_usd=Decimal(5), id="the one"))
    with pytest.raises(BadConfiguration, match="the one"):
        remove_budget(spent, "another")


def test_a_budget_that_cannot_tell_is_not_set(engine: Engine) -> None:
    """An address that nothing can tell is refused, without what could be a token of it."""
    with pytest.raises(BadConfiguration) as caught:
        set_budget(engine, Budget(limit_usd=Decimal(5), id="mute", notify=("slakc://T0KEN",)))
    assert "slakc://***" in str(caught.value)
    assert "T0KEN" not in str(caught.value)
    assert "mute" not in {row["budget"] for row in list_budgets(engine)}
