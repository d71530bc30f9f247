"""The demo's data folder: made anew each time, and never at the cost of anything else."""

import os
import shutil
from pathlib import Path

from sightline_collector.demo.processes import COLLECTOR_LOG, DemoFailed
from sightline_collector.errors import FolderInUse
from sightline_collector.wal.folder import lock_folder


def clear(folder: Path) -> None:
    """Remove what an earlier demo left there.

    Raises DemoFailed when the folder holds anything that is not a demo's, or a collector uses it.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not (folder / COLLECTOR_LOG).is_file():
        raise DemoFailed(f"{folder} holds something else than a demo; name another folder with --folder")
    log = folder / "wal"
    try:
        if log.is_dir():
            os.close(lock_folder(log))
    except FolderInUse:
        raise DemoFailed(f"a collector runs on {folder}; stop it, or name another with --folder") from None
    shutil.rmtree(folder)
