"""Each shipped rule on a real store: silent on healthy traffic, and what it says when something is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import pytest
from collector.alerts.spending import spend
from sql.drift.answers import Answers, store

from sightline_collector.alerts.event import Event, stored_time
from sightline_collector.alerts.rule import shipped_rules
from sightline_collector.alerts.watch import Watch
from sightline_collector.store.engine import Engine

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_numbers = count()


@pytest.fixture(autouse=True)
def _empty(engine: Engine) -> None:
    for table in ("spans_v1", "feedback_v1", "alert_events_v1"):
        engine.command(f"truncate table {table}")


def looked(engine: Engine, minutes: int = 8) -> list[Event]:
    """What the shipped rules find, looked at each minute up to noon; none may fail."""
    faults: list[str] = []
    watch = Watch(engine, shipped_rules(), lambda rule, error: faults.append(f"{rule.name}: {error}"))
    events = [event for m in range(minutes) for event in watch.look(NOON - (minutes - 1 - m) * MINUTE)]
    assert faults == []
    return [event for event in events if event.state == "firing"]


def thumbs(engine: Engine, at: datetime, up: int, down: int) -> None:
    """Thumbs of one feature at one time."""
    rows = [
        {
            "project": "default",
            "feedback_id": str(next(_numbers)),
            "at": stored_time(at, "seconds"),
            "received_at": stored_time(at, "seconds"),
            "kind": "thumbs",
            "score": int(i < up),
            "feature": "support",
        }
        for i in range(up + down)
    ]
    engine.insert("feedback_v1", rows)


def healthy(engine: Engine) -> None:
    """A week of steady, priced, quick, liked calls."""
    generator = np.random.default_rng(3)
    call = {"cost_usd": 0.01, "status": "ok", "duration_ms": 900}
    for day in range(8):
        tokens = [int(length) for length in generator.lognormal(5, 0.4, 300)]
        store(engine, Answers("default", day, tokens, feature="support", extra=call))
        thumbs(engine, NOON - day * DAY, 36, 4)


def test_healthy_traffic_alerts_nobody(engine: Engine) -> None:
    """Steady traffic raises nothing."""
    healthy(engine)
    assert looked(engine) == []


def test_an_error_surge_is_told(engine: Engine) -> None:
    """More than 5 % of at least 50 calls in five minutes, for two minutes."""
    for minute in range(6):
        spend(engine, NOON - minute * MINUTE, 0.01, calls=18, status="ok")
        spend(engine, NOON - minute * MINUTE, None, calls=2, status="error")
    (event,) = looked(engine)
    assert (event.key, event.severity) == ("error_surge", "critical")
    assert "10.0% of 100 calls of m1 in feature 'support' failed in the last 5" in event.message


def test_a_few_errors_are_no_surge(engine: Engine) -> None:
    """Under 50 calls nothing is judged."""
    spend(engine, NOON - MINUTE, None, calls=49, status="error")
    assert looked(engine) == []


def test_a_slow_tail_is_told(engine: Engine) -> None:
    """P99 beyond 10 s over at least 300 calls, for five minutes."""
    for minute in range(20):
        spend(engine, NOON - minute * MINUTE, 0.01, calls=28, duration_ms=800)
        spend(engine, NOON - minute * MINUTE, 0.01, calls=2, duration_ms=12_000)
    (event,) = looked(engine)
    assert event.key == "latency_p99_high"
    assert "more than 12000 ms" in event.message


def test_drift_is_told_once_with_its_cause(engine: Engine) -> None:
    """When a model's answers grow longer the model is named, not the feature it answers in."""
    healthy(engine)
    spend(engine, NOON, 0.01, calls=600, output_tokens=900)
    (event,) = looked(engine)
    assert event.key == "output_drift"
    assert event.title == "output drift (output tokens of model m1)"
    assert event.message.startswith("output tokens of model m1: ")


def test_unpriced_calls_are_told(engine: Engine) -> None:
    """Calls that succeeded and have no price; those that failed cost nothing."""
    spend(engine, NOON - 2 * HOUR, None, calls=3, status="ok", provider="own")
    spend(engine, NOON - 2 * HOUR, None, calls=4, status="error", provider="openai")
    (event,) = looked(engine)
    assert (event.key, event.value, dict(event.labels)["provider"]) == ("unpriced_calls", 3, "own")


def test_a_drop_of_feedback_is_told(engine: Engine) -> None:
    """When thumbs fall further than chance explains against the week before."""
    thumbs(engine, NOON - 3 * DAY, 90, 10)
    thumbs(engine, NOON - 2 * HOUR, 20, 20)
    (event,) = looked(engine)
    assert event.key == "feedback_drop"
    assert "fell by 25% at the least" in event.message
