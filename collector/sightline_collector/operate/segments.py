"""What lies in a log folder, read without owning it: each segment, its records, and what is damaged.

A collector that runs may append to a segment or let it go meanwhile: what is gone is left out, and a record
that is being written looks torn.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sightline_collector.errors import FolderUnusable
from sightline_collector.store.batch import Batch
from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Damage, DamageKind, Record, Signal, read

_NAME = re.compile(r"(traces|logs|metrics)-(\d{20})(?:-[0-9a-f]{8})?\.(open|segment|otlp)")
STATES = {"open": "open", "segment": "sealed", "otlp": "dead letter"}
"""What a file's suffix says of it."""


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """One file of whole requests: its name read, its content not."""

    path: Path
    signal: Signal
    batch: int
    state: str

    def found(self) -> list[Record | Damage]:
        """Its records and what is none, in order. Raises FileNotFoundError when it was let go."""
        return list(read(self.path.read_bytes(), self.batch))


@dataclass(frozen=True, slots=True)
class SegmentReport:
    """One segment as a row. `age_s` is of its first record; `damage` names kinds with their bytes.

    `stored` is yes, no, or in part (N of M); "" when nobody asked the store.
    """

    segment: str
    signal: Signal
    batch: int
    state: str
    requests: int
    items: int
    size_bytes: int
    age_s: float | None
    damage: str
    stored: str


def log_folder(path: Path) -> Path:
    """The folder of segments: the one given, or the `wal` inside when it is a data folder."""
    inside = path / "wal"
    return inside if inside.is_dir() else path


def segment_files(path: Path) -> list[SegmentFile]:
    """The segments of a folder by batch, or the one file. Raises FolderUnusable when it is neither."""
    if path.is_dir():
        found = [_file(entry) for entry in log_folder(path).iterdir()]
        return sorted((one for one in found if one), key=lambda one: (one.batch, one.path.name))
    one = _file(path)
    if one is None or not path.exists():
        raise FolderUnusable(
            f"{path} is neither a folder nor a segment of a log",
            hint="name a data folder, its wal folder, or a file such as traces-00000000000000000042.segment",
        )
    return [one]


def _file(path: Path) -> SegmentFile | None:
    match = _NAME.fullmatch(path.name)
    return SegmentFile(path, Signal(match[1]), int(match[2]), STATES[match[3]]) if match else None


def reports(
    path: Path, engine: Engine | None = None, clock: Callable[[], float] = time.time
) -> Iterator[SegmentReport]:
    """A row for each segment, oldest first; with an engine, also whether the store holds it."""
    for file in segment_files(path):
        try:
            found = file.found()
        except FileNotFoundError:
            continue
        yield _report(file, found, engine, clock())


def _report(
    file: SegmentFile, found: list[Record | Damage], engine: Engine | None, now_s: float
) -> SegmentReport:
    whole = [one for one in found if isinstance(one, Record)]
    first_ns = min((record.received_at_ns for record in whole), default=None)
    return SegmentReport(
        segment=file.path.name,
        signal=file.signal,
        batch=file.batch,
        state=file.state,
        requests=len(whole),
        items=sum(record.items for record in whole),
        size_bytes=found[-1].end if found else 0,
        age_s=None if first_ns is None else max(0.0, now_s - first_ns / 1e9),
        damage=", ".join(_damages(found)),
        stored="" if engine is None else _stored(engine, file, whole),
    )


def _damages(found: list[Record | Damage]) -> Iterator[str]:
    bad = [one for one in found if isinstance(one, Damage)]
    for kind in DamageKind:
        if size := sum(one.end - one.start for one in bad if one.kind is kind):
            yield f"{kind} {size} bytes"


def _stored(engine: Engine, file: SegmentFile, whole: list[Record]) -> str:
    if not whole:
        return ""
    items = sum(record.items for record in whole)
    held = Batch(engine, file.signal, file.batch, whole[0].writer).count()
    return "yes" if held == items else "no" if held == 0 else f"in part ({held} of {items})"
