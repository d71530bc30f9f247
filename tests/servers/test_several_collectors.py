"""Collectors that share a ClickHouse server: what each does at its start, done by two at once.

The server is played by the embedded engine.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from threading import Barrier, Event
from typing import TypeVar

import pytest
from collector_process import wait_until
from otlp_requests import NOW_NS, WRITER, insert
from remembered_load import request_template
from servers.played_server import Played, PlayedServer

from sightline_collector.config import Config
from sightline_collector.core import open_log
from sightline_collector.health import Health
from sightline_collector.prices import api
from sightline_collector.prices.api import set_override
from sightline_collector.prices.load import load
from sightline_collector.prices.override import Override
from sightline_collector.settle import settling
from sightline_collector.settle.command_lease import CommandLease
from sightline_collector.settle.loop import SettleLoop
from sightline_collector.settle.routes import Asked, SettleRoutes
from sightline_collector.store import migration_lock
from sightline_collector.store.engine import Engine
from sightline_collector.store.golden import LEFT_S, prove
from sightline_collector.store.migrate import migrate
from sightline_collector.store.migration_lock import CREATE, LOCK, alone
from sightline_collector.store.url import parse_store_url
from sightline_collector.wal.segment import Signal

T = TypeVar("T")


@pytest.fixture
def server(engine_folder: Path) -> Iterator[PlayedServer]:
    """What they share."""
    opened = PlayedServer(Played(engine_folder))
    yield opened
    opened.close()


@pytest.fixture
def collectors(engine: Engine, server: PlayedServer) -> Iterator[list[Engine]]:
    """Two collectors' handles on one server's database."""
    url = parse_store_url(f"clickhouse://127.0.0.1:{server.port}/{engine.database}")
    opened = [Engine(url), Engine(url)]
    yield opened
    for one in opened:
        one.close()


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


def test_prices_that_two_change_at_once_are_both_in_force(
    collectors: list[Engine], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two collectors that set an override at the same moment use no number twice, and lose neither."""
    monkeypatch.setattr(api, "_CHANGING", nullcontext())  # one for each process, and two are played here
    was = load(engine).export
    at_once(
        collectors,
        lambda store: set_override(
            store,
            Override(
                model=f"own-{collectors.index(store)}", valid_from=date(2026, 1, 1),
                prices={"input_tokens": Decimal(1), "output_tokens": Decimal(0)},
            ),
        ),
    )  # fmt: skip
    made = engine.rows(f"select export from price_exports_v1 where export > {was} order by export")
    assert [row["export"] for row in made] == [was + 1, was + 2]
    assert engine.value("select uniqExact(id) from price_overrides where isNull(replaced_at)") == 2
    priced = "select uniqExact(model) from prices where model in ('own-0', 'own-1')"
    assert engine.value(priced) == 2


def test_copies_of_a_folder_have_names_of_their_own(collectors: list[Engine], tmp_path: Path) -> None:
    """Of a cloned machine's folder both use the same numbers: by one name, each would count the other's rows
    for its own, and let go of what is not stored."""

    async def name_of(folder: str) -> str:
        url = str(collectors[0].url).replace("default@", "default:@")
        log = await open_log(Config(store=url, data=tmp_path / folder), collectors[0], Health())
        await log.close()
        return log.writer

    first = asyncio.run(name_of("a"))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    names = {first, asyncio.run(name_of("a")), asyncio.run(name_of("b"))}
    assert len(names) == 3


class HeldInsert:
    """The first insert into a table waits until it is freed."""

    def __init__(self, table: str) -> None:
        self.table, self.begun, self.free = table, Event(), Event()

    def hold(self, statement: str) -> None:
        """What a played server does before an insert."""
        if self.table in statement and not self.begun.is_set():
            self.begun.set()
            self.free.wait(60)


def settle_until(over: Event, store: Engine) -> None:
    """A collector's own settlement, round after round."""
    loop = SettleLoop(store, Health(), lambda: WRITER, interval_s=1.0)
    while not over.is_set():
        loop.round()


def test_what_a_person_asks_waits_for_what_another_collector_writes(
    collectors: list[Engine],
    engine: Engine,
    server: PlayedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`sightline settle` at one collector, while another writes the same corrections, writes none twice."""
    monkeypatch.setattr(settling, "LEDGER", nullcontext())  # one for each process, and two are played here
    loops, asked = collectors
    file = tmp_path / "a.segment"
    for batch in (1, 2):
        insert(engine, Signal.TRACES, [(request_template(NOW_NS, 1), 1)], file, batch=batch)
    held, over = HeldInsert("spans_v1"), Event()
    server.played.before_insert = held.hold
    with ThreadPoolExecutor(2) as threads:
        rounds = threads.submit(settle_until, over, loops)
        assert held.begun.wait(60)
        since, until = datetime(2026, 9, 21, tzinfo=UTC), datetime(2026, 9, 22, tzinfo=UTC)
        lease = CommandLease(asked)
        settle = SettleRoutes(asked, lease=lease)._settle
        told = threads.submit(settle, Asked(since=since, until=until))
        wait_until(
            lambda: engine.value("select count() from settlers_v1 where startsWith(holder, 'asked')") > 0
        )
        held.free.set()
        found = told.result(60)
        over.set()
        rounds.result(60)
    assert found == {"traces": 1, "corrections": 0, "failed_groups": 0, "resume": None}
    assert engine.rows("select sum(calls) as calls, count() as entries from spans_v1") == [
        {"calls": 1, "entries": 3}
    ]
    engine.command("truncate table spans_v1")
