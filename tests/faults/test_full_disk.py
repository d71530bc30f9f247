"""Disks without room; all of them, again and again: python -m tests.faults full-disk --times 10"""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.full_disk import NoMounts, refuse_and_recover
from faults.made import made_folder


@pytest.mark.timeout(300)
def test_a_full_disk_is_told_and_room_again_is_seen_without_a_restart(tmp_path: Path) -> None:
    """No room for the log: 503 with a time to wait; none for the store: the log takes it. Nothing is lost."""
    try:
        found = refuse_and_recover(made_folder(tmp_path / "data"), ("wal", "store"))
    except NoMounts as e:
        pytest.skip(f"a disk in memory cannot be mounted: {e}")
    places = ("wal, no bytes", "wal, no names", "store, no bytes", "store, no names")
    assert found == dict.fromkeys(places, "")
