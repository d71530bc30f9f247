"""Disks that are full, by bytes or by names, one for each folder of a collector, and room again in time."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree, rmtree
from typing import Self
from urllib.error import HTTPError
from uuid import uuid4

from collector_process import CollectorProcess, wait_until
from faults.killing import FLAGS
from faults.oracle import Held, caught_up, compare, of_two_weeks
from remembered_load import TRACE

PLACES: dict[str, tuple[int, int]] = {
    "wal": (16, 100),
    "store": (256, 40_000),  # a mutation links each part's files anew, and the old ones stay for minutes
    "dead-letter": (4, 100),
    "scratch": (4, 100),
}
"""The folders of a data folder: MiB, and names, that the disk of each has."""

POISON = b"\x0b\x10\x01\x0c"
"""At a request's end: the door takes it, the engine never will."""


RETRIES = "sightline_store_retries_total"


class NoMounts(Exception):  # noqa: N818 - it is a reason to skip
    """This user may not mount a disk in memory."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Of a request: its status, and the seconds after which it may be sent again."""

    status: int
    retry_after: str = ""


@contextmanager
def disks(folder: Path) -> Iterator[None]:
    """A small disk of its own under each folder; what was there lies on it. Raises NoMounts."""
    with ExitStack() as mounted:
        for name, (size_mb, names) in PLACES.items():
            place = folder / name
            place.mkdir(parents=True, exist_ok=True)
            held = folder / f"{name}.held"
            place.rename(held)
            place.mkdir()
            _mount(place, f"size={size_mb}m,nr_inodes={names}")
            mounted.callback(_unmount, place)
            copytree(held, place, symlinks=True, dirs_exist_ok=True)
            rmtree(held)
        yield


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


@dataclass
class Sender:
    """Sends one request at a time, and remembers what was acknowledged."""

    collector: CollectorProcess
    acknowledged: set[str]
    sent: int = 0

    def send(self, more: bytes = b"") -> Answer:
        """A request, and what comes behind it."""
        self.sent += 1
        trace = self.sent.to_bytes(16, "big")
        body = of_two_weeks(time.time_ns()).replace(TRACE, trace) + more
        request = urllib.request.Request(
            f"{self.collector.otlp}/v1/traces", body, {"Content-Type": "application/x-protobuf"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answered:
                answer = Answer(answered.status)
        except HTTPError as e:
            with e:
                return Answer(e.code, e.headers["Retry-After"] or "")
        if not more:
            self.acknowledged.add(trace.hex())
        return answer

    def compared(self) -> Held:
        """Once all is stored."""
        caught_up(self.collector)
        return compare(self.collector, self.acknowledged, set())


def _fails(collector: CollectorProcess, retried: float, filler: Filler) -> bool:
    """Whether an insert has failed; until then what was freed meanwhile is taken."""
    filler.fill()
    return counter(collector, RETRIES) > retried


def _mount(place: Path, options: str) -> None:
    ran = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "sightline-fault", place], capture_output=True, text=True
    )
    if ran.returncode:
        raise NoMounts(ran.stderr.strip())


def _unmount(place: Path) -> None:
    subprocess.run(["umount", "--lazy", place], check=True)


def counter(collector: CollectorProcess, name: str) -> float:
    """The sum of a counter over its labels."""
    lines = (line.rsplit(" ", 1) for line in collector.metrics().splitlines() if line.startswith(name))
    return sum(float(value) for _, value in lines)


def refuse_and_recover(folder: Path, places: Iterable[str] = PLACES) -> dict[str, str]:
    """Fill disks of a running collector in turn, and empty them. What was not as promised, by fault."""
    found: dict[str, str] = {}
    with disks(folder), CollectorProcess(folder, *FLAGS) as collector:
        collector.start()
        sender = Sender(collector, set())
        for name in places:
            for what in ("bytes", "names"):
                found[f"{name}, no {what}"] = _one(sender, folder / name, what)
        assert collector.stop() == 0
    return found


def _one(sender: Sender, place: Path, what: str) -> str:
    """What was not as promised when a disk had no room, and again had; empty when nothing was."""
    collector = sender.collector
    caught_up(collector)
    retried = counter(collector, RETRIES)
    with Filler(place / "filler", what) as filler:
        answers = [sender.send() for _ in range(3)]
        if place.name == "wal":
            wrong = [a for a in answers if (a.status, a.retry_after) not in {(503, n) for n in "123"}]
            if wrong:
                return f"answered {wrong}"
        else:
            sender.send(POISON)
            wait_until(lambda: _fails(collector, retried, filler), 60)
    if (again := sender.send()).status != 200:
        return f"with room again: {again}"
    held = sender.compared()
    return "" if held.as_promised else str(held)
