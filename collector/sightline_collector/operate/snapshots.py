"""A moment of a running collector as files that change no more: what a backup is copied from.

::

    acknowledged --seal, link--> data/snapshots/NAME/wal      segments that the store has not confirmed
    stored       --freeze------> data/store/shadow/NAME       the parts of every table, by hard links
    refused      --link--------> data/snapshots/NAME/dead-letter
    keys         --write-------> data/snapshots/NAME/keys.json
    copied       --lock--------> data/snapshots/NAME/hold     while somebody holds it, all of these stay

The log is linked first: what it lets go of meanwhile is in the tables when they freeze. A segment that is in
both is found out by its count at the first start after a restore, as after any unclean stop. All tables
freeze between two inserts, so they fit each other. Links cost no space until the originals are merged away;
a log or letters on a disk of their own are copied instead.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from sightline_collector.access import key_file
from sightline_collector.access.gate import Gate
from sightline_collector.errors import OwnFault
from sightline_collector.store.engine import Engine
from sightline_collector.wal.folder import link_or_copy
from sightline_collector.wal.log import Log

LOOK_S = 5.0
"""Between looks whether somebody holds the snapshot: who asks for one has that long to take hold of it."""

STORED_TABLES = """
select name, toString(uuid) as uuid, create_table_query as statement from system.tables
where database = currentDatabase() and engine like '%MergeTree' order by name
"""


class SnapshotTaken(OwnFault):
    """There is one already: one at a time, for each holds on to disk space."""

    http_status = 409
    reason = "snapshot_taken"


class NotEmbedded(OwnFault):
    """The store is a server, whose files are not ours to copy."""

    http_status = 400
    reason = "not_embedded"


class KeysUnknown(OwnFault):
    """Keys are asked for, and which ones nobody knows: what were restored would let everyone in."""

    reason = "keys_unknown"


@dataclass(frozen=True, slots=True)
class FrozenTable:
    """A table: the statement that makes it, where its parts lie, and the rows that they hold."""

    name: str
    statement: str
    folder: str
    rows: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a backup needs: what was acknowledged before `taken_at` is in it.

    It lasts while somebody holds a lock (flock) on the file `hold`. `folders`: where no copy may lie. `keys`:
    how many there are in `keys_file`, which is not there without any.
    """

    name: str
    taken_at: str
    engine: str
    tables: tuple[FrozenTable, ...]
    log: str
    dead_letters: str
    segments: int
    keys: int
    keys_file: str
    hold: str
    folders: tuple[str, ...]


class Snapshots:
    """At most one snapshot of a collector's embedded store, its log, its dead letters and its keys."""

    def __init__(
        self,
        folder: Path,
        engine: Engine,
        log: Log,
        registry: CollectorRegistry,
        gate: Gate,
        look_s: float = LOOK_S,
    ) -> None:
        """Clears what an earlier process left."""
        self._folder = folder
        self._engine = engine
        self._log = log
        self._gate = gate
        self._look_s = look_s
        self._taken: tuple[Snapshot, float] | None = None
        self._taking = asyncio.Lock()
        self._tasks: set[asyncio.Task[object]] = set()
        age = Gauge(
            "sightline_snapshot_age_seconds",
            "Of the snapshot that a backup copies, and that keeps disk space; 0 when there is none",
            registry=registry,
        )
        age.set_function(lambda: time.monotonic() - self._taken[1] if self._taken else 0.0)
        self._clear()

    async def take(self) -> Snapshot:
        """What was acknowledged before the call is in it; there is none when it raises.

        Raises SnapshotTaken, NotEmbedded, KeysUnknown, the store's faults, OSError.
        """
        taking = asyncio.create_task(self._take())
        self._keep(taking)
        return await asyncio.shield(taking)  # half of one that nobody waits for would never be cleared

    async def drop(self, name: str) -> bool:
        """Gives its disk space back; False when there is none of that name."""
        async with self._taking:
            if self._taken is None or self._taken[0].name != name:
                return False
            await asyncio.to_thread(self._clear)
            self._taken = None
            return True

    async def _take(self) -> Snapshot:
        async with self._taking:
            self._refuse()
            await asyncio.to_thread(self._clear)
            try:
                snapshot = await self._made()
            except BaseException:
                await asyncio.to_thread(self._clear)
                raise
            self._taken = snapshot, time.monotonic()
            self._keep(asyncio.create_task(self._let_go_when_left(snapshot)))
            return snapshot

    def _refuse(self) -> None:
        if self._engine.url.path is None:
            raise NotEmbedded(
                "the store is a ClickHouse server", hint="use its own: BACKUP DATABASE … TO Disk(…)"
            )
        if self._taken:
            raise SnapshotTaken(
                f"snapshot {self._taken[0].name} is being copied",
                hint=f"wait for that backup; {self._look_s:.0f} s, if it was killed",
            )
        if self._gate.shut and not self._gate.keys:
            raise KeysUnknown(
                "the keys cannot be read: without them all that is restored would be open to everyone",
                hint="mend the file of keys: `sightline doctor`",
            )

    async def _made(self) -> Snapshot:
        assert self._engine.url.path is not None
        asked_at = datetime.now(UTC)
        name = f"backup_{asked_at:%Y%m%d_%H%M%S_%f}"
        linked = self._folder / "snapshots" / name
        segments = await self._log.snapshot(linked / "wal")
        tables = await asyncio.to_thread(self._freeze, name)
        keys = self._gate.keys
        await asyncio.to_thread(self._add, linked, key_file.Keys(keys=keys))
        return Snapshot(
            name, f"{asked_at:%Y-%m-%d %H:%M:%S} UTC", self._engine.version, tables,
            str(linked / "wal"), str(linked / "dead-letter"), segments,
            len(keys), str(linked / key_file.NAME), str(linked / "hold"),
            (str(self._folder), str(self._engine.url.path)),
        )  # fmt: skip

    def _freeze(self, name: str) -> tuple[FrozenTable, ...]:
        tables = self._engine.rows(STORED_TABLES)
        self._engine.commands([f"alter table {t['name']} freeze with name '{name}'" for t in tables])
        return tuple(self._frozen(name, t["name"], t["uuid"], t["statement"]) for t in tables)

    def _frozen(self, name: str, table: str, uuid: str, statement: str) -> FrozenTable:
        assert self._engine.url.path is not None
        folder = self._engine.url.path / "shadow" / name / "store" / uuid[:3] / uuid
        return FrozenTable(table, statement, str(folder), sum(_rows(folder)))

    def _add(self, linked: Path, keys: key_file.Keys) -> None:
        _link_all(self._folder / "dead-letter", linked / "dead-letter")
        if keys.keys:
            key_file.write(linked / key_file.NAME, keys)
        (linked / "hold").touch()

    def _keep(self, task: asyncio.Task[object]) -> None:
        """A reference: the loop itself keeps none."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _let_go_when_left(self, snapshot: Snapshot) -> None:
        """Whoever copies it may be killed, and then cannot say that they are done."""
        await asyncio.sleep(self._look_s)
        while await asyncio.to_thread(_is_held, Path(snapshot.hold)):  # noqa: ASYNC110 - a lock has no event
            await asyncio.sleep(self._look_s)
        await self.drop(snapshot.name)

    def _clear(self) -> None:
        shutil.rmtree(self._folder / "snapshots", ignore_errors=True)
        if self._engine.url.path is not None:
            for frozen in (self._engine.url.path / "shadow").glob("backup_*"):
                shutil.rmtree(frozen, ignore_errors=True)


def as_fields(snapshot: Snapshot) -> dict[str, object]:
    """As JSON has it."""
    return asdict(snapshot)


def _is_held(file: Path) -> bool:
    try:
        fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:  # not to be seen now: it is looked at again
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _rows(folder: Path) -> Iterator[int]:
    """Of each part, deleted ones included: the number that the engine itself keeps beside it."""
    for part in folder.glob("*/count.txt"):
        yield int(part.read_text())


def _link_all(source: Path, into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for entry in os.scandir(source):
        if entry.is_file() and not entry.name.endswith(".new"):
            with suppress(FileNotFoundError):  # replayed or dropped at this moment
                link_or_copy(Path(entry.path), into / entry.name)
