"""The embedded store that lies beside a log folder, opened while no collector runs on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sightline_collector.errors import FolderUnusable
from sightline_collector.store.engine import Engine
from sightline_collector.store.url import DEFAULT_DATABASE, StoreUrl
from sightline_collector.wal.folder import lock_folder


@contextmanager
def store_beside(log_folder: Path) -> Iterator[Engine]:
    """The store of the log's data folder. Raises FolderInUse, FolderUnusable when there is none."""
    folder = log_folder.absolute().parent
    if not (folder / "store").is_dir():
        raise FolderUnusable(
            f"{folder} holds no embedded store",
            hint="leave out --stored, or ask the server itself",
        )
    with ExitStack() as undo:
        undo.callback(os.close, lock_folder(folder))
        engine = Engine(StoreUrl(folder / "store", "", 0, "", "", DEFAULT_DATABASE, secure=False))
        undo.callback(engine.close)
        yield engine
