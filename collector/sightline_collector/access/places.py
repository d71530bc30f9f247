"""Where a folder's files really lie: links are followed, wherever they lead.

Only regular files count: a pipe or a socket keeps nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

Unreadable = Callable[[OSError], object]
"""Told of each file and folder that cannot be seen."""

FOUND_BY_FSCK = "lost+found"
"""Root's own folder on a disk of ext4: nobody else reads or writes it."""


def places(*folders: Path) -> list[Path]:
    """Real paths of the folders, and of what links below them lead to: none of them below another.

    One that is not there is among them.
    """
    found: list[Path] = []
    waiting = [Path(os.path.realpath(folder)) for folder in folders]
    while waiting:
        place = waiting.pop()
        if not any(place.is_relative_to(one) for one in found):
            found = [place, *(one for one in found if not one.is_relative_to(place))]
            waiting += (Path(os.path.realpath(path)) for path in _entries(place) if os.path.islink(path))
    return sorted(found)


def files(place: Path, unreadable: Unreadable) -> Iterator[Path]:
    """Each file below a place, or itself; links are passed over."""
    below = _entries(place, unreadable) if place.is_dir() else ()
    for path in (place, *below):
        try:
            mode = path.lstat().st_mode
        except OSError as e:
            unreadable(e)
            continue
        if stat.S_ISREG(mode):
            yield path


def _entries(place: Path, unreadable: Unreadable | None = None) -> Iterator[Path]:
    for where, folders, names in os.walk(place, onerror=unreadable):
        folders[:] = [name for name in folders if name != FOUND_BY_FSCK]
        yield from (Path(where, name) for name in sorted((*folders, *names)))
