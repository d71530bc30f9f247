"""The traces of erasures that are not complete: their rows may be gone when the rest is looked for again.

::

    forgetting/<digest of the subject>.json     ids of traces, until an erasure of the subject is complete
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
    try:
        known = {str(one) for one in json.loads(file.read_bytes())}
    except (FileNotFoundError, ValueError):
        known = set()
    every = known | set(traces)
    if every != known:
        file.parent.mkdir(exist_ok=True)
        replace_text(file, json.dumps(sorted(every)))
        sync_all(file.parent)
    return frozenset(every)


def done(folder: Path, digest: str) -> None:
    """Nothing of the subject is left to be looked for. Raises OSError."""
    _file(folder, digest).unlink(missing_ok=True)


def _file(folder: Path, digest: str) -> Path:
    return folder / FOLDER / f"{digest}.json"
