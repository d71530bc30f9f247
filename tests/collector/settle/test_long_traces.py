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
RESPONSE = {"gen_ai.response.id": "chatcmpl-9aZbYcXdWeVfUgThSiRj"}


def test_an_agent_of_a_day_is_paid_once(store: Store) -> None:
    """Its sum is not paid beside its calls, in whatever order they come, hours apart."""
    orders = {"root-first": [0, 1, 2, 3, 4], "root-last": [4, 3, 2, 1, 0], "mixed": [1, 2, 4, 0, 3]}
    store.take_in_steps({name: [DAYS[number] for number in order] for name, order in orders.items()})
    assert store.totals() == dict.fromkeys(orders, PAID)
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


def test_a_long_trace_leaves_another_projects_of_its_id_alone(store: Store) -> None:
    """A context that one team passes on to another is a trace of each: one's hours hold nobody up."""
    hours = [Told(1, 0, {"gen_ai.operation.name": "execute_event_loop_cycle"}, seconds=2 * HOUR)]
    short = [Told(11, 0, used("invoke_agent", (100, 10)), seconds=2), Told(12, 11, used("chat", (100, 10)))]
    store.take({"one": hours, "other": short})
    store.settle()
    assert store.total("other") == (1, usd(100, 10), 100, 10)
    assert store.settle_all().corrections == 0


def test_long_traces_beyond_the_bound_are_counted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many come at once, a bounded number is read whole; the others are said to be cut."""
    monkeypatch.setattr("sightline_collector.settle.spread.MOST_LONG", 2)
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


OFF = 5 * HOUR
PARTED = {
    "agent": Told(1, 0, used("invoke_agent", (300, 30))),
    "call": Told(1, 0, used("chat", (300, 30)), seconds=2),
    "its call": Told(2, 1, used("chat", (300, 30)), start=OFF),
    "step": Told(3, 1, {"gen_ai.operation.name": "execute_event_loop_cycle"}, start=OFF),
    "its step's call": Told(2, 3, used("chat", (300, 30)), start=OFF),
}
"""Spans of one trace from two machines, of which one's clock is five hours off the other's."""

ORDERS = (
    ("agent", "its call"), ("its call", "agent"), ("call", "its call"), ("its call", "call"),
    ("agent", "step", "its step's call"),
)  # fmt: skip


def test_a_clock_that_is_hours_off_parts_no_call_from_its_sum(store: Store) -> None:
    """Whichever comes first, and whichever clock is wrong, the trace is judged whole once both have come."""
    store.take_in_steps({
        f"order-{place}-{wrong}-is-wrong": [
            replace(PARTED[name], start=PARTED[name].start - early) for name in order
        ]
        for place, order in enumerate(ORDERS)
        for wrong, early in {"later": 0, "earlier": OFF}.items()
    })  # fmt: skip
    assert set(store.totals().values()) == {(1, usd(300, 30), 300, 30)}
    assert store.settle_all().corrections == 0


def test_another_projects_span_of_the_same_id_changes_no_verdict(store: Store) -> None:
    """A trace whose clocks are hours off stays judged whole when a neighbour's span has its id, near a part
    of it."""
    for name in ("agent", "its call"):
        store.take({"one": [PARTED[name]]})
        store.settle()
    store.take({"other": [Told(9, 0, used("chat", (7, 7)))]})
    store.settle()
    assert store.totals() == {"one": (1, usd(300, 30), 300, 30), "other": (1, usd(7, 7), 7, 7)}


def test_a_twin_in_another_trace_has_a_parted_trace_judged_whole(store: Store) -> None:
    """Of a trace whose clocks are hours off a call is told again in another trace: both are judged together,
    and none of its spans is left out."""
    outer = replace(PARTED["call"], attributes=used("chat", (300, 30), **RESPONSE))
    for told in (outer, PARTED["its call"], replace(outer, number=9, scope="b", trace=2)):
        store.take([told])
        store.settle()
    assert store.total() == (1, usd(300, 30), 300, 30)
    assert store.settle_all().corrections == 0


def test_what_was_held_back_for_hours_is_noted_as_it_is(store: Store) -> None:
    """A trace that comes hours late, all of it at once, takes up no more time for that."""
    store.take([PARTED["agent"], replace(PARTED["its call"], start=1)], NOW_NS + 6 * 3600 * 10**9)
    store.settle()
    noted = "select count(), max(dateDiff('second', began_at, ended_at)) as s from long_traces_v1"
    assert [tuple(row.values()) for row in store.engine.rows(noted)] == [(1, 2)]
    assert store.total() == (1, usd(300, 30), 300, 30)


GIVEN = {
    "for-days": ((0, 20, 40, 60), 1),
    "last-first": ((40, 0, 20), 1),
    "apart": ((0, 25, 60), 3),
}
"""At which hours an answer is given, and how many calls that is."""


def test_an_answer_given_again_is_known_for_a_day(store: Store) -> None:
    """However far from the first, within a day of the last time; one by one as all at once. What comes later
    of such a trace changes nothing."""
    answer = Told(1, 9, used("chat", (100, 10), **RESPONSE))
    store.take_in_steps({
        order: [
            replace(told, start=HOUR * (start - 90), trace=trace)
            for trace, start in enumerate(hours, 1)
            for told in (answer, Told(9, 0, seconds=2))
        ]
        for order, (hours, _) in GIVEN.items()
    })  # fmt: skip
    paid = {order: (n, usd(100 * n, 10 * n), 100 * n, 10 * n) for order, (_, n) in GIVEN.items()}
    assert store.totals() == paid
    assert store.settle_all().corrections == 0


def test_an_answer_that_is_given_to_everyone_is_paid_once(store: Store) -> None:
    """Of hundreds that tell of it hours later each is known by the first that is remembered."""
    for hours in (0, 2, 4):
        told = Told(1, 0, used("chat", (100, 10), **RESPONSE), start=HOUR * hours)
        store.take([replace(told, trace=1000 * hours + n) for n in range(1, 60)])
        store.settle()
    assert store.total() == (1, usd(100, 10), 100, 10)


def test_a_server_that_calls_all_its_answers_the_same_is_paid_for_each(store: Store) -> None:
    """Answers that differ are no answer that is given again, hours later as at once."""
    for hours, output in ((0, 10), (2, 10), (4, 11)):
        told = used("chat", (100, output), **RESPONSE)
        store.take([Told(1, 0, told, start=HOUR * hours, trace=1 + hours)])
        store.settle()
    assert store.total() == (3, usd(300, 31), 300, 31)
