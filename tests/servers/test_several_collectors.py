"""Collectors that share a ClickHouse server: what each does at its start, done by two at once.

The server is played by the embedded engine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import TypeVar

import pytest
from servers.played_server import Played, PlayedServer

from sightline_collector.prices.load import load
from sightline_collector.store import migration_lock
from sightline_collector.store.engine import Engine
from sightline_collector.store.golden import LEFT_S, prove
from sightline_collector.store.migrate import migrate
from sightline_collector.store.migration_lock import CREATE, LOCK, alone
from sightline_collector.store.url import parse_store_url

T = TypeVar("T")


@pytest.fixture
def collectors(engine: Engine, engine_folder: Path) -> Iterator[list[Engine]]:
    """Two collectors' handles on one server's database."""
    server = PlayedServer(Played(engine_folder))
    url = parse_store_url(f"clickhouse://127.0.0.1:{server.port}/{engine.database}")
    opened = [Engine(url), Engine(url)]
    yield opened
    for one in opened:
        one.close()
    server.close()


def at_once(collectors: list[Engine], work: Callable[[Engine], T]) -> list[T]:
    """What each collector's work gives, all begun together."""
    ready = Barrier(len(collectors))

    def begin(store: Engine) -> T:
        ready.wait()
        return work(store)

    with ThreadPoolExecutor(len(collectors)) as threads:
        return list(threads.map(begin, collectors))


def test_of_two_that_mend_a_store_one_does(collectors: list[Engine], engine: Engine, tmp_path: Path) -> None:
    """Two collectors that find rows of data doubled make the relations once, and prove them at once."""
    engine.command("insert into operations_v1 select * from operations_v1")
    assert sorted(at_once(collectors, migrate)) == [False, True]
    assert engine.value("select count() = uniqExact(value) from operations_v1") == 1
    assert engine.value(f"exists {LOCK}") == 0
    at_once(collectors, lambda store: prove(store, tmp_path))
    assert engine.value("select count() from spans_v1") == 0


def test_what_a_killed_proof_left_is_swept_by_a_later_one(engine: Engine, tmp_path: Path) -> None:
    """Rows of an older proof go; those of one that another collector may be at stay."""
    now, running = time.time(), "0" * 31 + "1"
    left = {"batch": 1, "writer": "0" * 32, "started_at": now, "received_at": now - 2 * LEFT_S}
    engine.insert("spans_v1", [left, left | {"writer": running, "received_at": now}])
    prove(engine, tmp_path)
    assert engine.rows("select writer from spans_v1 where batch = 1") == [{"writer": running}]
    engine.command("truncate table spans_v1")


def test_a_lock_whose_holder_died_is_taken_by_one(
    collectors: list[Engine], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a killed collector held is free after a while, for one at a time, and nothing of it stays."""
    monkeypatch.setattr(migration_lock, "AWAY_S", 1)
    monkeypatch.setattr(migration_lock, "LOOK_S", 0.01)
    engine.command(CREATE)
    inside: list[int] = []

    def work(store: Engine) -> int:
        with alone(store):
            inside.append(1)
            most = len(inside)
            inside.pop()
        return most

    assert at_once(collectors, work) == [1, 1]
    left = f"select count() from system.tables where database = currentDatabase() and name like '{LOCK}%'"
    assert engine.value(left) == 0


def test_prices_that_two_have_written_are_written_anew(engine: Engine) -> None:
    """An export whose numbers were used twice, which the engine cannot read, is replaced by the next load."""
    was = load(engine).export
    engine.command("insert into price_exports_v1 select * from price_exports_v1 order by export desc limit 1")
    renewed = load(engine)
    assert (renewed.export, renewed.fresh) == (was + 1, True)
    assert not load(engine).fresh
