"""A moment of a store and a log, kept as files while both go on."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from collector.access.keeping_keys import Kept
from collector.operate.logs import SPANS, traces
from conftest import fresh_database
from prometheus_client import CollectorRegistry

from sightline_collector.access import key_file
from sightline_collector.access.gate import Gate
from sightline_collector.access.key import Scope
from sightline_collector.errors import FolderUnusable
from sightline_collector.operate.backup import copy, held
from sightline_collector.operate.copying import OWNERS_FILE
from sightline_collector.operate.snapshots import KeysUnknown, Snapshots, SnapshotTaken, as_fields
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
    (tmp_path / "data" / "dead-letter").mkdir(parents=True)
    (tmp_path / "data" / "dead-letter" / "traces-1.otlp").write_bytes(b"refused")
    return tmp_path / "data"


def names(folder: str) -> list[str]:
    """Of what a folder holds; none when it is not there."""
    return [path.name for path in Path(folder).iterdir()] if Path(folder).exists() else []


def of(
    folder: Path, engine: Engine, log: Log, registry: CollectorRegistry | None = None, look_s: float = 60.0
) -> Snapshots:
    """Snapshots of a collector without keys."""
    return Snapshots(folder, engine, log, registry or CollectorRegistry(), Gate(), look_s)


async def until(holds: Callable[[], bool]) -> None:
    """Returns when the condition holds. Raises TimeoutError after 20 s."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what others do has no event here
            await asyncio.sleep(0.005)


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
        snapshots = of(folder, small, log)
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
        snapshots = of(folder, small, log, registry)
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
        left = await of(folder, small, log).take()
        of(folder, small, log)
        assert names(left.log) == []
        assert names(left.tables[0].folder) == []
        await log.close()

    asyncio.run(started())


def test_it_lasts_as_long_as_somebody_holds_it(small: Engine, folder: Path) -> None:
    """Who copies it holds a lock that ends with their process: then its space is given back by itself."""

    async def kept() -> None:
        log = await Log.open(folder / "wal")
        registry = CollectorRegistry()
        snapshots = of(folder, small, log, registry, look_s=0.02)

        def age_s() -> float:
            return registry.get_sample_value("sightline_snapshot_age_seconds") or 0.0

        snapshot = await snapshots.take()
        with held(as_fields(snapshot)):
            await until(lambda: age_s() > 0.2)
            with pytest.raises(SnapshotTaken):
                await snapshots.take()
            assert len(names(snapshot.tables[0].folder)) == 1
        await until(lambda: age_s() == 0)
        assert names(snapshot.tables[0].folder) == []
        assert not (folder / "snapshots").exists()
        await log.close()

    asyncio.run(kept())


def test_a_log_on_another_disk_is_copied(small: Engine, folder: Path) -> None:
    """Where files can have no second name, of segments and dead letters, the snapshot holds copies."""
    if not Path("/dev/shm").is_dir() or Path("/dev/shm").stat().st_dev == folder.stat().st_dev:
        pytest.skip("there is no other disk")

    async def taken(elsewhere: Path) -> None:
        (folder / "dead-letter").rename(folder / "old")
        for name in ("wal", "dead-letter"):
            (elsewhere / name).mkdir()
            (folder / name).symlink_to(elsewhere / name)
        (folder / "dead-letter" / "traces-1.otlp").write_bytes(b"refused")
        log = await Log.open(folder / "wal")
        await log.append(Signal.TRACES, traces(1), SPANS)
        snapshot = await of(folder, small, log).take()
        assert bodies(snapshot.log) == [traces(1)]
        assert names(snapshot.dead_letters) == ["traces-1.otlp"]
        await log.close()

    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        asyncio.run(taken(Path(elsewhere)))


def test_one_that_fails_leaves_nothing(small: Engine, folder: Path) -> None:
    """What was frozen before a disk refused is let go at once, and the next one is taken."""

    async def taken() -> None:
        log = await Log.open(folder / "wal")
        snapshots = of(folder, small, log)
        (folder / "dead-letter").rename(folder / "away")
        with pytest.raises(FileNotFoundError):
            await snapshots.take()
        assert small.url.path is not None
        assert list((small.url.path / "shadow").glob("backup_*")) == []
        assert not (folder / "snapshots").exists()
        (folder / "away").rename(folder / "dead-letter")
        assert await snapshots.drop((await snapshots.take()).name)
        await log.close()

    asyncio.run(taken())


def test_the_keys_in_force_are_in_it(small: Engine, folder: Path, tmp_path: Path) -> None:
    """A backup has their hashes, to its owner alone; where nobody can read them there is none."""
    kept = Kept(folder)
    key, _ = kept.add(Scope.INGEST)

    async def taken() -> None:
        log = await Log.open(folder / "wal")
        snapshot = await Snapshots(folder, small, log, CollectorRegistry(), kept.gate).take()
        with pytest.raises(FolderUnusable, match="lies in the collector's own folder"):
            copy(as_fields(snapshot), folder / "snapshots" / "mine")
        assert copy(as_fields(snapshot), tmp_path / "copied").keys == 1
        held_keys = tmp_path / "copied" / "keys.json"
        assert key_file.read(held_keys).keys == (key,)
        assert held_keys.stat().st_mode & 0o777 == OWNERS_FILE
        unread = Kept(tmp_path).gate
        (tmp_path / "keys.json").write_text('{"keys": [tru')
        unread.refresh()
        with pytest.raises(KeysUnknown):
            await Snapshots(folder, small, log, CollectorRegistry(), unread).take()
        await log.close()

    asyncio.run(taken())


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
        snapshot = await of(folder, small, log).take()
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        assert len(bodies(snapshot.log)) >= before
        await log.close()

    asyncio.run(taken())
