"""A disk that finds a fault in itself under load and makes itself read-only, as ext4 does.

Files that are open for writing are read-only, too, and nothing but a check of the unmounted disk mends it.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

from collector_process import CollectorProcess, wait_until
from faults.killing import FLAGS
from faults.made import made_folder
from faults.mounts import NoMounts, mount, unmount
from faults.oracle import Loads, caught_up, compare

from sightline_collector.wal.appender import Appender, SegmentLimits
from sightline_collector.wal.folder import Folder
from sightline_collector.wal.segment import Entry, Signal, records

SIZE_MB = 512
ACKNOWLEDGED, REFUSED = 40, 20
"""Requests before the fault, and after it."""

SYNC_ROUNDS, SYNC_SIZE_MB = 20, 64
"""A fault meets a sync whose data are lost, and which says nothing of it, in one round of five or so."""


def fail_and_mend(folder: Path) -> str:
    """What was not as promised; empty when nothing was. Raises NoMounts."""
    image = _disk(folder, SIZE_MB)
    data, loads = folder / "mounted" / "data", Loads()
    with _mounted(image, folder / "mounted"):
        made_folder(data)
        _run("sync", "--file-system", str(data))
        if wrong := _fail(data, loads):
            return wrong
    _run("e2fsck", "-fy", str(image), good=(0, 1))
    with _mounted(image, folder / "mounted"), _collector(folder, data) as collector:
        caught_up(collector)
        held = compare(collector, loads.spans.acknowledged, loads.judgements.acknowledged)
        assert collector.stop() == 0
        return "" if held.as_promised else str(held)


def fail_within_syncs(folder: Path) -> str:
    """The log alone, on a disk that fails while it syncs, again and again: how many records are gone that
    were said to be durable; empty when none is. Raises NoMounts."""
    folder.mkdir()
    chance, lost = Random(SYNC_ROUNDS), 0
    for number in range(SYNC_ROUNDS):
        image = _disk(folder / str(number), SYNC_SIZE_MB)
        with _mounted(image, image.parent / "mounted") as place:
            durable = _written_until_it_fails(place / "wal", chance.uniform(0.1, 0.4))
        _run("e2fsck", "-fy", str(image), good=(0, 1))
        with _mounted(image, image.parent / "mounted") as place:
            for signal, count in durable.items():
                files = (place / "wal").glob(f"{signal}-*")
                lost += max(0, count - sum(len(records(file.read_bytes())) for file in files))
    return f"{lost} records are gone" if lost else ""


def _written_until_it_fails(wal: Path, fails_s: float) -> dict[Signal, int]:
    """How many records of each signal were durable on a disk that fails after a while."""
    folder = Folder(wal)
    with closing(folder), ThreadPoolExecutor() as threads:
        writing = {signal: threads.submit(_written, folder, signal) for signal in Signal}
        time.sleep(fails_s)  # the moment is what this is about
        _trigger(wal)
        return {signal: written.result() for signal, written in writing.items()}


def _written(folder: Folder, signal: Signal) -> int:
    """Records that were durable until one could not be made so."""
    appender, durable = Appender(folder, signal, SegmentLimits()), 0
    while not (outcome := appender.write([Entry(bytes(700), 1, "default", time.time_ns())])).failure:
        durable += outcome.durable
    return durable


def _disk(folder: Path, size_mb: int) -> Path:
    """A file with an empty file system in it, in a new folder."""
    folder.mkdir()
    image = folder / "disk"
    with image.open("wb") as file:
        file.truncate(size_mb << 20)
    _run("mkfs.ext4", "-q", "-F", str(image))
    return image


def _fail(data: Path, loads: Loads) -> str:
    """The fault comes; whether what cannot be kept is refused, and the collector stops when it is told to."""
    with _collector(data.parent.parent, data) as collector:
        loads.start(collector.otlp)
        try:
            wait_until(lambda: loads.acknowledged >= ACKNOWLEDGED, 60)
            _trigger(data)
            before = loads.spans.refused
            wait_until(lambda: loads.spans.refused >= before + REFUSED, 60)
        finally:
            loads.stop()
        if (answered := loads.spans.statuses | loads.judgements.statuses) != {200, 503}:
            return f"answered {answered}"
        ended = collector.stop()
        return "" if ended == 0 else f"it ended with {ended}: {collector.output[-300:]}"


@contextmanager
def _collector(beside: Path, data: Path) -> Iterator[CollectorProcess]:
    """Its output lies on another disk."""
    with CollectorProcess(beside / "collector", "--store", f"chdb:{data}", *FLAGS) as collector:
        collector.start()
        yield collector


@contextmanager
def _mounted(image: Path, place: Path) -> Iterator[Path]:
    place.mkdir(exist_ok=True)
    mount("-o", "loop,errors=remount-ro", str(image), str(place))
    try:
        yield place
    finally:
        unmount(place)


def _trigger(place: Path) -> None:
    """Let the file system believe that it has found a fault."""
    device = _run("findmnt", "-no", "SOURCE", "--target", str(place)).strip()
    Path("/sys/fs/ext4", Path(device).name, "trigger_fs_error").write_text("a fault of a test")


def _run(*command: str, good: tuple[int, ...] = (0,)) -> str:
    try:
        ran = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as e:
        raise NoMounts(str(e)) from None
    if ran.returncode not in good:
        raise NoMounts(f"{' '.join(command)}: {ran.stderr.strip()}")
    return ran.stdout
