"""A backup is a folder: the parts of every table, the segments that were not stored yet, the dead letters.

::

    backup.json                what it holds, written last: a folder without it is no whole backup
    tables/spans_v1/PART/…     as the engine wrote them, with the engine's own checksums inside
    wal/…segment               acknowledged, not confirmed by the store when the backup was taken
    dead-letter/…              refused by the store
    keys.json                  the hashes of the keys in force; absent where there were none

Everything is synced before backup.json is written. Of each file that is no table's it has the SHA-256.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline_collector.access.key_file import NAME as KEYS
from sightline_collector.errors import FolderUnusable, OwnFault
from sightline_collector.operate.copying import copy_file, copy_folder, write_synced
from sightline_collector.wal.folder import OWNERS_ONLY

MANIFEST = "backup.json"
FORMAT = 2
"""Of the folder. A later one may be laid out in another way."""
LOG, LETTERS = "wal", "dead-letter"


class BadBackup(OwnFault):
    """The folder is not a whole backup, or its content is not what was copied."""

    reason = "bad_backup"


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied or restored: tables with their rows, segments, dead letters, keys, and bytes."""

    rows: Mapping[str, int]
    segments: int
    dead_letters: int
    keys: int
    size_bytes: int


def refuse_used(folder: Path) -> None:
    """Raises FolderUnusable unless the folder is absent or empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderUnusable(f"{folder} is there already", hint="name a folder that is not, or is empty")


@contextmanager
def held(snapshot: Mapping[str, Any]) -> Iterator[None]:
    """Inside, the collector keeps the snapshot; when this process dies it lets go. Raises FolderUnusable."""
    try:
        fd = os.open(snapshot["hold"], os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        raise _unseen(Path(snapshot["hold"])) from None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
        yield
    finally:
        os.close(fd)


def _unseen(path: Path) -> FolderUnusable:
    hint = "run this on the machine, and as the user, of the collector"
    return FolderUnusable(f"{path} cannot be seen from here", hint=hint)


def copy(snapshot: Mapping[str, Any], into: Path) -> Copied:
    """Copies a snapshot, as the collector described it. Raises FolderUnusable, OSError."""
    refuse_used(into)
    _refuse_within(into, snapshot["folders"])
    for table in snapshot["tables"]:
        folder = Path(table["folder"])
        if table["rows"] and not folder.is_dir():
            raise _unseen(folder)
    into.mkdir(mode=OWNERS_ONLY, parents=True, exist_ok=True)
    for name in (LOG, LETTERS):
        (into / name).mkdir()
    size_bytes = 0
    for table in snapshot["tables"]:
        size_bytes += copy_folder(Path(table["folder"]), into / "tables" / table["name"])
    files = {name: copy_file(source, into / name) for name, source in _files(snapshot)}
    manifest = {
        "format": FORMAT,
        "taken_at": snapshot["taken_at"],
        "engine": snapshot["engine"],
        "tables": [{key: t[key] for key in ("name", "statement", "rows")} for t in snapshot["tables"]],
        "files": files,
        "keys": snapshot["keys"],
        "size_bytes": size_bytes + sum((into / name).stat().st_size for name in files),
    }
    write_synced(into / MANIFEST, json.dumps(manifest, indent=2).encode())
    return copied(manifest)


def _refuse_within(into: Path, folders: Iterable[str]) -> None:
    """What lies in a collector's own folders it takes for its own, and clears."""
    for folder in folders:
        if into.resolve().is_relative_to(Path(folder).resolve()):
            raise FolderUnusable(
                f"{into} lies in the collector's own folder", hint="name one outside, on another disk at best"
            )


def _files(snapshot: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """What is no table's: each name in the backup, and the file."""
    for name, folder in ((LOG, snapshot["log"]), (LETTERS, snapshot["dead_letters"])):
        yield from ((f"{name}/{path.name}", path) for path in sorted(Path(folder).iterdir()))
    if snapshot["keys"]:
        yield KEYS, Path(snapshot["keys_file"])


def copied(manifest: Mapping[str, Any]) -> Copied:
    """What a manifest says of its backup."""
    rows = {table["name"]: table["rows"] for table in manifest["tables"]}
    segments = sum(name.startswith(f"{LOG}/") for name in manifest["files"])
    letters = sum(name.startswith(f"{LETTERS}/") and name.endswith(".otlp") for name in manifest["files"])
    return Copied(rows, segments, letters, manifest["keys"], manifest["size_bytes"])
