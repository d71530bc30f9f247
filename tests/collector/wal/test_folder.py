"""Who may use a log folder, and what is said to who may not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sightline_collector.errors import FolderInUse, FolderUnusable
from sightline_collector.wal.folder import Folder

HOLD = """
import sys, pathlib
from sightline_collector.wal.folder import Folder
folder = Folder(pathlib.Path(sys.argv[1]))
print(folder.writer, flush=True)
sys.stdin.read()
"""


def test_a_second_collector_on_the_folder_is_told_who_has_it_and_what_to_do(tmp_path: Path) -> None:
    """The folder has one owner; when the owner dies, however it dies, the folder is free."""
    owner = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout
        writer = owner.stdout.readline().strip()
        with pytest.raises(FolderInUse, match=rf"process {owner.pid}\. Stop that process, or give"):
            Folder(tmp_path)
        owner.kill()
    taken = Folder(tmp_path)
    assert taken.writer == writer
    taken.close()


def test_where_others_share_the_store_each_start_has_a_name_of_its_own(tmp_path: Path) -> None:
    """Two copies of a folder use the same numbers: without a name of its own, each would take the other's
    rows for its own, and let go of what is not stored."""
    Folder(tmp_path / "a").close()
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    copies = [Folder(tmp_path / name, batch_floor=None) for name in ("a", "b")]
    assert [copy.next_batch() for copy in copies] == [1, 1]
    assert copies[0].writer != copies[1].writer
    for copy in copies:
        copy.close()


def test_a_folder_that_cannot_be_made_is_named_with_the_reason(tmp_path: Path) -> None:
    """The error says which folder, why, and what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(
        FolderUnusable, match=r"file/wal cannot be used .*: Not a directory\. Make it a folder"
    ):
        Folder(tmp_path / "file" / "wal")


@pytest.mark.parametrize("name", ["writer", "next-batch"])
def test_a_spoiled_identity_or_counter_is_refused_with_the_way_out(tmp_path: Path, name: str) -> None:
    """A number or name that is guessed could count other segments' items as ours: the operator decides."""
    Folder(tmp_path).close()
    (tmp_path / name).write_text("rubbish\n")
    with pytest.raises(FolderUnusable, match=rf"{name} does not hold .* delete it"):
        Folder(tmp_path)
    (tmp_path / name).unlink()
    Folder(tmp_path).close()


def test_numbers_survive_a_process_that_never_closed(tmp_path: Path) -> None:
    """Numbers are reserved on disk before they are given out, so none is given out twice after a kill."""
    died = Folder(tmp_path)
    given = [died.next_batch() for _ in range(2500)]
    stored = (tmp_path / "next-batch").read_text()
    died.close()
    (tmp_path / "next-batch").write_text(stored)  # as it was at the kill
    reopened = Folder(tmp_path)
    assert given == list(range(1, 2501))
    assert reopened.next_batch() > max(given)
    reopened.close()
