"""What makes files and names durable: a single one, a store's whole folder, a text that is replaced.

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
                sync(path)
    for above in (folder.parent, folder.parent.parent):
        with suppress(PermissionError):
            sync(above)


def replace_text(file: Path, text: str) -> None:
    """Put another text into a file: after a power cut it is the old one or the new one. Raises OSError."""
    new = file.with_suffix(".new")
    new.write_text(text)
    sync(new)
    new.rename(file)
    sync(file.parent)


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, durable. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
