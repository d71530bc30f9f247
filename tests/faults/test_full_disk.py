"""Disks that take nothing; all of them, at length: python -m tests.faults full-disk read-only --times 10"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from faults.full_disk import fill_and_empty
from faults.made import made_folder
from faults.mounts import NoMounts
from faults.read_only import lock_and_unlock
from faults.sender import on_disks


@pytest.mark.timeout(300)
def test_a_disk_that_takes_nothing_is_told_and_seen_again_without_a_restart(tmp_path: Path) -> None:
    """Log: 503 with a time to wait; store or dead letters: the log takes what comes. Nothing is lost."""
    with ExitStack() as held:
        try:
            sender = held.enter_context(on_disks(made_folder(tmp_path / "data")))
        except NoMounts as e:
            pytest.skip(f"a disk in memory cannot be mounted: {e}")
        found = fill_and_empty(sender, ("wal", "store"))
        found |= lock_and_unlock(sender, ("wal", "store", "dead-letter"))
    full = {f"{place}, no {what}" for place in ("wal", "store") for what in ("bytes", "names")}
    locked = {f"{place}, read-only" for place in ("wal", "store", "dead-letter")}
    assert found == dict.fromkeys(full | locked, "")
