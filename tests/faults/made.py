"""Data folders whose store a first start has made already: what follows it is what is tested."""

from __future__ import annotations

from pathlib import Path

import collector_process
from migrated_stores import MigratedFolder


def made_folder(folder: Path) -> Path:
    """Make it; the store is copied from the one that the test run has, or has made now."""
    made = collector_process.migrated or MigratedFolder(folder.parent)
    folder.mkdir()
    made.copy(folder / "store")
    return folder
