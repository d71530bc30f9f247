"""Segments on their way to a ClickHouse server while the way breaks: each is stored, once.

A real collector's inserter, a proxy that breaks connections, and a server played by the embedded engine.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import pytest
from collector.gateway.serving import serving, wait_until
from remembered_load import TRACE, request_template
from servers.faulty_proxy import UNAVAILABLE, Fault, FaultyProxy, error, is_insert
from servers.inserting import LIMIT_S, ONCE, SPANS, Collector, sends, stored
from servers.played_server import PlayedServer

from sightline_collector.gateway import operations
from sightline_collector.health import Health
from sightline_collector.store import connection, draining
from sightline_collector.store.engine import Engine
from sightline_collector.store.insert import Inserter
from sightline_collector.wal.dead_letter import DeadLetters
from sightline_collector.wal.log import Log
from sightline_collector.wal.segment import Signal


@pytest.mark.parametrize(
    "fault",
    [Fault.RESET, Fault.CUT, Fault.ANSWER_LOST, Fault.ANSWER_NEVER, Fault.SILENT],
    ids=lambda fault: fault.name.lower(),
)
def test_what_was_acknowledged_is_stored_once(
    collector: Collector, proxy: FaultyProxy, engine: Engine, fault: Fault
) -> None:
    """A connection that breaks at any place of an insert loses nothing and doubles nothing."""
    proxy.inject(fault, times=1)
    collector.run(sends)
    assert proxy.count(fault) >= 1
    assert stored(engine) == ONCE
    assert collector.retries("StoreUnreachable") >= 1


SAID_OF_ITSELF = (
    (243, "Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)"),
    (241, "(total) memory limit exceeded: would use 9.01 GiB. (MEMORY_LIMIT_EXCEEDED)"),
    (242, "Table is in readonly mode since table metadata was not found. (TABLE_IS_READ_ONLY)"),
    (252, "Too many parts (3000 with average size of 1.00 MiB). (TOO_MANY_PARTS)"),
    (202, "Too many simultaneous queries. Maximum: 100. (TOO_MANY_SIMULTANEOUS_QUERIES)"),
    (999, "Coordination::Exception: Session expired. (KEEPER_EXCEPTION)"),
    (285, "Number of alive replicas (1) is less than requested quorum (2/2). (TOO_FEW_LIVE_REPLICAS)"),
    (319, "Unknown quorum status. The data was inserted here only. (UNKNOWN_STATUS_OF_INSERT)"),
    (60, "Table sightline.spans_v1 does not exist. (UNKNOWN_TABLE)"),
    (516, "sightline: Authentication failed. (AUTHENTICATION_FAILED)"),
)


def test_what_the_server_says_of_itself_is_waited_for(
    collector: Collector, proxy: FaultyProxy, engine: Engine
) -> None:
    """Full, read-only, overloaded, without its table or its user, or hidden by a load balancer: each is tried
    again, and none makes a dead letter.
    """
    answers = [UNAVAILABLE, *(error(code, words) for code, words in SAID_OF_ITSELF)]
    proxy.inject(Fault.SAYS, times=len(answers), says=answers)
    collector.run(sends)
    assert stored(engine) == ONCE
    assert [code for code, _ in SAID_OF_ITSELF if not collector.retries(f"engine_{code}")] == []
    assert list(collector.letters.letters()) == []


def test_a_server_too_slow_for_anything_makes_no_dead_letters(
    collector: Collector, proxy: FaultyProxy, engine: Engine
) -> None:
    """An insert that takes too long is the data's fault only when a known request is quick meanwhile."""
    slow = error(159, "Timeout exceeded: elapsed 50 seconds, maximum: 50. (TIMEOUT_EXCEEDED)")
    proxy.inject(Fault.SAYS, times=12, says=[slow] * 12)
    collector.run(sends)
    assert stored(engine) == ONCE
    assert list(collector.letters.letters()) == []


class Away(Protocol):
    """Takes something from the server, and gives it back."""

    def __call__(self, server: PlayedServer, proxy: FaultyProxy, engine: Engine) -> Callable[[], None]: ...


def down(server: PlayedServer, proxy: FaultyProxy, engine: Engine) -> Callable[[], None]:
    """Nobody listens."""
    proxy.down()
    return proxy.up


def locked_out(server: PlayedServer, proxy: FaultyProxy, engine: Engine) -> Callable[[], None]:
    """The password has changed."""
    server.played.password, known = "another", server.played.password

    def back() -> None:
        server.played.password = known

    return back


def without_table(server: PlayedServer, proxy: FaultyProxy, engine: Engine) -> Callable[[], None]:
    """Somebody has moved the table away."""
    engine.command("rename table spans_v1 to moved")
    return lambda: engine.command("rename table moved to spans_v1")


@pytest.mark.parametrize(
    ("away", "reason"),
    [(down, "StoreUnreachable"), (locked_out, "engine_516"), (without_table, "engine_60")],
    ids=["down", "wrong-password", "without-its-table"],
)
def test_a_server_that_comes_back_gets_all_that_was_acknowledged_meanwhile(
    collector: Collector, proxy: FaultyProxy, server: PlayedServer, engine: Engine, away: Away, reason: str
) -> None:
    """However often it is tried, nothing is let go, doubled or put aside, and nobody restarts anything."""

    async def work(log: Log) -> None:
        back = away(server, proxy, engine)
        await sends(log)
        while collector.retries(reason) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        back()

    collector.run(work)
    assert stored(engine) == ONCE
    assert list(collector.letters.letters()) == []


def test_an_insert_that_goes_on_without_its_client_is_not_done_twice(
    store: Engine,
    proxy: FaultyProxy,
    server: PlayedServer,
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the server still works on an insert whose connection broke, the same segment is not inserted."""
    monkeypatch.setattr(connection, "ANSWER_S", 3.0)
    hasty = Engine(store.url)
    collector = Collector(hasty, tmp_path)
    released = threading.Event()
    held = threading.Semaphore(1)

    def slowly(_: str) -> None:
        if held.acquire(blocking=False):
            released.wait(LIMIT_S)

    server.played.before_insert = slowly
    proxy.inject(Fault.LEFT, times=1)

    async def work(log: Log) -> None:
        await sends(log)
        while not collector.retries("engine_216"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        released.set()

    collector.run(work)
    hasty.close()
    server.played.before_insert = lambda _: None
    assert stored(engine) == ONCE


def test_a_slow_insert_holds_up_no_other_write(
    collector: Collector, server: PlayedServer, store: Engine, engine: Engine
) -> None:
    """While a server works on one signal's segment, others are written: each waits for its own only."""
    begun, written = threading.Event(), threading.Event()

    def slowly(statement: str) -> None:
        if "spans_v1" in statement:
            begun.set()
            written.wait(LIMIT_S)

    server.played.before_insert = slowly

    async def work(log: Log) -> None:
        await sends(log)
        await asyncio.to_thread(begun.wait, LIMIT_S)
        await asyncio.to_thread(store.insert, "losses_v1", [{"place": "here", "items": 1}])
        written.set()

    collector.run(work)
    server.played.before_insert = lambda _: None
    assert stored(engine) == ONCE
    assert engine.value("select sum(items) from losses_v1 where place = 'here'") == 1


def test_a_stop_does_not_wait_for_a_server_that_is_silent(
    store: Engine, proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes no segment for a while is left alone at the end, with the segment in the log."""
    monkeypatch.setattr(draining, "STALL_S", 0.2)
    proxy.inject(Fault.SILENT)

    async def work() -> list[asyncio.Task[None]]:
        log = await Log.open(tmp_path / "wal")
        threads = ThreadPoolExecutor(1)
        letters = DeadLetters(tmp_path / "dead-letter", health)
        inserter = Inserter(Signal.TRACES, store, log, letters, health, tmp_path, threads)
        inserting = asyncio.create_task(inserter.run())
        await sends(log)
        await log.drain()
        late = await draining.drained([(inserter, inserting)])
        inserting.cancel()
        threads.shutdown(wait=False)
        assert log.waiting_segments(Signal.TRACES) == 1
        await log.close()
        return late

    health = Health()
    assert len(asyncio.run(work())) == 1


def test_rows_of_small_tables_are_never_sent_again_by_the_client(
    store: Engine, proxy: FaultyProxy, engine: Engine
) -> None:
    """An answer that is lost is told to who inserts; the client does not repeat what may have been done."""
    proxy.inject(Fault.ANSWER_LOST, only=lambda request: b"JSONEachRow" in request, times=1)
    with pytest.raises(Exception, match="does not answer"):
        store.insert("sheddings_v1", [{"what": "rows", "before": "2026-01-01 00:00:00"}])
    assert engine.value("select count() from sheddings_v1") == 1


def test_the_statement_is_in_the_body(collector: Collector, proxy: FaultyProxy) -> None:
    """No request's first line is longer than what load balancers take for one."""
    collector.run(sends)
    assert any(one.inserts for one in proxy.passed)
    assert max(len(one.line) for one in proxy.passed) < 8000


def test_a_silent_server_is_asked_once_however_often_one_looks(
    store: Engine, proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/readyz` says that the store does not answer, `/healthz` and `/metrics` go on, and no thread is taken
    for each look.
    """
    monkeypatch.setattr(operations, "STORE_ANSWERS_S", 0.05)
    monkeypatch.setattr(connection, "ANSWER_S", LIMIT_S)
    with serving(store, tmp_path) as port:
        proxy.inject(Fault.SILENT, only=lambda request: request.endswith(b"select 1\n FORMAT Native"))
        looks = [port.client.get("/readyz") for _ in range(8)]
        assert {look.status_code for look in looks} == {503}
        assert "the store did not answer" in looks[-1].text
        assert proxy.count(Fault.SILENT) == 1
        assert [port.client.get(path).status_code for path in ("/healthz", "/metrics")] == [200, 200]
        proxy.heal()
        wait_until(lambda: port.client.get("/readyz").status_code == 200)


def test_a_search_for_a_poisoned_request_goes_on_where_it_was_interrupted(
    collector: Collector, proxy: FaultyProxy, engine: Engine
) -> None:
    """However often the store fails meanwhile, each piece is tried until it is taken or to blame."""
    broken = {"left": 6}

    def every_other_insert(request: bytes) -> bool:
        broken["left"] -= is_insert(request)
        return is_insert(request) and broken["left"] >= 0 and broken["left"] % 2 == 0

    proxy.inject(Fault.RESET, only=every_other_insert)

    async def work(log: Log) -> None:
        poison = request_template(time.time_ns(), SPANS).replace(TRACE, b"p" * 16) + b"\x0b\x10\x01\x0c"
        await asyncio.gather(sends(log), log.append(Signal.TRACES, poison, SPANS))

    collector.run(work)
    assert stored(engine) == ONCE
    assert [letter.items for letter in collector.letters.letters()] == [SPANS]
