"""Runs faults at length and prints what was promised, done and found, a line each."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from faults.disk import Loss
from faults.failed_disk import SYNC_ROUNDS, fail_and_mend, fail_within_syncs
from faults.full_disk import fill_and_empty
from faults.killing import Kills, Untraceable
from faults.made import made_folder
from faults.mounts import NoMounts
from faults.oracle import Held
from faults.power import Cut, cut, first_acknowledged, merged_away, merges, record
from faults.read_only import lock_and_unlock
from faults.sender import Sender, on_disks
from faults.stages import MIGRATION, STAGES
from rich import print as show
from rich.table import Table

Row = tuple[str, str]
"""A fault, and what came of it."""

KEPT = "kept: nothing lost, nothing twice"


def kills(folder: Path, times: int) -> Iterator[Row]:
    """kill -9 at every stage of a store that is made, so many times over on one folder; every second time
    when an insert stands open."""
    made_folder(folder / "data")
    work, held = Kills(folder / "data"), Held()
    for number in range(times):
        work.run(STAGES, _say, standing=number % 2 == 1)
        held = work.judge()
        _say(f"judged  {held}")
    for name in sorted(set(work.reached)):
        yield f"kill -9: {name}", KEPT if held.as_promised else str(held)
    for name in sorted(set(work.missed)):
        yield f"kill -9: {name}", "not reached"


def migration(folder: Path, times: int) -> Iterator[Row]:
    """kill -9 within a first start, again and again, each start on what the one before has left."""
    for number in range(times):
        work = Kills(folder / f"data{number}")
        work.run(MIGRATION, _say)
        held = work.judge()
        yield (
            f"kill -9 within the first start, {len(work.reached)} times",
            KEPT if held.as_promised else str(held),
        )


def power(folder: Path, times: int) -> Iterator[Row]:
    """Power cuts at random moments, each with another loss of what was not synced."""
    chance = Random(times)
    made_folder(folder / "data")
    recording = record(folder / "data", 100 + 20 * times, until=merges)
    begin, end = first_acknowledged(recording), len(recording.changes)
    losses = list(Loss)
    cuts = [Cut(chance.randint(begin, end), losses[number % len(losses)]) for number in range(times)]
    cuts.append(Cut(merged_away(recording), Loss.BYTES))
    found: list[Row] = []

    def told(each: Cut, acknowledged: int, outcome: str) -> None:
        _say(f"{each.after} {each.loss.name} {acknowledged} {outcome}")
        found.append((f"power cut after {acknowledged} requests: {each.loss.value}", outcome or KEPT))

    cut(recording, cuts, chance, lambda one, n, held: told(one, n, "" if held.as_promised else str(held)))
    yield from found


def _done_to_disks(
    folder: Path, times: int, faults: Callable[[Sender], dict[str, str]]
) -> Iterator[tuple[str, str]]:
    """Each fault, and what it did wrong, of collectors that have a disk for each of their folders."""
    for number in range(times):
        made_folder(folder / f"data{number}")
        with on_disks(folder / f"data{number}") as sender:
            yield from faults(sender).items()


def full_disk(folder: Path, times: int) -> Iterator[Row]:
    """Each folder's disk full, by bytes and by names, and room again while the collector runs."""
    for fault, wrong in _done_to_disks(folder, times, fill_and_empty):
        yield f"full disk: {fault}", wrong or f"{KEPT}; room again was seen without a restart"


def read_only(folder: Path, times: int) -> Iterator[Row]:
    """Each folder's disk read-only for a while; then the disk of all of them, made so by its own fault."""
    for fault, wrong in _done_to_disks(folder, times, lock_and_unlock):
        yield f"disk: {fault}", wrong or f"{KEPT}; writable again was seen without a restart"
    for number in range(times):
        wrong = fail_and_mend(folder / f"failed{number}")
        yield "disk: a fault makes it read-only under load", wrong or f"{KEPT}, once it was mended"
        wrong = fail_within_syncs(folder / f"syncs{number}")
        yield f"disk: a fault meets a sync of the log, {SYNC_ROUNDS} times", wrong or KEPT


FAULTS: dict[str, Callable[[Path, int], Iterator[Row]]] = {
    "kills": kills,
    "migration": migration,
    "power": power,
    "full-disk": full_disk,
    "read-only": read_only,
}


def main(arguments: list[str]) -> int:
    """Run what is asked for; 1 when a promise was not kept."""
    asked = _asked(arguments)
    table = Table("fault", "result", title="sightline under faults")
    broken = 0
    for name in asked.names:
        with tempfile.TemporaryDirectory(prefix="sightline-faults-") as folder:
            try:
                rows = list(FAULTS[name](Path(folder), asked.times))
            except (NoMounts, Untraceable) as e:
                rows = [(name, f"not done: {e}")]
        for fault, result in rows:
            broken += not result.startswith((KEPT, "not "))
            table.add_row(fault, result[:300])
    show(table)
    return int(broken > 0)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(FAULTS)}; all when none is named"
    )
    parser.add_argument("--times", type=int, default=3, help="rounds of each; of power, cuts (3)")
    asked = parser.parse_args(arguments)
    asked.names = asked.names or list(FAULTS)
    if unknown := set(asked.names) - set(FAULTS):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    return asked
