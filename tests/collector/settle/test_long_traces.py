"""Traces of hours and days are settled whole with each thing that comes of them, whenever it began."""

from __future__ import annotations

from dataclasses import replace

import pytest
from collector.settle.telling import Store, Told, usd, used
from otlp_requests import NOW_NS

HOUR = 3600.0
DAYS = [
    Told(1, 0, used("invoke_agent", (600, 60)), seconds=26 * HOUR),
    Told(2, 1, {"gen_ai.operation.name": "execute_event_loop_cycle"}, seconds=10),
    Told(3, 2, used("chat", (100, 10))),
    Told(4, 1, used("chat", (200, 20)), start=13 * HOUR),
    Told(5, 1, used("chat", (300, 30)), start=25.9 * HOUR),
]
"""An agent of 26 hours, and its calls at the beginning, in the middle and at the end."""

PAID = (3, usd(600, 60), 600, 60)


@pytest.mark.parametrize(
    "order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [1, 2, 4, 0, 3]], ids=["root-first", "root-last", "mixed"]
)
def test_an_agent_of_a_day_is_paid_once(store: Store, order: list[int]) -> None:
    """Its sum is not paid beside its calls, in whatever order they come, hours apart."""
    for place, number in enumerate(order):
        store.take([DAYS[number]], NOW_NS + place)
        store.settle()
    assert store.total() == PAID
    assert store.settle_all().corrections == 0


def test_a_parent_that_comes_late_is_no_call_of_its_own(store: Store) -> None:
    """A batch that was held back for a day holds the sum of what was paid meanwhile."""
    store.take(DAYS[1:])
    store.settle()
    assert store.total() == PAID
    store.take(DAYS[:1], NOW_NS + 86_400 * 10**9)
    store.settle()
    assert store.total() == PAID


def test_a_twin_of_a_long_call_is_found(store: Store) -> None:
    """Two scopes that tell of a call of an hour are one, though nothing else began near them."""
    long = Told(1, 9, used("chat", (100, 10)), "a", seconds=2 * HOUR)
    store.take([long])
    store.settle()
    store.take([replace(long, number=2, scope="b", start=0.01)], NOW_NS + 1)
    store.settle()
    assert store.total() == (1, usd(100, 10), 100, 10)


def test_long_traces_beyond_the_bound_are_counted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many come at once, a bounded number is read whole; the others are said to be cut."""
    monkeypatch.setattr("sightline_collector.settle.settling.MOST_LONG", 2)
    store.take([replace(DAYS[0], number=n, trace=n) for n in range(1, 6)])
    assert store.settle().cut_traces == 3
    assert store.total() == (5, usd(3000, 300), 3000, 300)


def test_a_clock_that_is_years_off_makes_no_trace_years_long(store: Store) -> None:
    """What lies further than a week from what has come is not looked for."""
    store.take([replace(DAYS[0], seconds=300 * 24 * HOUR), DAYS[3]])
    store.settle()
    longest = "select max(dateDiff('hour', began_at, ended_at)) from long_traces_v1"
    assert int(store.engine.value(longest)) <= 14 * 24
    assert store.total() == (1, usd(200, 20), 200, 20)


@pytest.mark.parametrize(
    ("minutes", "calls"),
    [((0, 50, 100), 1), ((100, 0, 50), 1), ((0, 61, 150), 3)],
    ids=["in-order", "last-first", "apart"],
)
def test_an_answer_given_again_is_known_for_an_hour(
    store: Store, minutes: tuple[int, ...], calls: int
) -> None:
    """However far from the first, within an hour of the last time; one by one as all at once."""
    response = {"gen_ai.response.id": "chatcmpl-9aZbYcXdWeVfUgThSiRj"}
    for trace, start in enumerate(minutes, 1):
        store.take([Told(1, 0, used("chat", (100, 10), **response), start=60 * start, trace=trace)])
        store.settle()
    assert store.total() == (calls, usd(100 * calls, 10 * calls), 100 * calls, 10 * calls)
    assert store.settle_all().corrections == 0
