"""Disks that are full, by bytes or by names, one for each folder of a collector, and room again in time."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Self
from uuid import uuid4

from collector_process import CollectorProcess, wait_until
from faults.mounts import PLACES
from faults.oracle import caught_up
from faults.sender import POISON, RETRIES, Sender, counter


@dataclass(frozen=True, slots=True)
class Filler:
    """What takes all the room of a folder: its bytes, or its names."""

    folder: Path
    what: str

    def __enter__(self) -> Self:
        self.folder.mkdir()
        self.fill()
        return self

    def __exit__(self, *_: object) -> None:
        rmtree(self.folder)

    def fill(self) -> None:
        """Take what there is, again: who has less to keep leaves room."""
        with suppress(OSError):
            self._bytes() if self.what == "bytes" else self._names()

    def _bytes(self) -> None:
        with (self.folder / "bytes").open("ab", buffering=0) as file:
            for size in (1 << 20, 4096):
                with suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass

    def _names(self) -> None:
        while True:
            (self.folder / uuid4().hex).touch()


def _fails(collector: CollectorProcess, retried: float, filler: Filler) -> bool:
    """Whether an insert has failed; until then what was freed meanwhile is taken."""
    filler.fill()
    return counter(collector, RETRIES) > retried


def fill_and_empty(sender: Sender, places: Iterable[str] = PLACES) -> dict[str, str]:
    """Fill disks of a running collector in turn, and empty them. What was not as promised, by fault."""
    folder = sender.collector.folder
    return {
        f"{name}, no {what}": _one(sender, folder / name, what)
        for name in places
        for what in ("bytes", "names")
    }


def _one(sender: Sender, place: Path, what: str) -> str:
    """What was not as promised when a disk had no room, and again had; empty when nothing was."""
    collector = sender.collector
    caught_up(collector)
    retried = counter(collector, RETRIES)
    with Filler(place / "filler", what) as filler:
        answers = [sender.send() for _ in range(3)]
        if place.name == "wal":
            wrong = [answer for answer in answers if not answer.says_when_to_come_again]
            if wrong:
                return f"answered {wrong}"
        else:
            sender.send(POISON)
            wait_until(lambda: _fails(collector, retried, filler), 60)
    if (again := sender.come_again()).status != 200:
        return f"with room again: {again}"
    held = sender.compared()
    return "" if held.as_promised else str(held)
