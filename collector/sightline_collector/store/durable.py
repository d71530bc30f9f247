"""A store's folder made durable.

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
        for name in files:
            with suppress(FileNotFoundError):  # a merge may have removed it meanwhile
                _sync(Path(place, name))
        with suppress(FileNotFoundError):
            _sync(Path(place))
    for above in (folder.parent, folder.parent.parent):
        with suppress(PermissionError):  # not ours to read, so made by somebody else, earlier
            _sync(above)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
