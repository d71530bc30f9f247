"""The embedded store of a log folder, opened while no collector runs on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sightline_collector.errors import FolderUnusable
from sightline_collector.store.connection import OTHER_FOLDER
from sightline_collector.store.engine import Engine
from sightline_collector.store.url import DEFAULT_DATABASE, StoreUrl
from sightline_collector.wal.folder import lock_folder


@contextmanager
def store_beside(log_folder: Path) -> Iterator[Engine]:
    """The store in the log's data folder. Raises FolderInUse, FolderUnusable when there is none."""
    folder = log_folder.absolute().parent
    if not (folder / "store").is_dir():
        raise FolderUnusable(
            f"{folder} holds no embedded store",
            hint="leave out --stored, or ask the server itself",
        )
    with store_of(folder, folder / "store") as engine:
        yield engine


@contextmanager
def store_of(folder: Path, store: Path) -> Iterator[Engine]:
    """The store of a data folder, wherever it lies. Raises FolderInUse, FolderUnusable."""
    with ExitStack() as undo:
        try:
            for own in {folder.resolve(), store.parent.resolve()}:
                if own.is_dir():
                    undo.callback(os.close, lock_folder(own))
        except OSError as e:
            raise FolderUnusable(f"{folder} cannot be used ({e.strerror})", hint=OTHER_FOLDER) from None
        engine = Engine(StoreUrl(store, "", 0, "", "", DEFAULT_DATABASE, secure=False))
        undo.callback(engine.close)
        yield engine
