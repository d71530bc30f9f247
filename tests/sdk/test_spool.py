"""What cannot be delivered waits in a folder: its files, who may read them, and what becomes of damage."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from sdk.programs import run
from sdk.spooled import files

import sightline
from sightline._delivery.refusal import SPOOL_FAILED, SPOOL_FULL
from sightline._delivery.spool import Spool


def spool(folder: Path, max_bytes: int = 1_000_000) -> Spool:
    return Spool(folder, "traces", max_bytes)


def drained(spool: Spool) -> list[tuple[bytes | None, int]]:
    """All that the spool gives, in its order."""
    given = []
    while (frame := spool.head()) is not None:
        given.append((frame.body, frame.items))
        spool.step(frame)
    return given


def test_what_is_written_comes_back_oldest_first(tmp_path: Path) -> None:
    """Bodies and their counts; a file that is done with is removed."""
    kept = spool(tmp_path)
    assert kept.write([(b"one", 1), (b"two", 2)]) is None
    assert kept.write([(b"three", 3)]) is None
    assert kept.items == 6
    assert drained(kept) == [(b"one", 1), (b"two", 2), (b"three", 3)]
    assert (kept.items, files(tmp_path)) == (0, [])


def test_only_the_user_may_read_it(tmp_path: Path) -> None:
    """A folder that we make is 0700, its files are 0600."""
    folder = tmp_path / "made" / "here"
    spool(folder).write([(b"one", 1)])
    (file,) = files(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_full_folder_takes_nothing_but_losses(tmp_path: Path) -> None:
    """What would go beyond the bound is refused, whoever filled the folder; that it is lost can be told."""
    first, second = spool(tmp_path), spool(tmp_path)
    assert first.write([(b"x" * 900_000, 1)]) is None
    assert second.write([(b"x" * 90_000, 1)]) == SPOOL_FULL
    assert second.write([(b"lost: 1", 1)], tells_losses=True) is None
    assert sum(file.stat().st_size for file in files(tmp_path)) <= 1_000_000


def test_room_is_there_again_when_a_file_is_done(tmp_path: Path) -> None:
    """What was sent takes no room."""
    kept = spool(tmp_path)
    assert kept.write([(b"x" * 900_000, 1)]) is None
    assert kept.write([(b"x" * 900_000, 1)]) == SPOOL_FULL
    drained(kept)
    assert kept.write([(b"x" * 900_000, 1)]) is None


def test_a_file_has_one_owner_at_a_time(tmp_path: Path) -> None:
    """While its writer lives nobody else reads it; then whoever looks next takes it over."""
    writer, other = spool(tmp_path), spool(tmp_path)
    writer.write([(b"one", 1), (b"two", 2)])
    assert other.head() is None
    writer.close()
    assert other.head() is not None
    assert other.items == 3
    assert drained(other) == [(b"one", 1), (b"two", 2)]


def test_what_was_answered_is_not_sent_again(tmp_path: Path) -> None:
    """A process that goes on after another one begins where that one ended."""
    first = spool(tmp_path)
    first.write([(b"one", 1), (b"two", 2)])
    frame = first.head()
    assert frame is not None
    first.step(frame)
    first.close()
    assert drained(spool(tmp_path)) == [(b"two", 2)]


def test_a_torn_end_is_stepped_over_and_counted(tmp_path: Path) -> None:
    """A frame that was cut short by a kill says how much it held; those before it are whole."""
    writer = spool(tmp_path)
    writer.write([(b"one", 1), (b"two" * 100, 2)])
    writer.close()
    (file,) = files(tmp_path)
    os.truncate(file, file.stat().st_size - 1)
    assert drained(spool(tmp_path)) == [(b"one", 1), (None, 2)]
    assert files(tmp_path) == []


def test_a_corrupt_body_costs_only_itself(tmp_path: Path) -> None:
    """Its checksum gives it away; the next one is read."""
    writer = spool(tmp_path)
    writer.write([(b"one", 1), (b"two", 2), (b"three", 3)])
    writer.close()
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"two", b"tvo"))
    assert drained(spool(tmp_path)) == [(b"one", 1), (None, 2), (b"three", 3)]


def test_behind_a_corrupt_length_nothing_is_found(tmp_path: Path) -> None:
    """The rest of that file counts as one item at least, and is not read as something else."""
    writer = spool(tmp_path)
    writer.write([(b"one", 1)])
    (file,) = files(tmp_path)
    at = file.stat().st_size
    writer.write([(b"two", 2), (b"three", 3)])
    writer.close()
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)
    assert drained(spool(tmp_path)) == [(b"one", 1), (None, 1)]


@pytest.mark.parametrize("content", [b"", b"SLSPOOL1", b"SLSPOOL1" + (16).to_bytes(8, "little")])
def test_a_file_without_requests_is_removed(tmp_path: Path, content: bytes) -> None:
    """Its writer was killed before the first."""
    (tmp_path / "traces-1-1-1.spool").write_bytes(content)
    assert spool(tmp_path).head() is None
    assert files(tmp_path) == []


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    """It is not ours to read, nor to remove."""
    (tmp_path / "traces-1-1-1.spool").write_bytes(b"SLSPOOL9" + bytes(100))
    assert spool(tmp_path).head() is None
    assert len(files(tmp_path)) == 1


def test_a_disk_that_says_no_leaves_whole_frames_only(tmp_path: Path) -> None:
    """A write that fails in its middle is undone, and what was there before is read."""
    program = f"""
import resource
from pathlib import Path
from sightline._delivery.spool import Spool
spool = Spool(Path({str(tmp_path)!r}), "traces", 10_000_000)
assert spool.write([(b"one", 1)]) is None
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
assert spool.write([(b"x" * 50_000, 1)]) == {SPOOL_FAILED!r}
assert spool.write([(b"two", 2)]) is None
"""
    run(program)
    assert drained(spool(tmp_path)) == [(b"one", 1), (b"two", 2)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"spool": 5}, "spool is 5; it may be None, or the path of a folder"),
        ({"spool": ""}, "spool is ''; it may be None, or the path of a folder"),
        ({"spool": "s", "spool_max_bytes": 10}, "spool_max_bytes is 10; it must be 1,000,000 or more"),
    ],
)
def test_a_wrong_setting_is_refused(settings: Any, message: str) -> None:
    """The error names the setting, its value, and what it may be."""
    with pytest.raises(sightline.ConfigurationError, match=message):
        sightline.init(**settings)
