"""Brings a segment file that an earlier process left into a state that the engine may read. Blocking.

What is no record is cut out and kept in the folder's torn/, so that nothing is destroyed unseen. A process
that dies here does no harm: each step leaves a file that the next start recovers again.
"""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sightline_collector.wal.appender import Segment
from sightline_collector.wal.folder import Folder, LeftFile
from sightline_collector.wal.segment import Damage, Record, read

# What torn/ may hold in all; beyond it damaged bytes are counted, not kept.
TORN_BYTES_MAX = 256 << 20


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found in a left file: `segment` is None when it held no whole record and was removed."""

    segment: Segment | None
    damage: list[Damage]


def recover(folder: Folder, left: LeftFile, clock_ns: Callable[[], int] = time.time_ns) -> Recovered:
    """Checks each record of the file, cuts out what is damaged, and seals the rest.

    Always `in_doubt`: even a file that is named open may have been sealed, handed over and stored, if power
    was lost before its new name reached the disk. Raises OSError, having lost nothing.
    """
    path = left.path if left.path.exists() else folder.segment_path(left.signal, left.batch, "segment")
    if not path.exists():  # this very repair was done before, and nothing remained
        return Recovered(None, [])
    content = path.read_bytes()
    found = list(read(content, left.batch))
    whole = [one for one in found if isinstance(one, Record)]
    damage = [one for one in found if isinstance(one, Damage)]
    if damage:
        _keep_aside(folder, left, content, damage)
        _cut_out(path, content, whole, damage)
    if not whole:
        path.unlink()
        return Recovered(None, damage)
    sealed_path = folder.segment_path(left.signal, left.batch, "segment")
    path.rename(sealed_path)
    folder.sync()
    return Recovered(_segment(sealed_path, left, whole, clock_ns()), damage)


def _segment(path: Path, left: LeftFile, whole: Sequence[Record], now_ns: int) -> Segment:
    return Segment(
        path,
        left.signal,
        left.batch,
        items=sum(record.items for record in whole),
        records=len(whole),
        size_bytes=sum(record.end - record.start for record in whole),
        first_received_at_ns=min(record.received_at_ns for record in whole),
        sealed_at_ns=now_ns,
        in_doubt=True,
    )


def _keep_aside(folder: Folder, left: LeftFile, content: bytes, damage: Sequence[Damage]) -> None:
    torn = folder.path / "torn"
    held_bytes = sum(entry.stat().st_size for entry in os.scandir(torn))
    for one in damage:
        held_bytes += one.end - one.start
        if held_bytes <= TORN_BYTES_MAX:
            with suppress(OSError):  # a full disk must not keep whole records from the store
                (torn / f"{left.path.stem}-{one.start}.{one.kind}").write_bytes(content[one.start : one.end])


def _cut_out(path: Path, content: bytes, whole: Sequence[Record], damage: Sequence[Damage]) -> None:
    if len(damage) == 1 and damage[0].end == len(content):
        with path.open("r+b") as file:  # the usual torn tail: needs no free space, as a copy would
            file.truncate(damage[0].start)
            os.fsync(file.fileno())
        return
    copy = path.with_suffix(".repair")
    with copy.open("wb") as file:
        for record in whole:
            file.write(record.framed(content))
        file.flush()
        os.fsync(file.fileno())
    copy.rename(path)
