"""What a call was made for is known when any of the spans that tell of it says so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from collector.settle.telling import Store, Told, clock, usd, used
from otlp_requests import NOW_NS

from sightline_collector.prices.api import set_override
from sightline_collector.prices.override import Override
from sightline_collector.prices.reprice import Done, Range, reprice

LABELS = {"user.id": "ann", "session.id": "s1", "sightline.feature": "support"}
VIEWS = {"cost_by_user": "user_id", "cost_by_feature": "feature", "session_summary": "session_id"}


def charged(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """What each view charges to whom."""
    return {
        view: [
            tuple(row.values())
            for row in store.engine.rows(f"select {label}, cost_usd from {view} where cost_usd != 0")
        ]
        for view, label in VIEWS.items()
    }


OF_ANN = {
    "cost_by_user": [("ann", usd(100, 10))],
    "cost_by_feature": [("support", usd(100, 10))],
    "session_summary": [("s1", usd(100, 10))],
}


def test_a_twin_that_is_not_paid_says_for_whom_the_call_was(store: Store) -> None:
    """The library's own span is paid, the instrumentation's names the user: the money is the user's."""
    store.take([Told(1, 9, used("chat", (100, 10)), "com.anthropic.sdk.python")])
    store.settle()
    store.take([Told(2, 9, used("chat", (100, 10), **LABELS), "b")], NOW_NS + 1)
    store.settle()
    assert charged(store) == OF_ANN
    assert store.total() == (1, usd(100, 10), 100, 10)
    assert store.settle_all().corrections == 0


def test_a_sum_says_for_whom_the_calls_below_it_were(store: Store) -> None:
    """An agent names the user, the calls that its usage is the sum of do not: the money is the user's."""
    store.take([Told(1, 0, used("invoke_agent", (100, 10), **LABELS), seconds=9)])
    store.settle()
    store.take([Told(2, 1, used("chat", (100, 10), **{"sightline.sample.weight": 1.0}))], NOW_NS + 1)
    store.settle()
    assert charged(store) == OF_ANN
    assert store.total() == (1, usd(100, 10), 100, 10)


def test_a_delivery_that_does_not_count_says_for_whom_the_call_was(store: Store) -> None:
    """A span delivered again with more of its usage keeps the user that it named at first."""
    store.take([Told(1, 0, used("chat", (50, 5), **LABELS))])
    store.settle()
    store.take([Told(1, 0, used("chat", (100, 10)))], NOW_NS + 1)
    store.settle()
    assert charged(store) == OF_ANN
    assert store.total() == (1, usd(100, 10), 100, 10)


def test_a_span_keeps_the_labels_it_has(store: Store) -> None:
    """What the paid span itself says holds, whatever another one says."""
    own = LABELS | {"user.id": "bob"}
    store.take([
        Told(1, 9, used("chat", (100, 10), **own), "com.anthropic.sdk.python"),
        Told(2, 9, used("chat", (100, 10), **LABELS), "b"),
    ])  # fmt: skip
    store.settle()
    assert charged(store) == OF_ANN | {"cost_by_user": [("bob", usd(100, 10))]}
    assert store.engine.value("select count() from cost_corrections where why = 'labelled'") == 0


def test_a_new_price_is_charged_to_whom_the_call_was_for(store: Store) -> None:
    """Repricing goes where the call is, not to the labels of its span; and again it changes nothing."""
    store.take([
        Told(1, 9, used("chat", (100, 10)), "com.anthropic.sdk.python"),
        Told(2, 9, used("chat", (100, 10), **LABELS), "b"),
    ])  # fmt: skip
    store.settle()
    half = {"provider": "openai", "model": "gpt-4o", "valid_from": "2020-01-01", "discount_pct": 50}
    set_override(store.engine, Override.model_validate(half))
    asked = Range(since=datetime(2020, 1, 1, tzinfo=UTC), until=datetime(2100, 1, 1, tzinfo=UTC))
    changes = reprice(store.engine, asked, clock).changes
    assert [(one.calls, one.old_usd, one.new_usd) for one in changes] == [(1, usd(100, 10), usd(50, 5))]
    assert charged(store) == {
        "cost_by_user": [("ann", usd(50, 5))],
        "cost_by_feature": [("support", usd(50, 5))],
        "session_summary": [("s1", usd(50, 5))],
    }
    assert reprice(store.engine, asked, clock) == Done([], 0)
    assert store.settle_all().corrections == 0
