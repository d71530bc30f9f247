"""The settlement loop goes on where it stopped, and sees what comes through either door."""

from __future__ import annotations

import itertools
import time
from contextlib import nullcontext
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from collector.settle import telling
from collector.settle.telling import Store, Told, usd, used
from otlp_requests import NOW_NS, WRITER
from prometheus_client import generate_latest

from sightline_collector.errors import StoreUnreachable
from sightline_collector.health import Health
from sightline_collector.settle.lease import Lease
from sightline_collector.settle.loop import SettleLoop
from sightline_collector.settle.progress import DOOR, HEARD_NS, SEARCH_NS, WRITERS

TWICE = [Told(1, 0, used("chat", (100, 10)), seconds=3), Told(2, 1, used("chat", (100, 10)))]

MONDAY_S = (1_789_948_800 * 10**9 - NOW_NS) / 1e9 + 60
"""When a week begins, as the start of a span."""

CAME_NS = time.time_ns() - 3_600 * 10**9
"""Of what came months ago, all is settled."""


def loop(store: Store, health: Health) -> SettleLoop:
    """A loop over the store, not running."""
    now_ns = max(NOW_NS, time.time_ns())  # a server lets go what was said of a lease days ago
    clock = iter(range(now_ns + 10**9, now_ns + 10**12)).__next__
    store.engine.command("truncate table settlements_v1")
    store.engine.command("truncate table settlers_v1")
    return SettleLoop(store.engine, health, lambda: WRITER, interval_s=1, clock_ns=clock)


def test_what_came_is_settled_once(store: Store) -> None:
    """A round settles the segments since the last; the next one has nothing to do, a new loop's nothing to
    write."""
    health = Health()
    settling = loop(store, health)
    store.take(TWICE)
    assert settling.round().corrections == 1
    assert store.total() == (1, usd(100, 10), 100, 10)
    assert settling.round().traces == 0
    again = SettleLoop(store.engine, Health(), lambda: WRITER, interval_s=1)
    assert [again.round().corrections, again.round().traces] == [0, 0]
    assert b"sightline_settle_corrections_total 1.0" in generate_latest(health.registry)


def test_what_came_through_the_other_door_is_settled(store: Store) -> None:
    """Spans that clients insert themselves have no segment and are found by when they came."""
    settling = loop(store, Health())
    store.take(TWICE)
    store.engine.command(
        "insert into spans_v1 select * replace (0 as batch, {door:String} as writer) from spans_v1"
        " where entry = 'span'",
        {"door": DOOR},
    )
    store.engine.command("alter table spans_v1 delete where batch > 0 settings mutations_sync = 1")
    assert settling.round().corrections == 1
    assert store.total() == (1, usd(100, 10), 100, 10)


def test_a_loop_that_was_cut_off_settles_again(store: Store) -> None:
    """Corrections that were written before a kill, and not noted as settled, are not written twice."""
    settling = loop(store, Health())
    store.take(TWICE)
    settling.round()
    store.engine.command("truncate table settlements_v1")
    again = SettleLoop(store.engine, Health(), lambda: WRITER, interval_s=1)
    assert again.round().corrections == 0
    assert store.total()[1] == usd(100, 10) > Decimal(0)


def test_what_a_command_was_writing_is_made_whole(store: Store) -> None:
    """Corrections of two weeks are two parts of the store: what a kill left out is written after a start."""
    settling = loop(store, Health())
    store.take(
        [
            replace(told, number=told.number + 2 * week, parent=told.parent and 1 + 2 * week, start=start)
            for week, start in enumerate((MONDAY_S - 9, MONDAY_S + 9))
            for told in TWICE
        ],
        NOW_NS + int(MONDAY_S * 1e9),
    )
    assert settling.round().corrections == 2
    sunday = "entry = 'correction' and toDayOfWeek(started_at) = 7"
    store.engine.command(f"alter table spans_v1 delete where {sunday} settings mutations_sync = 1")
    again = SettleLoop(store.engine, Health(), lambda: WRITER, interval_s=1)
    assert again.round().corrections == 1
    assert store.total() == (2, usd(200, 20), 200, 20)


def test_a_long_backlog_is_settled_in_portions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much has come, a settlement takes a bounded number of spans, a segment at least."""
    monkeypatch.setattr("sightline_collector.settle.progress.SPANS_AT_ONCE", 3)
    settling = loop(store, Health())
    for trace in range(1, 4):
        store.take([Told(t.number, t.parent, t.attributes, seconds=t.seconds, trace=trace) for t in TWICE])
    assert settling.round().corrections == 3
    assert store.total() == (3, usd(300, 30), 300, 30)


def test_of_several_collectors_on_a_store_the_oldest_settles(store: Store) -> None:
    """Two would each append a correction; when the oldest is gone the next one goes on, and at once when it
    said so."""
    store.engine.command("truncate table settlements_v1")
    store.engine.command("truncate table settlers_v1")

    now_ns = time.time_ns()  # what was said days ago is let go

    def started(name: str, after_s: int) -> SettleLoop:
        clock = iter(range(now_ns + after_s * 10**9, now_ns + 10**15, 10**9)).__next__
        settling = SettleLoop(store.engine, Health(), lambda: name, interval_s=1, clock_ns=clock)
        settling._lease.shared = True
        return settling

    older, younger, much_later = started("a", 1_000), started("b", 1_001), started("b", 2_000)
    store.take(TWICE, CAME_NS)
    assert [older.round().corrections, younger.round().corrections] == [1, 0]
    assert store.total() == (1, usd(100, 10), 100, 10)
    store.take([Told(t.number, t.parent, t.attributes, seconds=t.seconds, trace=7) for t in TWICE], CAME_NS)
    assert much_later.round().corrections == 1
    next_one = started("c", 2_001)
    assert not next_one._leading()
    much_later._leave()
    assert next_one._leading()


class Two:
    """Two collectors on a store, and the one clock of both; the older settles."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        store.engine.command("truncate table settlements_v1")
        store.engine.command("truncate table settlers_v1")
        # Each process has a lock of its own.
        monkeypatch.setattr("sightline_collector.settle.settling.LEDGER", nullcontext())
        self._monkeypatch = monkeypatch
        # What was said days ago is let go.
        self.now_ns = time.time_ns()
        self.older, self.younger = self._started(store, "a"), self._started(store, "b")

    def _started(self, store: Store, name: str) -> SettleLoop:
        self.now_ns += 10**9
        settling = SettleLoop(
            store.engine, Health(), lambda: name, interval_s=1, clock_ns=lambda: self.now_ns
        )
        settling._lease.shared, settling._leads = True, False
        settling._lease.announce()
        return settling

    def later(self) -> int:
        """Two rounds of the younger, the second long after word of the older: the corrections it wrote."""
        wrote = 0
        for _ in range(2):
            self.now_ns += 100 * 10**9
            wrote += self.younger.round().corrections
        return wrote

    def pause(self, *, before_keep: bool) -> list[int]:
        """Let the older stand still when it is about to write, before or after it looks whether it may."""
        keep, asked, wrote = self.older._lease.keep, itertools.count(1), list[int]()

        def paused() -> None:
            steps = [lambda: wrote.append(self.later()), keep] if next(asked) == 2 else [keep]
            for step in steps if before_keep else reversed(steps):
                step()

        self._monkeypatch.setattr(self.older._lease, "keep", paused)
        return wrote


def test_a_settler_that_was_thought_gone_writes_no_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that finds that another has taken over leaves what it was about to write to that one, for good."""
    two = Two(store, monkeypatch)
    wrote = two.pause(before_keep=True)
    store.take(TWICE, CAME_NS)
    assert (two.older.round().corrections, wrote) == (0, [1])
    assert store.total() == (1, usd(100, 10), 100, 10)
    assert [two.older._leading(), two.younger._leading()] == [False, True]


def test_what_was_written_twice_in_a_take_over_is_mended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A correction that was under way when the next settler wrote the same is taken back by that one."""
    two = Two(store, monkeypatch)
    wrote = two.pause(before_keep=False)
    store.take(TWICE, CAME_NS)
    assert (two.older.round().corrections, wrote) == (1, [1])
    assert two.later() == 1
    assert store.total() == (1, usd(100, 10), 100, 10)


def test_a_correction_that_comes_after_it_was_given_up_is_mended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a server takes long after the settler got no answer, and wrote it again, is taken back."""
    two = Two(store, monkeypatch)
    insert, late = store.engine.insert, list[Any]()

    def lost(table: str, rows: Any) -> None:
        if table == "spans_v1" and not late:
            late.append(rows)
            raise StoreUnreachable("no answer", hint="wait")
        insert(table, rows)

    monkeypatch.setattr(store.engine, "insert", lost)
    store.take(TWICE, CAME_NS)
    two.older._round()
    assert two.older.round().corrections == 1
    insert("spans_v1", late[0])
    two.now_ns += 130 * 10**9
    assert two.older.round().corrections == 1
    assert store.total() == (1, usd(100, 10), 100, 10)


def test_of_a_segment_that_is_stored_in_pieces_all_is_settled(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes of another collector's last segment long after it was settled is settled when it comes, also
    by one that has taken over."""
    two = Two(store, monkeypatch)
    monkeypatch.setattr(telling, "batches", itertools.repeat(next(telling.batches)))
    store.take(TWICE[:1], CAME_NS)
    assert two.older.round().traces == 0
    store.take(TWICE[1:], CAME_NS)
    assert two.older.round().corrections == 1
    assert store.total() == (1, usd(100, 10), 100, 10)
    assert two.older.round().traces == 0
    store.take([replace(told, trace=7) for told in TWICE], CAME_NS)
    assert two.later() == 1
    assert store.total() == (2, usd(200, 20), 200, 20)


def test_what_was_held_back_while_the_store_was_away_is_settled_when_it_comes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spans are looked for as far back as the last that came of each collector that is there, and for months
    only once an hour."""
    two, looked = Two(store, monkeypatch), list[int]()
    rows, there = store.engine.rows, Lease(store.engine, lambda: WRITER, lambda: two.now_ns)
    there.shared = True

    def read(query: str, parameters: Any = None) -> Any:
        looked.extend([parameters["since"]] if query == WRITERS else [])
        return rows(query, parameters)

    monkeypatch.setattr(store.engine, "rows", read)
    store.take(TWICE, CAME_NS)
    there.announce()
    assert two.older.round().corrections == 1
    store.take([replace(told, trace=7) for told in TWICE], CAME_NS + 1)
    assert two.older.round().corrections == 1
    assert [two.now_ns - looked[0], looked[-1]] == [HEARD_NS, CAME_NS - SEARCH_NS]


def test_a_call_that_comes_after_an_agent_of_hours_is_settled_at_once(store: Store) -> None:
    """An agent that was paid for itself is no longer when its calls come, however much later they began."""
    settling = loop(store, Health())
    store.take([Told(1, 0, used("invoke_agent", (300, 30)), seconds=26 * 3600)])
    settling.round()
    assert store.total() == (1, usd(300, 30), 300, 30)
    store.take([Told(2, 1, used("chat", (300, 30)), start=25.9 * 3600)], NOW_NS + 1)
    settling.round()
    assert store.total() == (1, usd(300, 30), 300, 30)
