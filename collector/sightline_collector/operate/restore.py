"""A data folder made from a backup: whole, or marked as not, so that no collector starts on half of one.

::

    absent ──lock, mark──▶ restoring ──files and tables checked, all synced──▶ mark gone: a data folder
                               │
                               ├──fault, SIGTERM──▶ absent
                               └──killed──────────▶ restoring: `up` refuses it, the next restore begins anew

Of every file that is no table's the SHA-256 is compared. Tables are made by their own statements; their parts
are attached, the engine checks all of its checksums, and the rows are compared with those that were copied.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sightline_collector.access import key_file
from sightline_collector.access.rewriting import take_back
from sightline_collector.operate.backup import (
    FORMAT,
    LETTERS,
    LOG,
    MANIFEST,
    BadBackup,
    Copied,
    copied,
    refuse_used,
)
from sightline_collector.operate.copying import copy_file, copy_folder, write_synced
from sightline_collector.store.durable import sync, sync_all
from sightline_collector.store.engine import Engine
from sightline_collector.store.migrate import migrate
from sightline_collector.store.url import DEFAULT_DATABASE, StoreUrl
from sightline_collector.wal.folder import LOCK, OWNERS_ONLY, RESTORING, lock_folder

ANOTHER = "name another backup"


def restore(backup: Path, folder: Path) -> Copied:
    """Makes a data folder from a backup; there is none when anything fails.

    Raises BadBackup, FolderUnusable, OSError, and the store's faults.
    """
    manifest = _manifest(backup)
    with _building(folder):
        for name in (LOG, LETTERS):
            (folder / name).mkdir()
        for name, sha256 in manifest["files"].items():
            _copy_checked(backup / name, folder / name, sha256)
        if manifest["keys"]:
            key_file.mark(folder / key_file.NAME)
        _restore_store(backup, folder / "store", manifest)
    return copied(manifest)


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
            hint="restore it with the version that took it",
        )
    return manifest


@contextmanager
def _building(folder: Path) -> Iterator[None]:
    """Inside, the folder is empty, marked, and this process's alone."""
    if not (folder / RESTORING).exists():
        refuse_used(folder)
    folder.mkdir(mode=OWNERS_ONLY, parents=True, exist_ok=True)
    held = lock_folder(folder, restoring=True)
    try:
        write_synced(folder / RESTORING, b"")
        _empty(folder)
        yield
        sync_all(folder)
        (folder / RESTORING).unlink()
        sync(folder)
    except BaseException:
        with suppress(OSError):  # what stays is marked
            _remove(folder)
        raise
    finally:
        os.close(held)


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name not in (LOCK, RESTORING):
            entry.unlink()


def _remove(folder: Path) -> None:
    """The mark goes after all that it speaks of."""
    _empty(folder)
    for name in (RESTORING, LOCK):
        (folder / name).unlink(missing_ok=True)
    folder.rmdir()


def _copy_checked(source: Path, target: Path, sha256: str) -> None:
    try:
        found = copy_file(source, target)
    except FileNotFoundError:
        raise BadBackup(f"{source} is missing", hint=ANOTHER) from None
    if found != sha256:
        raise BadBackup(f"{source} is damaged", hint=f"{ANOTHER}; this one's disk may be bad")


def _restore_store(backup: Path, store: Path, manifest: Mapping[str, Any]) -> None:
    engine = Engine(StoreUrl(store, "", 0, "", "", DEFAULT_DATABASE, secure=False))
    try:
        for table in manifest["tables"]:
            engine.command(table["statement"])
            _attach(engine, table["name"], backup / "tables" / table["name"], table["rows"])
        migrate(engine)
        take_back(engine)  # it may have been taken while somebody was forgotten
    finally:
        engine.close()


def _attach(engine: Engine, table: str, parts: Path, rows: int) -> None:
    where = "database = currentDatabase() and {column} = {{table:String}}"
    sql = f"select data_paths[1] as path from system.tables where {where.format(column='name')}"  # noqa: S608
    path = Path(str(engine.value(sql, {"table": table})))
    if rows:
        copy_folder(parts, path / "detached")
        engine.command(f"alter table {table} attach partition all")
    sql = f"select sum(rows) as held from system.parts where active and {where.format(column='table')}"  # noqa: S608
    held = int(engine.value(sql, {"table": table}) or 0)
    if held != rows:
        raise BadBackup(f"{table} has {held} rows, {rows} were copied", hint=ANOTHER)
    if not int(engine.write_value(f"check table {table} settings check_query_single_value_result = 1")):
        raise BadBackup(f"{table} is damaged", hint=f"{ANOTHER}; this one's disk may be bad")
