"""Who told of an answer hours ago is remembered by trace, whatever else comes of it."""

from __future__ import annotations

import pytest
from collector.settle.telling import Store, Told, used
from otlp_requests import NOW_NS, WRITER

from sightline_collector.settle.arrivals import HOUR_NS, Arrival, of_batches, windows
from sightline_collector.settle.given_again import AGAIN_NS, MOST_TRACES, given_again, remember

ID = "chatcmpl-0123456789abcdef"
EARLIER_NS = NOW_NS - 20 * HOUR_NS


@pytest.fixture
def arrived(store: Store) -> Arrival:
    """The answer is told of, now."""
    store.take([Told(1, 0, used("chat", (100, 10), **{"gen_ai.response.id": ID}))])
    newest = store.engine.value("select max(batch) from spans_v1")
    arrival = of_batches(WRITER, newest - 1, newest)
    remember(store.engine, arrival, AGAIN_NS)
    return arrival.within(windows(store.engine, arrival)[0])


def told(store: Store, *rows: tuple[str, int]) -> None:
    """Earlier traces told of it, one second after the other: what each of them said."""
    store.engine.command(
        "insert into answers_v1 (answer, project, trace_id, said, started_at, kept_until)"
        " settings optimize_on_insert = 0"
        " select sipHash64({id:String}), 'default', trace_id, said,"
        " toDateTime64({at:UInt32} + place, 9, 'UTC'), now() + 3600"
        " from values('place UInt32, trace_id String, said UInt64', "
        + ", ".join(f"({place}, '{trace}', {said})" for place, (trace, said) in enumerate(rows))
        + ")",
        {"id": ID, "at": EARLIER_NS // 10**9},
    )


def test_a_trace_that_told_many_times_hides_no_other(store: Store, arrived: Arrival) -> None:
    """An answer is known by its traces, however often each of them told of it."""
    often = MOST_TRACES + 5
    told(store, *[("a", 7)] * often, ("b", 7), *[("c", 7)] * often)
    (found,) = given_again(store.engine, arrived, AGAIN_NS)
    assert {trace for _, (_, trace) in found} == {f"{1:032x}", "a", "b", "c"}


def test_what_comes_of_a_trace_later_does_not_hide_what_it_said(store: Store, arrived: Arrival) -> None:
    """A server that gives every answer the same id is known by answers that differ, also when a span without
    tokens came of one of them last."""
    told(store, *[(f"{number}", 7) for number in range(MOST_TRACES)], ("c", 7))
    told(store, ("c", 0))
    store.engine.command("optimize table answers_v1 final")
    assert given_again(store.engine, arrived, AGAIN_NS) == []
