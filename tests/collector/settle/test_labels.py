"""What a call was made for is known when any of the spans that tell of it says so."""

from __future__ import annotations

from typing import Any

from collector.settle.telling import Store, Told, usd, used
from otlp_requests import NOW_NS

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
