"""Power cuts on a recorded run; more of them, at random: python -m tests.faults power --times 100"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from faults.change import Change
from faults.disk import Disk, Loss
from faults.killing import Untraceable
from faults.made import made_folder
from faults.oracle import Held
from faults.power import Cut, cut, first_let_go, record
from faults.syscalls import is_known_machine

REQUESTS = 20


@pytest.mark.timeout(300)
@pytest.mark.skipif(not is_known_machine(), reason="calls are traced on Linux, x86-64 and arm64")
def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Whatever was not synced is gone, and yet a new start has all that was acknowledged before, once."""
    found: list[tuple[bool, Held]] = []
    made_folder(tmp_path / "data")
    try:
        recording = record(tmp_path / "data", REQUESTS)
    except Untraceable as e:
        pytest.skip(str(e))
    let_go, end = first_let_go(recording), len(recording.changes)
    cuts = [Cut(let_go, Loss.ALL), Cut(end - 40, Loss.SOME), Cut(end, Loss.BYTES)]
    cut(recording, cuts, Random(3), lambda _, acknowledged, held: found.append((acknowledged > 0, held)))
    assert found == [(True, Held())] * len(cuts)


def test_the_disk_forgets_what_was_not_synced(tmp_path: Path) -> None:
    """A name needs its folder's sync, bytes need their file's, and a sync covers what came before it."""
    folder = tmp_path / "data"
    disk = Disk(folder)
    for change in (
        Change(0, "make", f"{folder}/named"),
        Change(0, "write", f"{folder}/named", data=b"synced"),
        Change(0, "sync-begin", f"{folder}/named", offset=1),
        Change(0, "write", f"{folder}/named", data=b" later", offset=6),
        Change(0, "sync-end", f"{folder}/named", offset=1),
        Change(0, "sync-begin", str(folder), offset=2),
        Change(0, "make", f"{folder}/nameless"),
        Change(0, "pipe", f"{folder}/pipe"),
        Change(0, "unlink", f"{folder}/pipe"),
        Change(0, "sync-end", str(folder), offset=2),
    ):
        disk.apply(change)
    left = {}
    for loss in (Loss.ALL, Loss.BYTES):
        disk.cut_power(tmp_path / loss.name, loss, Random(0))
        left[loss] = {file.name: file.read_bytes() for file in (tmp_path / loss.name).iterdir()}
    assert left == {Loss.ALL: {"named": b"synced"}, Loss.BYTES: {"named": b"synced", "nameless": b""}}


def test_a_sync_that_ends_late_takes_nothing_back(tmp_path: Path) -> None:
    """Of two syncs at once the later may end first, as when two signals begin their logs: both count."""
    folder = tmp_path / "data"
    disk = Disk(folder)
    for change in (
        Change(0, "make", f"{folder}/spans"),
        Change(0, "sync-begin", str(folder), offset=1),
        Change(0, "sync-begin", f"{folder}/spans", offset=2),
        Change(0, "write", f"{folder}/spans", data=b"acknowledged"),
        Change(0, "make", f"{folder}/logs"),
        Change(0, "sync-begin", str(folder), offset=3),
        Change(0, "sync-begin", f"{folder}/spans", offset=4),
        Change(0, "sync-end", str(folder), offset=3),
        Change(0, "sync-end", f"{folder}/spans", offset=4),
        Change(0, "sync-end", f"{folder}/spans", offset=2),
        Change(0, "sync-end", str(folder), offset=1),
    ):
        disk.apply(change)
    disk.cut_power(tmp_path / "left", Loss.ALL, Random(0))
    left = {file.name: file.read_bytes() for file in (tmp_path / "left").iterdir()}
    assert left == {"spans": b"acknowledged", "logs": b""}
