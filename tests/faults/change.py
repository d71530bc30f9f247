"""What a process has changed on disk, one change after the other, as a tracer writes it down."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Change:
    """A call that has succeeded. `kind` is one of

    make, write, cut, content, sync-begin, sync-end, rename, exchange, link, symlink, unlink, mkdir, pipe

    `other` is the second name of rename, exchange and link, and what a symlink says; `offset` is where a
    write begins, what is left by a cut, and the number by which the end of a sync is known. `at_ns`: the
    monotonic clock.
    """

    at_ns: int
    kind: str
    path: str
    other: str = ""
    data: bytes = b""
    offset: int = 0


def write_down(file: Path, change: Change) -> None:
    """Append a change to a file. A tracer dies with what it traces: nothing is kept in memory."""
    with file.open("ab") as opened:
        pickle.dump(change, opened)


def changes(file: Path) -> Iterator[Change]:
    """What was written down; one that was cut off is left out."""
    with file.open("rb") as opened:
        while True:
            try:
                yield pickle.load(opened)  # noqa: S301 - our own tracer has written it
            except (EOFError, pickle.UnpicklingError):
                return
