"""Requests that the engine refused: kept with their reason, bounded, replayable."""

import json
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from sightline_collector.errors import FolderUnusable
from sightline_collector.health import Health
from sightline_collector.wal import segment
from sightline_collector.wal.dead_letter import REASON_LOST, DeadLetters, Letter
from sightline_collector.wal.segment import Entry, Signal

WRITER = "0123456789abcdef" * 2
NOW_NS = 1_790_000_000_000_000_000


def framed(body: bytes) -> bytes:
    head, trailer = segment.frame(Entry(body, 7, "shop", NOW_NS), 42, WRITER)
    return head + body + trailer


def opened(folder: Path, limit_bytes: int = 10_000, health: Health | None = None) -> DeadLetters:
    clock = count(NOW_NS + 1)
    return DeadLetters(folder, health or Health(), limit_bytes, lambda: next(clock))


def put(letters: DeadLetters, body: bytes, signal: Signal = Signal.TRACES) -> bool:
    content = framed(body)
    (record,) = segment.records(content)
    return letters.put(signal, content, record, "Decimal overflow", 407)


def sizes(*bodies: bytes) -> int:
    return sum(len(framed(body)) for body in bodies)


def bodies(letters: DeadLetters) -> list[bytes]:
    found: list[tuple[Letter, bytes]] = [(letter, letters.read(letter)) for letter in letters.letters()]
    return [bytes(segment.records(content)[0].body(content)) for _, content in found]


def test_a_letter_is_the_request_and_beside_it_the_reason(tmp_path: Path) -> None:
    """One file can be inserted as it is; the JSON says what it is, why it is here, and since when."""
    letters = opened(tmp_path)
    assert put(letters, b"bad")
    (letter,) = letters.letters()
    assert letter.path.read_bytes() == letters.read(letter) == framed(b"bad")
    assert json.loads(letter.path.with_suffix(".json").read_text()) == {
        "signal": "traces",
        "why": "Decimal overflow",
        "code": 407,
        "items": 7,
        "project": "shop",
        "batch": 42,
        "received_at_ns": NOW_NS,
        "put_at_ns": NOW_NS + 1,
        "size_bytes": sizes(b"bad"),
    }


def test_letters_are_found_again_by_the_next_start_oldest_first(tmp_path: Path) -> None:
    """What an earlier process put aside is listed as it was."""
    letters = opened(tmp_path)
    for body in (b"c", b"a", b"b"):
        put(letters, body, Signal.LOGS)
    assert opened(tmp_path).letters() == letters.letters()
    assert bodies(opened(tmp_path)) == [b"c", b"a", b"b"]
    assert opened(tmp_path).size_bytes == sizes(b"c", b"a", b"b")


def test_the_same_request_put_aside_twice_is_one_letter(tmp_path: Path) -> None:
    """A segment that is bisected again after a crash does not double its letters."""
    letters = opened(tmp_path)
    put(letters, b"bad")
    put(letters, b"bad")
    assert bodies(letters) == [b"bad"]
    assert len(list(tmp_path.iterdir())) == 2


def test_beyond_the_bound_the_oldest_goes_and_is_counted_as_lost(tmp_path: Path) -> None:
    """The folder never passes its bound; what goes is counted by signal."""
    health = Health()
    letters = opened(tmp_path, sizes(bytes(100)) * 2, health)
    for number in range(5):
        assert put(letters, bytes([number]) * 100)
        assert letters.size_bytes <= sizes(bytes(100)) * 2
    assert bodies(letters) == bodies(opened(tmp_path)) == [bytes([3]) * 100, bytes([4]) * 100]
    lost = {"signal": "traces", "reason": "dead_letter_dropped"}
    assert health.registry.get_sample_value("sightline_loss_items_total", lost) == 3 * 7


def test_a_letter_that_cannot_be_written_pushes_no_other_out(tmp_path: Path) -> None:
    """On a full disk nothing is forgotten, dropped, counted or half written, and put again it is kept."""
    health = Health()
    letters = opened(tmp_path, sizes(bytes(100)) * 2, health)
    put(letters, b"a" * 100)
    put(letters, b"b" * 100)
    kept = letters.letters()
    for body in (b"a" * 100, b"c" * 100):
        new = tmp_path / f"traces-{42:020d}-{framed(body)[-4:].hex()}.new"
        new.symlink_to("/dev/full")
        with pytest.raises(OSError, match="No space left"):
            put(letters, body)
        assert letters.letters() == kept
        assert {file.stem for file in tmp_path.iterdir()} == {letter.path.stem for letter in kept}
    lost = {"signal": "traces", "reason": "dead_letter_dropped"}
    assert health.registry.get_sample_value("sightline_loss_items_total", lost) is None
    assert put(letters, b"c" * 100)
    assert bodies(letters) == bodies(opened(tmp_path)) == [b"b" * 100, b"c" * 100]


def test_a_letter_beyond_the_bound_is_not_kept_and_counted_as_lost(tmp_path: Path) -> None:
    """It pushes no other out, and leaves no file."""
    health = Health()
    letters = opened(tmp_path, 200, health)
    assert put(letters, b"small")
    assert not put(letters, bytes(300))
    assert bodies(letters) == [b"small"]
    assert len(list(tmp_path.iterdir())) == 2
    lost = {"signal": "traces", "reason": "dead_letter_too_large"}
    assert health.registry.get_sample_value("sightline_loss_items_total", lost) == 7


def test_a_dropped_letter_is_gone(tmp_path: Path) -> None:
    """Both its files, also for the next start; dropping it again does no harm."""
    letters = opened(tmp_path)
    put(letters, b"bad")
    (letter,) = letters.letters()
    for _ in range(2):
        letters.drop(letter)
    assert (letters.letters(), letters.size_bytes, list(tmp_path.iterdir())) == ([], 0, [])


@pytest.mark.parametrize("reason", [None, "", "[1]", "{}", '{"signal": "traces"'])
def test_a_request_that_has_lost_its_reason_is_a_letter_still(tmp_path: Path, reason: str | None) -> None:
    """It is listed with what its record tells, and put aside once more it is the letter it was."""
    put(opened(tmp_path), b"bad")
    (known,) = opened(tmp_path).letters()
    json_file = known.path.with_suffix(".json")
    json_file.unlink() if reason is None else json_file.write_text(reason)
    (found,) = opened(tmp_path).letters()
    at_ns = known.path.stat().st_mtime_ns
    assert found == replace(known, why=REASON_LOST, code=0, put_at_ns=at_ns)
    put(opened(tmp_path), b"bad")
    assert opened(tmp_path).letters() == [known]
    known.path.write_bytes(b"cut")
    json_file.unlink()
    assert [(one.items, one.size_bytes) for one in opened(tmp_path).letters()] == [(0, 3)]


def test_a_reason_without_its_request_goes(tmp_path: Path) -> None:
    """The process died while it put a letter aside, which is in the log still, or while it dropped one."""
    put(opened(tmp_path), b"bad")
    opened(tmp_path).letters()[0].path.unlink()
    assert (opened(tmp_path).letters(), list(tmp_path.iterdir())) == ([], [])


def test_a_folder_with_other_json_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """By its name, rather than counting or deleting what is somebody else's."""
    (tmp_path / "notes.json").write_text('{"mine": true}')
    with pytest.raises(FolderUnusable, match=r"notes\.json is no dead letter. Move what is not"):
        opened(tmp_path)
