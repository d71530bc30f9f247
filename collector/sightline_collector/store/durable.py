"""A store's folder made durable, and what is written beside it.

The engine syncs the rows of an insert where its table says so, and the text of a new table, but not the
folders that they lie in: without those a power cut soon after a first start would take whole tables, with
what was stored in them meanwhile.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def sync_all(folder: Path) -> None:
    """Sync every file and every folder below, and the two above. Raises OSError."""
    for place, _, files in os.walk(folder):
        for path in (*(Path(place, name) for name in files), Path(place)):
            # A merge may have removed it meanwhile; what is not ours to read was made by others, earlier.
            with suppress(FileNotFoundError, PermissionError):
                _sync(path)
    for above in (folder.parent, folder.parent.parent):
        with suppress(PermissionError):
            _sync(above)


def replace_text(file: Path, text: str) -> None:
    """Put another text into a file: after a power cut it is the old one or the new one. Raises OSError."""
    new = file.with_suffix(".new")
    new.write_text(text)
    _sync(new)
    new.rename(file)
    _sync(file.parent)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
