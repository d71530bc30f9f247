"""Power cuts: what a collector wrote is recorded, replayed up to a moment, and what was not synced is lost.

::

    recorded run ──changes──▶ a disk that forgets ──cut──▶ the folder as found ──▶ a new start ──▶ oracle
              └──answers, each with its time─────────────────────────────────────────────────────┘
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from collector_process import CollectorProcess, wait_until
from faults.change import Change, changes
from faults.disk import Disk, Loss
from faults.killing import FLAGS, Untraceable
from faults.oracle import Held, Loads, caught_up, compare
from faults.ptrace import UNTRACEABLE
from faults.recorder import recorded

MERGED = re.compile(r"(\d+-0_(\d+))_(?!\2_)\d+_\d+")
"""A part of spans that came of others, and how the name of the first of them begins."""
MERGED_AWAY = re.compile(r"/delete_tmp_\d+-0_")

STORED_SEGMENTS = 4
"""A recording goes on until the segments up to this number have been stored and let go."""


@dataclass(frozen=True, slots=True)
class Cut:
    """When power fails, as the number of changes before it, and what becomes of those not synced."""

    after: int
    loss: Loss


@dataclass(frozen=True, slots=True)
class Recording:
    """A run of a collector: its disk before, its changes, and what it had answered when."""

    before: Disk
    changes: tuple[Change, ...]
    loads: Loads


def stores(folder: Path) -> bool:
    """Whether segments have been let go: the numbers that wait begin above the first."""
    waiting = sorted(int(file.stem.split("-")[1]) for file in (folder / "wal").glob("traces-*"))
    return bool(waiting) and waiting[0] > STORED_SEGMENTS


def merges(folder: Path) -> bool:
    """Whether a merge has taken in the first parts of spans, and they are deleted: half a minute's load."""
    tables = folder / "store" / "store"
    parts = ((part.parent, MERGED.fullmatch(part.name)) for part in tables.glob("*/*/*"))
    made = [(table, found[1]) for table, found in parts if found]
    first = [any(table.glob(f"{begin}_*_0")) for table, begin in made]
    return not all(first) and not any(tables.glob("*/*/delete_tmp_*"))


def record(folder: Path, acknowledged: int, *, until: Callable[[Path], bool] = stores) -> Recording:
    """Run a collector until it has acknowledged so many requests, and kill it. Raises Untraceable."""
    before, loads, file = Disk(folder), Loads(), folder.with_suffix(".changes")
    file.unlink(missing_ok=True)
    with CollectorProcess(folder, *FLAGS, under=recorded(folder, file)) as collector:
        try:
            collector.start()
        except RuntimeError:
            if collector.exit_code() == UNTRACEABLE:
                raise Untraceable(collector.output.strip()) from None
            raise
        loads.start(collector.otlp)
        try:
            wait_until(lambda: loads.acknowledged >= acknowledged and until(folder), 600)
            collector.kill()
        finally:
            loads.stop()
    return Recording(before, tuple(changes(file)), loads)


def first_acknowledged(recording: Recording) -> int:
    """How many changes there were before the first answer: no promise is older."""
    loads = (recording.loads.spans, recording.loads.judgements)
    first_ns = min(min(load.answered_ns[trace] for trace in load.acknowledged) for load in loads)
    return sum(change.at_ns <= first_ns for change in recording.changes)


def first_let_go(recording: Recording) -> int:
    """How many changes there were when a segment had just been let go: the store alone holds it then."""
    return next(
        number
        for number, change in enumerate(recording.changes, 1)
        if change.kind == "unlink" and change.path.endswith(".segment")
    )


def merged_away(recording: Recording) -> int:
    """How many changes there were when parts of spans had just been deleted that a merge had taken in: what
    came of it holds their rows alone."""
    deleted = (
        number
        for number, change in enumerate(recording.changes, 1)
        if change.kind == "unlink" and MERGED_AWAY.search(change.path)
    )
    return max(deleted)


def cut(
    recording: Recording, cuts: Sequence[Cut], random: Random, told: Callable[[Cut, int, Held], None]
) -> None:
    """Cut power at each moment, start anew on what is left, and tell how that differs from the promise."""
    disk, applied = recording.before, 0
    for each in sorted(cuts, key=lambda one: one.after):
        for change in recording.changes[applied : each.after]:
            disk.apply(change)
        applied = max(applied, each.after)
        shutil.rmtree(disk.path)
        disk.cut_power(disk.path, each.loss, random)
        moment_ns = recording.changes[each.after - 1].at_ns
        spans, judgements = (
            load.before(moment_ns) for load in (recording.loads.spans, recording.loads.judgements)
        )
        told(each, len(spans) + len(judgements), _found(disk.path, spans, judgements))


def _found(folder: Path, spans: set[str], judgements: set[str]) -> Held:
    with CollectorProcess(folder, *FLAGS) as collector:
        try:
            collector.start()
        except RuntimeError as e:
            return Held(lost=(f"it does not start: {e}",))
        caught_up(collector)
        held = compare(collector, spans, judgements)
        assert collector.stop() == 0
        return held
