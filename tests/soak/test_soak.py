"""A soak of some seconds, and what a soak makes of what it has seen."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from servers import chosen_store
from soak import faults
from soak.faults import Done
from soak.load import SPANS, Answers, OfferedLoad
from soak.promises import RSS_BOUND_BYTES, Happened, Seen, broken, minutes, recoveries
from soak.stored import Stored, stored
from soak.system import System


class Short(Random):
    """Faults that take a second."""

    def uniform(self, a: float, b: float) -> float:
        """As short as it makes sense."""
        return min(a, 1.0)


SHORT: dict[str, tuple[Done, ...]] = {
    "embedded": (faults.poison, faults.readers),
    "server": (faults.store_down, faults.store_breaks, faults.store_refuses),
}


@pytest.mark.parametrize(
    "store",
    [
        "embedded",
        pytest.param(
            "server",
            marks=pytest.mark.skipif(not chosen_store.server(), reason="long: make test-clickhouse"),
        ),
    ],
)
def test_what_is_acknowledged_under_faults_is_stored_once(tmp_path: Path, store: str) -> None:
    """Poison and fifty readers that reach the engine's memory, or a store that is away, breaks and refuses:
    what was acknowledged is there once, what was not may be sent again, the roll-ups agree.
    """
    with System(tmp_path, server=store == "server") as system:
        load = OfferedLoad(per_s=40.0, threads=4)
        load.url = system.collector.otlp
        began_s = time.monotonic()
        load.start()
        for fault in SHORT[store]:
            fault(system, load, Short(1))
        ended_s = time.monotonic()
        load.stop()
        assert system.drain()
        assert system.end() == 0
    acknowledged = frozenset(trace.hex() for trace in load.acknowledged)
    seen = Seen(began_s, ended_s, load.answers, system.rss, [], acknowledged)
    assert len(acknowledged) > 20
    assert [each for each in broken(seen, stored(system.store)) if "p99" not in each] == []


def seen_of(statuses: list[int], *, faults_: list[Happened] | None = None) -> Seen:
    """One answer a second, from second 0 on; each says when to come back if it refuses."""
    answers = Answers()
    for second, status in enumerate(statuses):
        answers.add(second + 0.5, 0.01, status, status in (429, 503))
    held = frozenset(str(number) for number, status in enumerate(statuses) if status == 200)
    return Seen(0.0, float(len(statuses)), answers, [(1.0, 1 << 20)], faults_ or [], held)


def stored_of(seen: Seen, **other: int) -> Stored:
    """Everything that was acknowledged, once, but for what is said."""
    return Stored(dict.fromkeys(seen.acknowledged, SPANS) | other, roll_ups_agree=True)


def test_a_soak_without_a_fault_breaks_no_promise() -> None:
    """All is taken and all is there."""
    seen = seen_of([200] * 60 + [503] * 5 + [0] * 5)
    assert broken(seen, stored_of(seen)) == []
    assert [m.statuses for m in minutes(seen)] == [{200: 60}, {0: 5, 503: 5}]


def test_each_broken_promise_is_named() -> None:
    """Lost, doubled, refused for good, without a time to come back, too much memory, roll-ups that differ."""
    seen = replace(seen_of([200] * 30 + [500, 503]), rss=[(1.0, RSS_BOUND_BYTES + 1)], drained=False)
    seen.answers.told_when[-1] = 0
    held = Stored(dict.fromkeys(seen.acknowledged - {"3"}, SPANS) | {"4": 2 * SPANS}, roll_ups_agree=False)
    assert [each.partition(":")[0] for each in broken(seen, held)] == [
        "what was acknowledged was not stored minutes after the load had ended",
        "refusals that no sender tries again",
        "1 refusals do not say when to come back",
        "1 acknowledged requests are not stored, such as 3",
        f"acknowledged requests with another number of spans than {SPANS}",
        "the roll-ups say other than the rows",
        "memory",
    ]


@pytest.mark.parametrize(("away_s", "back_s"), [(3, 2.0), (12, 11.0), (50, None)])
def test_goodput_is_back_after_a_fault_or_not(away_s: int, back_s: float | None) -> None:
    """The seconds from a fault's end until half of what is usual is taken again."""
    fault = Happened("kill", 20.0, 21.0)
    seen = seen_of([200] * 20 + [0] * away_s + [200] * (60 - 20 - away_s), faults_=[fault])
    found = [after_s for _, after_s in recoveries(seen, 1.0)]
    assert found == [None if back_s is None else pytest.approx(back_s - 1, abs=3)]
