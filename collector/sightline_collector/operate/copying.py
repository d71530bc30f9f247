"""Files copied from one folder to another, durable on return. Raises OSError."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from sightline_collector.store.durable import sync

OWNERS_FILE = 0o600
"""The mode of what is copied: prompts, answers and the hashes of keys lie in it."""
_READ_BYTES = 1 << 20


def copy_file(source: Path, target: Path) -> str:
    """Copies one file for its owner alone, into a folder that is made. SHA-256 of what was read, in hex."""
    target.parent.mkdir(parents=True, exist_ok=True)
    read = hashlib.sha256()
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, OWNERS_FILE)
    with source.open("rb") as given, os.fdopen(fd, "wb") as taken:
        while piece := given.read(_READ_BYTES):
            read.update(piece)
            taken.write(piece)
        taken.flush()
        os.fsync(taken.fileno())
    sync(target.parent)
    return read.hexdigest()


def copy_folder(source: Path, into: Path) -> int:
    """Copies and syncs files and folders, the empty ones too. Bytes."""
    into.mkdir(parents=True, exist_ok=True)
    size_bytes = 0
    for entry in os.scandir(source) if source.is_dir() else ():
        if entry.is_dir():
            size_bytes += copy_folder(Path(entry.path), into / entry.name)
        else:
            shutil.copyfile(entry.path, into / entry.name)
            sync(into / entry.name)
            size_bytes += entry.stat().st_size
    sync(into)
    return size_bytes


def write_synced(path: Path, content: bytes) -> None:
    """Writes a file and makes it, and its name, durable."""
    path.write_bytes(content)
    sync(path)
    sync(path.parent)
