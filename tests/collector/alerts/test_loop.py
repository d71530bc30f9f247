"""The whole loop on a real store and a real webhook, with time given: restarts, late spans, outages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event

import pytest
from collector.alerts.spending import spend
from collector.alerts.webhook import Webhook
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from sightline_collector.alerts.api import current_alerts, remove_budget, set_budget
from sightline_collector.alerts.budget import Budget
from sightline_collector.alerts.loop import AlertLoop
from sightline_collector.alerts.rule import Rule
from sightline_collector.alerts.watch import Watch
from sightline_collector.health import Health
from sightline_collector.store.engine import Engine

NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


TABLES = ("spans_v1", "budgets_v1", "alert_events_v1", "alert_deliveries_v1")


@pytest.fixture(autouse=True)
def _empty(engine: Engine) -> None:
    for table in TABLES:
        engine.command(f"truncate table {table}")


def fresh_loop(
    engine: Engine, rules: Sequence[Rule] = (), channels: Sequence[str] = (), health: Health | None = None
) -> AlertLoop:
    """A loop as it is after a start of the collector: it knows only what the store holds."""
    return AlertLoop(engine, health or Health(), interval_s=0.01, rules=rules, channels=channels)


def budget(
    engine: Engine, webhook: Webhook, feature: str, set_at: datetime = NOON - DAY, **fields: object
) -> str:
    """A budget of 10 USD a day on a feature, set the day before unless told otherwise."""
    given = {"limit_usd": Decimal(10), "feature": feature, "notify": (webhook.address,), **fields}
    return set_budget(engine, Budget.model_validate(given), set_at).id


def history(engine: Engine, key: str) -> list[dict[str, object]]:
    return engine.rows(
        "select * from alert_history where key = {key:String} order by at, threshold", {"key": key}
    )


def failing_share(query: str, **fields: object) -> Rule:
    return Rule.model_validate(
        {
            "name": "failures",
            "query": query,
            "above": 0.5,
            "severity": "critical",
            "summary": "{value:.0%} of {samples} calls of {model} failed",
            "next_step": "look",
            **fields,
        }
    )


def failures_of(feature: str) -> str:
    return (
        "select model, count() as samples, countIf(status = 'error') / count() as value from spans_v1"
        f" where feature = '{feature}' and started_at > {{now:DateTime}} - interval 5 minute"
        " and started_at <= {now:DateTime} group by model"
    )


def test_each_threshold_is_told_once_through_restarts(engine: Engine, webhook: Webhook) -> None:
    """50, 80 and 100 % are told as they are passed; looking again, also after a restart, tells nobody."""
    key = budget(engine, webhook, "once")
    for minute, usd in enumerate([4, 2, 0, 2, 1, 3, 5]):
        now = NOON + minute * MINUTE
        if usd:
            spend(engine, now, usd, feature="once")
        fresh_loop(engine).round(now)
    assert webhook.titles() == [
        f"budget {key}: {pct} % of 10.00 USD spent, past {past} %"
        for pct, past in ((60, 50), (80, 80), (120, 100))
    ]
    rows = history(engine, key)
    assert [(row["threshold"], row["delivery"]) for row in rows] == [
        (50, "delivered"),
        (80, "delivered"),
        (100, "delivered"),
    ]
    assert {row["channels"] for row in rows} == {webhook.shown}


def test_a_raised_limit_ends_the_alerts_of_the_old_one(engine: Engine, webhook: Webhook) -> None:
    """Once the limit is raised nothing of the old one fires, people are told so once, also by the next
    collector, and a limit that is lowered again fires again."""
    today = datetime.now(UTC)
    key = budget(engine, webhook, "raised", per="month", thresholds=(80, 100))
    spend(engine, today, 12, feature="raised")
    fresh_loop(engine).round(today)
    fired = [f"budget {key}: 120 % of 10.00 USD spent, past {past} %" for past in (100, 80)]
    assert [alert["title"] for alert in current_alerts(engine)] == fired
    budget(engine, webhook, "raised", per="month", thresholds=(80, 100), limit_usd=Decimal(100), set_at=today)
    for minute in (1, 2):
        fresh_loop(engine).round(today + minute * MINUTE)
        assert current_alerts(engine) == []
    budget(engine, webhook, "raised", per="month", thresholds=(80, 100), set_at=today + MINUTE)
    fresh_loop(engine).round(today + 3 * MINUTE)
    assert [alert["title"] for alert in current_alerts(engine)] == fired
    over = f"budget {key}: over, 12 % of 100.00 USD spent, below 100 %"
    assert webhook.titles() == [fired[0], over, fired[0]]
    assert [post["type"] for post in webhook.posts] == ["failure", "success", "failure"]


def test_the_next_window_begins_anew(engine: Engine, webhook: Webhook) -> None:
    """A threshold that was passed yesterday is passed again today."""
    budget(engine, webhook, "daily")
    loop = fresh_loop(engine)
    for day in range(2):
        spend(engine, NOON + day * DAY, 6, feature="daily")
        loop.round(NOON + day * DAY)
    assert len(webhook.posts) == 2


def test_late_spans_pass_a_threshold_of_a_window_that_is_over(engine: Engine, webhook: Webhook) -> None:
    """Spans of yesterday that come today are charged to yesterday, and told."""
    budget(engine, webhook, "late", thresholds=(100,))
    spend(engine, NOON, 6, feature="late")
    loop = fresh_loop(engine)
    assert loop.round(NOON + DAY) == []
    spend(engine, NOON, 6, feature="late", came=NOON + DAY)
    loop.round(NOON + DAY + MINUTE)
    assert "120.0 %) in the day 2025-03-03" in webhook.posts[0]["message"]


def test_windows_over_before_the_budget_was_set_are_left_alone(engine: Engine, webhook: Webhook) -> None:
    """A new budget says nothing of last week, until spans come that belong there."""
    spend(engine, NOON - 3 * DAY, 20, feature="new")
    budget(engine, webhook, "new")
    loop = fresh_loop(engine)
    assert loop.round(NOON) == []
    spend(engine, NOON - 3 * DAY, 1, feature="new", came=NOON)
    loop.round(NOON + MINUTE)
    assert len(webhook.posts) == 1


def test_windows_long_over_are_not_looked_at(engine: Engine, webhook: Webhook) -> None:
    """What comes more than a week after a window's end is charged, and no alert."""
    budget(engine, webhook, "ancient")
    spend(engine, NOON - 9 * DAY, 20, feature="ancient", came=NOON)
    assert fresh_loop(engine).round(NOON) == []


def test_a_removed_budget_tells_nobody(engine: Engine, webhook: Webhook) -> None:
    """After its removal a budget's spend is nobody's business."""
    key = budget(engine, webhook, "removed")
    remove_budget(engine, key, NOON)
    spend(engine, NOON, 20, feature="removed")
    assert fresh_loop(engine).round(NOON + MINUTE) == []
    assert webhook.posts == []


def test_a_channel_that_fails_is_tried_again(engine: Engine, webhook: Webhook) -> None:
    """A refusal is retried after a pause, not before, also by the next collector, and then told once."""
    key = budget(engine, webhook, "retry")
    spend(engine, NOON, 6, feature="retry")
    webhook.answers = [503]
    fresh_loop(engine).round(NOON)
    assert [row["delivery"] for row in history(engine, key)] == ["waiting"]
    fresh_loop(engine).round(NOON + timedelta(seconds=29))
    assert webhook.posts == []
    for seconds in (30, 60, 600):
        fresh_loop(engine).round(NOON + timedelta(seconds=seconds))
    assert len(webhook.posts) == 1
    assert [(row["delivery"], row["attempts"]) for row in history(engine, key)] == [("delivered", 2)]


def test_a_channel_that_never_answers_is_given_up(engine: Engine, webhook: Webhook) -> None:
    """Five attempts over three quarters of an hour, then a failed delivery that history and metrics show."""
    key = budget(engine, webhook, "dead")
    spend(engine, NOON, 6, feature="dead")
    webhook.answers = [500] * 100
    health = Health()
    loop = fresh_loop(engine, health=health)
    for seconds in (0, 29, 30, 149, 150, 629, 630, 2549, 2550, 5000):
        loop.round(NOON + timedelta(seconds=seconds))
    assert 100 - len(webhook.answers) == 5
    assert [(row["delivery"], row["attempts"]) for row in history(engine, key)] == [("failed", 5)]
    errors = engine.rows("select distinct error from alert_deliveries_v1 where outcome = 'failed'")
    assert [row["error"] for row in errors] == ["answered 500"]
    assert counted(health, "sightline_alert_deliveries_total") == {"retry": 4, "failed": 1}


def counted(health: Health, name: str) -> dict[str, float]:
    """A counter's values by the value of its label."""
    families = text_string_to_metric_families(health.exposition().decode())
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return {next(iter(sample.labels.values()), ""): sample.value for sample in samples}


def test_what_was_found_but_not_told_is_told_by_the_next_collector(engine: Engine, webhook: Webhook) -> None:
    """A collector that dies between finding and telling leaves the telling to the next."""
    budget(engine, webhook, "crash")
    spend(engine, NOON, 6, feature="crash")
    Watch(engine, [], lambda rule, error: None).look(NOON)
    assert webhook.posts == []
    fresh_loop(engine).round(NOON + MINUTE)
    assert len(webhook.posts) == 1


def test_a_rule_goes_its_way_through_restarts(engine: Engine, webhook: Webhook) -> None:
    """Pending, firing, resolved: each is kept, and a collector that starts in between goes on."""
    rule = failing_share(failures_of("rule"), **{"for": "2m", "interval": "1m", "min_samples": 4})
    for minute in range(14):
        now = NOON + minute * MINUTE
        bad = minute < 5
        spend(engine, now, None, calls=5, feature="rule", status="error" if bad else "ok")
        fresh_loop(engine, [rule], [webhook.address]).round(now)
        if minute == 4:
            (alert,) = [a for a in current_alerts(engine) if a["key"] == "failures"]
            assert (alert["state"], alert["labels"], alert["delivery"]) == (
                "firing",
                {"model": "m1"},
                "delivered",
            )
    assert [row["state"] for row in history(engine, "failures")] == ["pending", "firing", "resolved"]
    assert webhook.titles() == ["failures (m1)", "failures: over (m1)"]
    assert webhook.posts[0]["message"] == "100% of 15 calls of m1 failed\nNext: look"
    assert [post["type"] for post in webhook.posts] == ["failure", "success"]


def test_a_rule_waits_for_its_interval(engine: Engine) -> None:
    """A rule is asked once an interval, however often the loop comes round."""
    rule = failing_share(failures_of("seldom"), interval="10m")
    loop = fresh_loop(engine, [rule])
    assert loop.round(NOON) == []
    spend(engine, NOON + 8 * MINUTE, None, calls=5, feature="seldom", status="error")
    assert loop.round(NOON + 9 * MINUTE) == []
    assert [event.state for event in loop.round(NOON + 10 * MINUTE)] == ["firing"]


def test_a_rule_that_fails_is_counted_and_disturbs_nothing(engine: Engine, webhook: Webhook) -> None:
    """A query that the store refuses leaves other rules and budgets as they are."""
    budget(engine, webhook, "beside")
    spend(engine, NOON, 6, feature="beside")
    health = Health()
    broken = failing_share("select nothing from nowhere", name="broken")
    loop = fresh_loop(engine, [broken, failing_share(failures_of("none"))], health=health)
    events = loop.round(NOON)
    assert [event.kind for event in events] == ["budget"]
    assert counted(health, "sightline_alert_failed_rules_total") == {"broken": 1}


def test_it_looks_on_by_itself_until_its_block_ends(engine: Engine, webhook: Webhook) -> None:
    """Inside running() rounds come by themselves and tell; after it no round is under way."""
    budget(engine, webhook, "task")
    spend(engine, NOON, 6, feature="task")
    loop = AlertLoop(engine, Health(), interval_s=0.01, rules=[], clock=lambda: NOON)

    async def running() -> None:
        async with loop.running():
            assert await asyncio.to_thread(webhook.arrived.wait, 20)

    asyncio.run(running())
    assert len(webhook.posts) == 1


def test_a_stop_waits_for_the_round_under_way(engine: Engine) -> None:
    """The block ends after the round's last word to the store, which may be closed then."""
    said: list[str] = []
    begun, may_end = Event(), Event()

    def clock() -> datetime:
        begun.set()
        assert may_end.wait(20)
        said.append("round")
        return NOON

    async def stopped() -> None:
        async with AlertLoop(engine, Health(), interval_s=60, rules=[], clock=clock).running():
            assert await asyncio.to_thread(begun.wait, 20)
            asyncio.get_running_loop().call_soon(may_end.set)
        said.append("stopped")

    asyncio.run(stopped())
    assert said == ["round", "stopped"]


def test_what_could_not_be_told_is_logged_with_its_title(engine: Engine, webhook: Webhook) -> None:
    """The log says which alert did not reach which machine, and nothing that could be a secret."""
    key = budget(engine, webhook, "logged")
    spend(engine, NOON, 6, feature="logged")
    webhook.answers = [503]
    with capture_logs() as logged:
        fresh_loop(engine).round(NOON)
    (line,) = [each for each in logged if each["event"] == "alert not delivered"]
    assert line["title"] == f"budget {key}: 60 % of 10.00 USD spent, past 50 %"
    assert (line["channel"], line["error"]) == (webhook.shown, "answered 503")
    assert "s3cret" not in str(line)
