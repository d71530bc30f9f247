"""A backup is a folder: the parts of every table, the segments that were not stored yet, the dead letters.

::

    backup.json                what it holds, written last: a folder without it is no whole backup
    tables/spans_v1/PART/…     as the engine wrote them, with the engine's own checksums inside
    wal/…segment               acknowledged, not confirmed by the store when the backup was taken
    dead-letter/…              refused by the store

Everything is synced before backup.json is written. Restoring makes the tables by their own statements,
attaches their parts, has the engine check every checksum, and compares the rows with those that were copied.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline_collector.errors import FolderUnusable, OwnFault
from sightline_collector.store.engine import Engine
from sightline_collector.store.migrate import migrate
from sightline_collector.store.url import DEFAULT_DATABASE, StoreUrl
from sightline_collector.wal.folder import OWNERS_ONLY, lock_folder

MANIFEST = "backup.json"
FORMAT = 1
"""Of the folder. A later one may be laid out in another way."""


class BadBackup(OwnFault):
    """The folder is not a whole backup, or its content is not what was copied."""

    reason = "bad_backup"


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied or restored: tables with their rows, segments, dead letters, and bytes."""

    rows: Mapping[str, int]
    segments: int
    dead_letters: int
    size_bytes: int


def refuse_used(folder: Path) -> None:
    """Raises FolderUnusable unless the folder is absent or empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderUnusable(f"{folder} is there already", hint="name a folder that is not, or is empty")


def copy(snapshot: Mapping[str, Any], into: Path) -> Copied:
    """Copies a snapshot, as the collector described it. Raises FolderUnusable, OSError."""
    refuse_used(into)
    for table in snapshot["tables"]:
        folder = Path(table["folder"])
        if table["rows"] and not folder.is_dir():
            raise FolderUnusable(
                f"{folder} cannot be seen from here",
                hint="run this on the machine, and as the user, of the collector",
            )
    into.mkdir(mode=OWNERS_ONLY, parents=True, exist_ok=True)
    size_bytes = 0
    for table in snapshot["tables"]:
        size_bytes += _copy_folder(Path(table["folder"]), into / "tables" / table["name"])
    size_bytes += _copy_folder(Path(snapshot["log"]), into / "wal")
    size_bytes += _copy_folder(Path(snapshot["dead_letters"]), into / "dead-letter")
    manifest = {
        "format": FORMAT,
        "taken_at": snapshot["taken_at"],
        "engine": snapshot["engine"],
        "tables": [{key: t[key] for key in ("name", "statement", "rows")} for t in snapshot["tables"]],
        "segments": len(os.listdir(into / "wal")),
        "dead_letters": len(list((into / "dead-letter").glob("*.otlp"))),
        "size_bytes": size_bytes,
    }
    _write_synced(into / MANIFEST, json.dumps(manifest, indent=2).encode())
    return _copied(manifest)


def _copied(manifest: Mapping[str, Any]) -> Copied:
    rows = {table["name"]: table["rows"] for table in manifest["tables"]}
    return Copied(rows, manifest["segments"], manifest["dead_letters"], manifest["size_bytes"])


def restore(backup: Path, folder: Path) -> Copied:
    """Makes a data folder from a backup. The folder is gone again when anything fails.

    Raises BadBackup, FolderUnusable, and the store's faults.
    """
    manifest = _manifest(backup)
    refuse_used(folder)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.mkdir(mode=OWNERS_ONLY, parents=True, exist_ok=True)
        held = lock_folder(folder)
        undo.callback(os.close, held)
        _restore_store(backup, folder / "store", manifest)
        for name in ("wal", "dead-letter"):
            _copy_folder(backup / name, folder / name)
        _sync(folder)
        undo.pop_all()
        os.close(held)
    return _copied(manifest)


def _manifest(backup: Path) -> dict[str, Any]:
    path = backup / MANIFEST
    try:
        manifest = dict(json.loads(path.read_bytes()))
    except (OSError, ValueError) as e:
        raise BadBackup(
            f"{backup} is no whole backup: {path.name} cannot be read ({e})",
            hint="a backup that was cut short has none: name another, or take it again",
        ) from None
    if manifest.get("format") != FORMAT:
        raise BadBackup(
            f"{backup} has format {manifest.get('format')}, this program knows {FORMAT}",
            hint="restore it with the version that took it, or a newer one",
        )
    return manifest


def _restore_store(backup: Path, store: Path, manifest: Mapping[str, Any]) -> None:
    engine = Engine(StoreUrl(store, "", 0, "", "", DEFAULT_DATABASE, secure=False))
    try:
        for table in manifest["tables"]:
            engine.command(table["statement"])
            _attach(engine, table["name"], backup / "tables" / table["name"], table["rows"])
        migrate(engine)
    finally:
        engine.close()


def _attach(engine: Engine, table: str, parts: Path, rows: int) -> None:
    where = "database = currentDatabase() and {column} = {{table:String}}"
    sql = f"select data_paths[1] as path from system.tables where {where.format(column='name')}"  # noqa: S608
    path = Path(str(engine.value(sql, {"table": table})))
    if rows:
        _copy_folder(parts, path / "detached")
        engine.command(f"alter table {table} attach partition all")
    sql = f"select sum(rows) as held from system.parts where active and {where.format(column='table')}"  # noqa: S608
    held = int(engine.value(sql, {"table": table}) or 0)
    if held != rows:
        raise BadBackup(f"{table} has {held} rows, {rows} were copied", hint="name another backup")
    if not int(engine.write_value(f"check table {table} settings check_query_single_value_result = 1")):
        raise BadBackup(f"{table} is damaged", hint="name another backup; this one's disk may be bad")


def _copy_folder(source: Path, into: Path) -> int:
    """Copies and syncs files and folders, the empty ones too. Bytes."""
    into.mkdir(parents=True, exist_ok=True)
    size_bytes = 0
    for entry in os.scandir(source) if source.is_dir() else ():
        if entry.is_dir():
            size_bytes += _copy_folder(Path(entry.path), into / entry.name)
        else:
            shutil.copyfile(entry.path, into / entry.name)
            _sync(into / entry.name)
            size_bytes += entry.stat().st_size
    _sync(into)
    return size_bytes


def _write_synced(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    _sync(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
