"""Erasures that are not complete: their rows may be gone when the rest is looked for again, and one that was
killed has left settings on tables.

::

    forgetting/<digest of the subject>.json     ids of traces, from an erasure's begin until one is complete;
                                                of who has none until it ends
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from sightline_collector.store.durable import replace_text, sync_all

FOLDER = "forgetting"


def remembered(folder: Path, digest: str, traces: Collection[str]) -> frozenset[str]:
    """These traces and those of earlier runs, durable on return. Raises OSError."""
    file = _file(folder, digest)
    known = _known(file)
    every = set(traces).union(known or ())
    if every != known:
        file.parent.mkdir(exist_ok=True)
        replace_text(file, json.dumps(sorted(every)))
        sync_all(file.parent)
    return frozenset(every)


def any_left(folder: Path) -> bool:
    """Whether an erasure was begun and is not complete. Raises OSError."""
    begun = folder / FOLDER
    return begun.is_dir() and any(begun.iterdir())


def done(folder: Path, digest: str) -> None:
    """Nothing of the subject is left to be looked for. Raises OSError."""
    _file(folder, digest).unlink(missing_ok=True)


def _known(file: Path) -> set[str] | None:
    try:
        return {str(one) for one in json.loads(file.read_bytes())}
    except (FileNotFoundError, ValueError):
        return None


def _file(folder: Path, digest: str) -> Path:
    return folder / FOLDER / f"{digest}.json"
