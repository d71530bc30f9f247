"""What a start makes of the files that an earlier process left, in whatever state."""

import asyncio
from pathlib import Path

import pytest

from sightline_collector.errors import LogUnwritable
from sightline_collector.wal import segment
from sightline_collector.wal.appender import Segment, SegmentLimits
from sightline_collector.wal.log import Log, LogLimits
from sightline_collector.wal.segment import Damage, DamageKind, Entry, Signal
from sightline_collector.wal.watcher import Quiet

WRITER = "0123456789abcdef" * 2
BATCH = 9


def record(body: bytes, items: int = 1) -> bytes:
    head, trailer = segment.frame(Entry(body, items, "default", 1_790_000_000_000_000_000), BATCH, WRITER)
    return head + body + trailer


def leave(folder: Path, content: bytes, kind: str = "open") -> Path:
    path = folder / f"traces-{BATCH:020d}.{kind}"
    path.write_bytes(content)
    return path


class Watching(Quiet):
    def __init__(self) -> None:
        self.damage: list[Damage] = []

    def damage_found(self, signal: Signal, damage: Damage) -> None:
        self.damage.append(damage)


def restart(folder: Path) -> tuple[Segment, list[Damage]]:
    """Opens the log, adds one record of 1000 items, and returns the first segment handed over."""

    async def started() -> Segment:
        log = await Log.open(folder, limits=limits, watcher=watching)
        await log.append(Signal.TRACES, b"new", 1000)
        await log.drain()
        first = await log.sealed(Signal.TRACES)
        await log.close()
        return first

    watching, limits = Watching(), LogLimits(segment=SegmentLimits(age_s=3600))
    return asyncio.run(asyncio.wait_for(started(), 60)), watching.damage


@pytest.mark.parametrize("kind", ["open", "segment"])
def test_a_whole_file_is_handed_over_as_it_is(tmp_path: Path, kind: str) -> None:
    """Open or sealed, its records are counted, its bytes stay, and it is in doubt."""
    content = record(b"one", 2) + record(b"two", 3)
    leave(tmp_path, content, kind)
    first, damage = restart(tmp_path)
    assert (first.batch, first.records, first.items, first.in_doubt) == (BATCH, 2, 5, True)
    assert (first.path.name, first.path.read_bytes()) == (f"traces-{BATCH:020d}.segment", content)
    assert (damage, list((tmp_path / "torn").iterdir())) == ([], [])


@pytest.mark.parametrize(
    ("tail", "kind"),
    [
        (record(b"cut off")[:-3], DamageKind.TORN),
        (b"\x80", DamageKind.TORN),
        (bytes(4096), DamageKind.ZEROS),
        (record(b"changed").replace(b"changed", b"chAnged"), DamageKind.FLIPPED),
    ],
)
def test_a_bad_tail_is_cut_off_and_kept_aside(tmp_path: Path, tail: bytes, kind: DamageKind) -> None:
    """The engine never sees it; torn/ holds it under the segment's name, its place and the reason."""
    leave(tmp_path, record(b"one") + tail)
    first, damage = restart(tmp_path)
    assert first.path.read_bytes() == record(b"one")
    assert [one.kind for one in damage] == [kind]
    (kept,) = (tmp_path / "torn").iterdir()
    assert (kept.name, kept.read_bytes()) == (f"traces-{BATCH:020d}-{len(record(b'one'))}.{kind}", tail)


def test_damage_in_the_middle_costs_only_the_record_it_hit(tmp_path: Path) -> None:
    """The records around it are stored; the damaged bytes are kept aside."""
    bad = record(b"changed").replace(b"changed", b"chAnged")
    leave(tmp_path, record(b"one", 2) + bad + record(b"three", 4), "segment")
    first, damage = restart(tmp_path)
    assert first.path.read_bytes() == record(b"one", 2) + record(b"three", 4)
    assert (first.items, [one.kind for one in damage]) == (6, [DamageKind.FLIPPED])
    assert [kept.read_bytes() for kept in (tmp_path / "torn").iterdir()] == [bad]


@pytest.mark.parametrize("content", [b"", bytes(100), record(b"cut off")[:10]])
def test_a_file_without_a_whole_record_is_removed_and_not_handed_over(tmp_path: Path, content: bytes) -> None:
    """A process that died before its first sync acknowledged nothing: the next segment is the new one."""
    left = leave(tmp_path, content)
    first, damage = restart(tmp_path)
    assert (first.items, first.in_doubt) == (1000, False)
    assert not left.exists()
    assert len(damage) == bool(content)


def test_new_numbers_are_above_those_of_left_files(tmp_path: Path) -> None:
    """Also when the counter file is gone, a left segment's number is not used again."""
    leave(tmp_path, record(b"one"))
    restart(tmp_path)
    batches = {int(path.stem.split("-")[1]) for path in tmp_path.glob("traces-*.segment")}
    assert batches == {BATCH, BATCH + 1}


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    """Only names that the log gives are touched."""
    other = tmp_path / "traces-notes.open"
    other.write_text("mine")
    leave(tmp_path, record(b"one"))
    restart(tmp_path)
    assert other.read_text() == "mine"


def test_a_left_file_that_cannot_be_read_is_tried_again(tmp_path: Path) -> None:
    """The consumer is told that waiting may help; when the file is readable again, it is handed over."""
    path = leave(tmp_path, b"", "segment")
    path.unlink()
    path.mkdir()

    async def started() -> Segment:
        log = await Log.open(tmp_path)
        with pytest.raises(LogUnwritable, match="Is a directory"):
            await log.sealed(Signal.TRACES)
        path.rmdir()
        path.write_bytes(record(b"one"))
        sealed = await log.sealed(Signal.TRACES)
        await log.close()
        return sealed

    assert asyncio.run(asyncio.wait_for(started(), 60)).records == 1
