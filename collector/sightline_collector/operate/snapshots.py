"""A moment of a running collector as files that change no more: what a backup is copied from.

::

    acknowledged --seal, link--> data/snapshots/NAME/wal      segments that the store has not confirmed
    stored       --freeze------> data/store/shadow/NAME       the parts of every table, by hard links
    refused      --link--------> data/snapshots/NAME/dead-letter

The log is linked first: what it lets go of meanwhile is in the tables when they freeze. A segment that is in
both is found out by its count at the first start after a restore, as after any unclean stop. All tables
freeze between two inserts, so they fit each other. Links cost no space until the originals are merged away.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from sightline_collector.errors import OwnFault
from sightline_collector.store.engine import Engine
from sightline_collector.wal.log import Log

STALE_S = 6 * 3600.0
"""A snapshot that old was forgotten by who asked for it: the next one takes its place."""

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


@dataclass(frozen=True, slots=True)
class FrozenTable:
    """A table: the statement that makes it, where its parts lie, and the rows that they hold."""

    name: str
    statement: str
    folder: str
    rows: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a backup needs: what was acknowledged before `taken_at` is in it."""

    name: str
    taken_at: str
    engine: str
    tables: tuple[FrozenTable, ...]
    log: str
    dead_letters: str
    segments: int


class Snapshots:
    """At most one snapshot of a collector's embedded store, its log and its dead letters."""

    def __init__(self, folder: Path, engine: Engine, log: Log, registry: CollectorRegistry) -> None:
        """Clears what an earlier process left."""
        self._folder = folder
        self._engine = engine
        self._log = log
        self._taken: tuple[Snapshot, float] | None = None
        self._taking = asyncio.Lock()
        age = Gauge(
            "sightline_snapshot_age_seconds",
            "Of the snapshot that a backup copies, and that keeps disk space; 0 when there is none",
            registry=registry,
        )
        age.set_function(lambda: time.monotonic() - self._taken[1] if self._taken else 0.0)
        self._clear()

    async def take(self) -> Snapshot:
        """What was acknowledged before the call is in it. Raises SnapshotTaken, NotEmbedded, OSError."""
        if self._engine.url.path is None:
            raise NotEmbedded(
                "the store is a ClickHouse server", hint="use its own: BACKUP DATABASE … TO Disk(…)"
            )
        async with self._taking:
            if self._taken and time.monotonic() - self._taken[1] < STALE_S:
                raise SnapshotTaken(
                    f"snapshot {self._taken[0].name} is being copied",
                    hint="wait for that backup, or restart the collector if nobody copies it",
                )
            await asyncio.to_thread(self._clear)
            asked_at = datetime.now(UTC)
            name = f"backup_{asked_at:%Y%m%d_%H%M%S_%f}"
            linked = self._folder / "snapshots" / name
            segments = await self._log.snapshot(linked / "wal")
            tables = await asyncio.to_thread(self._freeze, name)
            await asyncio.to_thread(_link_all, self._folder / "dead-letter", linked / "dead-letter")
            taken = Snapshot(
                name, f"{asked_at:%Y-%m-%d %H:%M:%S} UTC", self._engine.version, tables,
                str(linked / "wal"), str(linked / "dead-letter"), segments,
            )  # fmt: skip
            self._taken = taken, time.monotonic()
            return taken

    async def drop(self, name: str) -> bool:
        """Gives its disk space back; False when there is none of that name."""
        async with self._taking:
            if self._taken is None or self._taken[0].name != name:
                return False
            await asyncio.to_thread(self._clear)
            self._taken = None
            return True

    def _freeze(self, name: str) -> tuple[FrozenTable, ...]:
        tables = self._engine.rows(STORED_TABLES)
        self._engine.commands([f"alter table {t['name']} freeze with name '{name}'" for t in tables])
        return tuple(self._frozen(name, t["name"], t["uuid"], t["statement"]) for t in tables)

    def _frozen(self, name: str, table: str, uuid: str, statement: str) -> FrozenTable:
        assert self._engine.url.path is not None
        folder = self._engine.url.path / "shadow" / name / "store" / uuid[:3] / uuid
        return FrozenTable(table, statement, str(folder), sum(_rows(folder)))

    def _clear(self) -> None:
        shutil.rmtree(self._folder / "snapshots", ignore_errors=True)
        if self._engine.url.path is not None:
            for frozen in (self._engine.url.path / "shadow").glob("backup_*"):
                shutil.rmtree(frozen, ignore_errors=True)


def as_fields(snapshot: Snapshot) -> dict[str, object]:
    """As JSON has it."""
    return asdict(snapshot)


def _rows(folder: Path) -> Iterator[int]:
    """Of each part, deleted ones included: the number that the engine itself keeps beside it."""
    for part in folder.glob("*/count.txt"):
        yield int(part.read_text())


def _link_all(source: Path, into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for entry in os.scandir(source):
        if entry.is_file() and not entry.name.endswith(".new"):
            with suppress(FileNotFoundError):  # replayed or dropped at this moment
                os.link(entry.path, into / entry.name)
