"""A disk that finds a fault in itself under load and makes itself read-only, as ext4 does.

Files that are open for writing are read-only, too, and nothing but a check of the unmounted disk mends it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector_process import CollectorProcess, wait_until
from faults.killing import FLAGS
from faults.made import made_folder
from faults.mounts import NoMounts, mount, unmount
from faults.oracle import Loads, caught_up, compare

SIZE_MB = 512
ACKNOWLEDGED, REFUSED = 40, 20
"""Requests before the fault, and after it."""


def fail_and_mend(folder: Path) -> str:
    """What was not as promised; empty when nothing was. Raises NoMounts."""
    folder.mkdir()
    image = folder / "disk"
    with image.open("wb") as file:
        file.truncate(SIZE_MB << 20)
    _run("mkfs.ext4", "-q", "-F", str(image))
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
def _mounted(image: Path, place: Path) -> Iterator[None]:
    place.mkdir(exist_ok=True)
    mount("-o", "loop,errors=remount-ro", str(image), str(place))
    try:
        yield
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
