"""Requests that the engine refused: kept with their reason, bounded, replayable."""

import json
from itertools import count
from pathlib import Path

import pytest

from sightline_collector.errors import FolderUnusable
from sightline_collector.wal import segment
from sightline_collector.wal.dead_letter import DeadLetters
from sightline_collector.wal.segment import Entry, Signal

WRITER = "0123456789abcdef" * 2
NOW_NS = 1_790_000_000_000_000_000


def framed(body: bytes, items: int = 7) -> bytes:
    head, trailer = segment.frame(Entry(body, items, "shop", NOW_NS), 42, WRITER)
    return head + body + trailer


def opened(folder: Path, limit_bytes: int = 10_000) -> DeadLetters:
    clock = count(NOW_NS + 1)
    return DeadLetters(folder, limit_bytes, lambda: next(clock))


def test_a_letter_is_the_request_and_beside_it_the_reason(tmp_path: Path) -> None:
    """One file can be inserted as it is; the JSON says what it is, why it is here, and since when."""
    letters = opened(tmp_path)
    put = letters.put(framed(b"bad"), Signal.TRACES, "poison", message="Decimal overflow", error_code=407)
    assert put.pushed_out == []
    assert put.letter.path.read_bytes() == letters.read(put.letter) == framed(b"bad")
    assert json.loads(put.letter.path.with_suffix(".json").read_text()) == {
        "signal": "traces",
        "reason": "poison",
        "message": "Decimal overflow",
        "error_code": 407,
        "items": 7,
        "project": "shop",
        "batch": 42,
        "received_at_ns": NOW_NS,
        "put_at_ns": NOW_NS + 1,
        "size_bytes": len(framed(b"bad")),
    }


def test_letters_are_found_again_by_the_next_start_oldest_first(tmp_path: Path) -> None:
    """What an earlier process put aside is listed as it was."""
    letters = opened(tmp_path)
    put = [letters.put(framed(body), Signal.LOGS, "poison").letter for body in (b"c", b"a", b"b")]
    assert opened(tmp_path).letters() == letters.letters() == put
    assert opened(tmp_path).size_bytes == sum(one.size_bytes for one in put)


def test_the_same_request_put_aside_twice_is_one_letter(tmp_path: Path) -> None:
    """A segment that is bisected again after a crash does not double its letters."""
    letters = opened(tmp_path)
    letters.put(framed(b"bad"), Signal.TRACES, "poison")
    again = letters.put(framed(b"bad"), Signal.TRACES, "poison")
    assert letters.letters() == [again.letter]
    assert len(list(tmp_path.iterdir())) == 2


def test_beyond_the_limit_the_oldest_are_pushed_out_and_named(tmp_path: Path) -> None:
    """Whoever puts counts their items as lost; the folder never passes its bound."""
    size_bytes = len(framed(bytes(100)))
    letters = opened(tmp_path, limit_bytes=2 * size_bytes)
    first, second = (letters.put(framed(bytes([n]) * 100), Signal.TRACES, "poison").letter for n in (1, 2))
    put = letters.put(framed(bytes([3]) * 100), Signal.TRACES, "poison")
    assert put.pushed_out == [first]
    assert letters.letters() == opened(tmp_path).letters() == [second, put.letter]
    assert letters.size_bytes == 2 * size_bytes


def test_a_letter_larger_than_the_limit_is_pushed_out_itself(tmp_path: Path) -> None:
    """It is named like the others that had to go, and leaves no file."""
    letters = opened(tmp_path, limit_bytes=100)
    put = letters.put(framed(bytes(200)), Signal.TRACES, "poison")
    assert put.pushed_out == [put.letter]
    assert list(tmp_path.iterdir()) == []


def test_a_dropped_letter_is_gone(tmp_path: Path) -> None:
    """Both its files, also for the next start; dropping it again does no harm."""
    letters = opened(tmp_path)
    letter = letters.put(framed(b"bad"), Signal.TRACES, "poison").letter
    for _ in range(2):
        letters.drop(letter)
    assert (letters.letters(), letters.size_bytes, list(tmp_path.iterdir())) == ([], 0, [])


@pytest.mark.parametrize("content", [b"", b"rubbish", framed(b"one") + framed(b"two"), framed(b"cut")[:-1]])
def test_only_one_whole_record_is_a_letter(tmp_path: Path, content: bytes) -> None:
    """Anything else could not be replayed."""
    with pytest.raises(ValueError, match="one whole framed record"):
        opened(tmp_path).put(content, Signal.TRACES, "poison")


def test_a_request_whose_reason_was_never_written_is_no_letter(tmp_path: Path) -> None:
    """The process died in between: its segment is still in the log, and will be bisected again."""
    letters = opened(tmp_path)
    letter = letters.put(framed(b"bad"), Signal.TRACES, "poison").letter
    letter.path.with_suffix(".json").unlink()
    assert opened(tmp_path).letters() == []
    opened(tmp_path).put(framed(b"bad"), Signal.TRACES, "poison")
    assert len(opened(tmp_path).letters()) == 1


def test_a_folder_with_other_json_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """Rather than counting or deleting what is somebody else's."""
    (tmp_path / "notes.json").write_text('{"mine": true}')
    with pytest.raises(FolderUnusable, match="Move what is not a dead letter out of that folder"):
        opened(tmp_path)
