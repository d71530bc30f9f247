"""What a proxy passes on long after it has reset the client: nothing is stored twice, and nothing deleted.

A real collector's inserter, a proxy that keeps requests, and a server played by the embedded engine.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from otlp_requests import WRITER, insert
from remembered_load import request_template
from servers.faulty_proxy import UNAVAILABLE, Fault, FaultyProxy, error
from servers.inserting import LIMIT_S, ONCE, SPANS, Collector, sends, stored

from sightline_collector.errors import StoreRefused, StoreUnreachable
from sightline_collector.store import connection, lateness, server_insert
from sightline_collector.store.batch import Batch
from sightline_collector.store.engine import Engine
from sightline_collector.wal.log import Log
from sightline_collector.wal.segment import Signal


def test_an_insert_that_comes_after_its_time_stores_nothing(
    collector: Collector, proxy: FaultyProxy, engine: Engine
) -> None:
    """What a proxy passes on long after it has reset the connection is refused, whatever was stored since."""
    proxy.inject(Fault.LATE, times=1)
    collector.run(sends)
    (answer,) = proxy.deliver()
    assert b"X-ClickHouse-Exception-Code: 394" in answer
    assert stored(engine) == ONCE


def test_a_delete_that_comes_late_deletes_nothing_that_was_inserted_since(
    store: Engine, proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a proxy passes on when the batch was deleted and inserted anew finds none of the new rows."""
    body, file = request_template(time.time_ns(), SPANS), tmp_path / "a.segment"
    monkeypatch.setattr(connection, "ANSWER_S", LIMIT_S)
    monkeypatch.setattr(lateness, "FIRST_S", LIMIT_S)
    patient = Engine(store.url)
    batch = Batch(patient, Signal.TRACES, 7, WRITER)
    insert(patient, Signal.TRACES, [(body, SPANS)], file, batch=7)
    proxy.inject(Fault.LATE, only=lambda request: b"delete from" in request, times=1)
    with pytest.raises(StoreUnreachable):
        batch.delete()
    batch.delete()
    assert batch.count() == 0
    insert(patient, Signal.TRACES, [(body, SPANS)], file, batch=7)
    (answer,) = proxy.deliver()
    assert answer.startswith(b"HTTP/1.1 200")
    assert batch.count() == SPANS
    patient.close()


def test_an_insert_that_comes_late_and_in_time_is_not_done_again(
    store: Engine, proxy: FaultyProxy, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until an insert without an answer can begin no more, it is not sent again; one whose rows
    have all come is done."""
    monkeypatch.setattr(lateness, "FIRST_S", LIMIT_S)
    waiting = Engine(store.url)
    collector = Collector(waiting, tmp_path)
    proxy.inject(Fault.LATE, times=1)

    async def work(log: Log) -> None:
        await sends(log)
        while not collector.retries("engine_394"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        (answer,) = await asyncio.to_thread(proxy.deliver)
        assert answer.startswith(b"HTTP/1.1 200")

    collector.run(work)
    waiting.close()
    assert stored(engine) == ONCE
    assert len([one for one in proxy.passed if one.inserts]) == 1


def test_a_way_that_is_slower_than_was_thought_is_given_more_time(
    store: Engine, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An insert that comes too late to begin, however often, may come later the next time."""
    monkeypatch.setattr(server_insert, "CLOCK", f"{server_insert.CLOCK} - 5000")
    monkeypatch.setattr(connection, "ANSWER_S", LIMIT_S)
    patient = Engine(store.url)
    collector = Collector(patient, tmp_path)
    collector.run(sends)
    patient.close()
    assert stored(engine) == ONCE
    assert collector.retries("engine_394") >= 2
    assert list(collector.letters.letters()) == []


def test_a_new_process_waits_as_long_as_an_earlier_one_gave(
    store: Engine, proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent before a kill, with more time than at first, may begin until that has passed; a start
    neither inserts it again before, nor waits longer."""
    body, file = request_template(time.time_ns(), SPANS), tmp_path / "a.segment"
    given, now_s = tmp_path / lateness.NAME, [0.0]
    monkeypatch.setattr(connection, "ANSWER_S", LIMIT_S)
    first = Engine(store.url, begins=given)
    monkeypatch.setattr(server_insert, "CLOCK", f"{(clock := server_insert.CLOCK)} - 100000")
    with pytest.raises(StoreRefused, match=server_insert.TOO_LATE):
        insert(first, Signal.TRACES, [(body, SPANS)], file, batch=7)
    monkeypatch.setattr(server_insert, "CLOCK", clock)
    proxy.inject(Fault.LATE, times=1)
    with pytest.raises(StoreUnreachable):
        insert(first, Signal.TRACES, [(body, SPANS)], file, batch=7)
    first.close()
    second = Engine(store.url, clock=lambda: now_s[0], begins=given)
    now_s[0] = 1.0  # an insert had 0.6 s at first, then twice as much
    with pytest.raises(StoreRefused, match="may yet begin for 0"):
        second.refuse_while_due(file, left=True)
    now_s[0] = 1.3
    second.refuse_while_due(file, left=True)
    second.close()
    proxy.deliver()


def test_rows_of_small_tables_that_come_after_their_time_are_not_stored(
    store: Engine, proxy: FaultyProxy, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who inserts rows and got no answer may insert them again when they can begin no more."""
    row = {"what": "content", "before": "2026-01-01 00:00:00"}
    monkeypatch.setattr(server_insert, "CLOCK", f"{(clock := server_insert.CLOCK)} - 1000")
    proxy.inject(Fault.LATE, only=lambda request: b"JSONEachRow" in request, times=1)
    with pytest.raises(StoreUnreachable):
        store.insert("sheddings_v1", [row])
    (answer,) = proxy.deliver()
    assert b"X-ClickHouse-Exception-Code: 394" in answer
    monkeypatch.setattr(server_insert, "CLOCK", clock)
    store.insert("sheddings_v1", [row])
    assert engine.value("select count() from sheddings_v1 where what = 'content'") == 1


def test_only_what_the_engine_says_of_the_time_gives_more(
    store: Engine, proxy: FaultyProxy, tmp_path: Path
) -> None:
    """A query that somebody cancelled, and a proxy's page that speaks of such a code, came in time."""
    body, file, given = request_template(time.time_ns(), SPANS), tmp_path / "a.segment", tmp_path / "given"
    page = UNAVAILABLE.replace(b"upstream connect error", b"Code: 394. too late to")
    proxy.inject(Fault.SAYS, says=[page, error(394, "Query was cancelled. (QUERY_WAS_CANCELLED)")])
    opened = Engine(store.url, begins=given)
    for fault in (StoreUnreachable, StoreRefused):
        with pytest.raises(fault):
            insert(opened, Signal.TRACES, [(body, SPANS)], file, batch=7)
    opened.close()
    assert not given.exists()
