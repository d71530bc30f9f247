"""A moment of a store and a log, kept as files while both go on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector.operate.logs import SPANS, traces
from conftest import fresh_database
from prometheus_client import CollectorRegistry

from sightline_collector.operate.snapshots import Snapshots, SnapshotTaken
from sightline_collector.store.engine import Engine
from sightline_collector.wal import segment
from sightline_collector.wal.log import Log
from sightline_collector.wal.segment import Signal


@pytest.fixture(scope="module")
def small(engine_folder: Path) -> Iterator[Engine]:
    """A store with one table of two rows."""
    with fresh_database(engine_folder, "snapshots") as opened:
        opened.command("create table kept_v1 (n UInt8) engine = MergeTree order by n")
        opened.command("insert into kept_v1 values (1), (2)")
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a dead letter."""
    (tmp_path / "dead-letter").mkdir()
    (tmp_path / "dead-letter" / "traces-1.otlp").write_bytes(b"refused")
    return tmp_path


def names(folder: str) -> list[str]:
    """Of what a folder holds; none when it is not there."""
    return [path.name for path in Path(folder).iterdir()] if Path(folder).exists() else []


def bodies(folder: str) -> list[bytes]:
    """Of all whole records in a folder of segments."""
    found = []
    for path in sorted(Path(folder).iterdir()):
        content = path.read_bytes()
        found += [bytes(record.body(content)) for record in segment.records(content)]
    return found


def test_it_stays_as_it_was(small: Engine, folder: Path) -> None:
    """Rows inserted and segments let go afterwards change nothing of what was taken."""

    async def taken() -> None:
        log = await Log.open(folder / "wal")
        await log.append(Signal.TRACES, traces(1), SPANS)
        snapshots = Snapshots(folder, small, log, CollectorRegistry())
        snapshot = await snapshots.take()
        await log.append(Signal.TRACES, traces(2), SPANS)
        await log.let_go(await log.sealed(Signal.TRACES))
        small.command("insert into kept_v1 values (3)")
        small.command("optimize table kept_v1 final")
        (table,) = snapshot.tables
        assert (table.name, table.rows, snapshot.segments) == ("kept_v1", 2, 1)
        assert bodies(snapshot.log) == [traces(1)]
        assert names(snapshot.dead_letters) == ["traces-1.otlp"]
        assert len(names(table.folder)) == 1
        assert await snapshots.drop(snapshot.name)
        assert names(table.folder) == []
        await log.close()

    asyncio.run(taken())


def test_one_at_a_time_and_only_by_its_name(small: Engine, folder: Path) -> None:
    """A second one is refused until the first is let go, which takes its name."""

    async def taken() -> None:
        log = await Log.open(folder / "wal")
        registry = CollectorRegistry()
        snapshots = Snapshots(folder, small, log, registry)
        first = await snapshots.take()
        with pytest.raises(SnapshotTaken, match=first.name):
            await snapshots.take()
        assert not await snapshots.drop("backup_of_yesterday")
        assert (registry.get_sample_value("sightline_snapshot_age_seconds") or 0) > 0
        assert await snapshots.drop(first.name)
        assert registry.get_sample_value("sightline_snapshot_age_seconds") == 0
        assert await snapshots.drop((await snapshots.take()).name)
        await log.close()

    asyncio.run(taken())


def test_what_a_killed_collector_left_is_cleared(small: Engine, folder: Path) -> None:
    """A snapshot that nobody can let go any more gives its disk space back at the next start."""

    async def started() -> None:
        log = await Log.open(folder / "wal")
        left = await Snapshots(folder, small, log, CollectorRegistry()).take()
        Snapshots(folder, small, log, CollectorRegistry())
        assert names(left.log) == []
        assert names(left.tables[0].folder) == []
        await log.close()

    asyncio.run(started())


def test_traffic_does_not_keep_a_snapshot_waiting(small: Engine, folder: Path) -> None:
    """However fast records come, sealing ends: what was acknowledged before it is in the files."""

    async def taken() -> None:
        log = await Log.open(folder / "wal")
        acknowledged: list[int] = []
        flowing = asyncio.Event()

        async def send() -> None:
            for number in range(10_000):
                await log.append(Signal.TRACES, traces(1) + bytes([0xF8, 0x7F, number % 128]), SPANS)
                acknowledged.append(number)
                if len(acknowledged) == 50:
                    flowing.set()

        sending = [asyncio.create_task(send()) for _ in range(8)]
        await flowing.wait()
        before = len(acknowledged)
        snapshot = await Snapshots(folder, small, log, CollectorRegistry()).take()
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        assert len(bodies(snapshot.log)) >= before
        await log.close()

    asyncio.run(taken())
