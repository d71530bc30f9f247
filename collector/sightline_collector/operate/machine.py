"""What the machine gives a collector: space, inodes and the speed of its disk, memory. Blocking."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median

from sightline_collector.operate.finding import Finding, duration, fail, graded, ok, size

FREE_BYTES_WARN, FREE_BYTES_FAIL = 5e9, 1e9
"""The engine merges into new files beside the old ones: it needs room to free room."""
INODES_WARN, INODES_FAIL = 0.05, 0.01
SYNC_S_WARN, SYNC_S_FAIL = 0.05, 1.0
"""Senders wait for a sync, and give up after 10 s with all that waits before it."""
SYNCS = 5
MEMORY_WARN_BYTES, MEMORY_FAIL_BYTES = 1e9, 256e6
"""The engine alone may take 1.5 GB, a 64 MiB request up to 2 GB for a moment."""

LOG, STORE = "wal", "store"
SMALL = ("dead-letter", "scratch")
"""Folders of a data folder that may be mounts of their own. The embedded store may lie elsewhere."""

_CGROUP = Path("/sys/fs/cgroup")


def machine(folder: Path, store: Path | None = None) -> Iterator[Finding]:
    """The state of what a data folder and its store lie on, and of the memory."""
    try:
        log, store, *small = folder / LOG, store or folder / STORE, *(folder / name for name in SMALL)
        large = [folder, *(part for part in (log, store) if part.is_dir())]
        for place in _disks(large):
            yield from _space(place)
        places = [*large, *(part for part in small if part.is_dir())]
        refusing = [finding for place in places if (finding := _refusal(place))]
        yield from refusing
        if not refusing:
            yield _sync(log if log in large else folder)
    except OSError as e:
        step = "make it a folder that the collector may write, on a disk that works"
        yield fail("disk", f"{folder} cannot be used ({e.strerror})", step)
    with suppress(OSError, ValueError, StopIteration):  # a system without /proc says nothing
        yield _memory()


def _disks(places: Sequence[Path]) -> Iterator[Path]:
    """The first place on each disk: the log or the store may have one of its own."""
    seen: set[int] = set()
    for place in places:
        disk = place.stat().st_dev
        if disk not in seen:
            seen.add(disk)
            yield place


def _refusal(place: Path) -> Finding | None:
    """What is wrong with a place that takes no file; None where one could be made, and was removed."""
    if os.statvfs(place).f_flag & os.ST_RDONLY:
        return _locked(place)
    probe = place / f"doctor.{os.getpid()}"
    try:
        probe.touch()
        probe.unlink(missing_ok=True)  # another who asks at the same time has the same name
    except OSError as e:
        step = f"give it to the user that runs the collector: `ls -ld {place}`"
        return fail("disk", f"{place} takes no writes ({e.strerror})", step)
    return None


def _locked(place: Path) -> Finding:
    step = f"see why with `dmesg`: a disk that fails is made so; then `mount -o remount,rw {place}`"
    return fail("disk", f"{place} takes no writes: it is mounted read-only", step)


def _space(folder: Path) -> Iterator[Finding]:
    disk = os.statvfs(folder)
    free, total = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    step = "free space, give the store a budget with --store-gb, or keep less with --keep-content-days"
    says = f"{size(free)} of {size(total)} are free at {folder}"
    yield graded("disk space", -free, -FREE_BYTES_WARN, -FREE_BYTES_FAIL, says, step)
    if disk.f_files:  # some file systems make inodes as they need them
        share = disk.f_favail / disk.f_files
        says = f"{disk.f_favail:,} of {disk.f_files:,} are free"
        step = "delete small files on that disk, or move the data folder to another"
        yield graded("inodes", -share, -INODES_WARN, -INODES_FAIL, says, step)


def _sync(folder: Path) -> Finding:
    times = sorted(_synced(folder) for _ in range(SYNCS))
    says = f"a sync to disk takes {duration(median(times))} (the slowest of {SYNCS} {duration(times[-1])})"
    step = "senders wait this long for each answer: look for what else writes, or take a faster disk"
    return graded("sync", median(times), SYNC_S_WARN, SYNC_S_FAIL, says, step)


def _synced(folder: Path) -> float:
    path = folder / f"doctor.{os.getpid()}"
    began = time.perf_counter()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, b"\0" * 4096)
        os.fdatasync(fd)
        return time.perf_counter() - began
    finally:
        os.close(fd)
        path.unlink(missing_ok=True)


def _memory() -> Finding:
    available = _meminfo("MemAvailable")
    limit = _CGROUP / "memory.max"
    with suppress(OSError, ValueError):  # "max", or no such group
        available = min(available, int(limit.read_text()) - int((_CGROUP / "memory.current").read_text()))
    says = f"{size(available)} are available"
    step = "give the machine or its container 4 GB, or lower --request-mb"
    if available >= MEMORY_WARN_BYTES:
        return ok("memory", says)
    return graded("memory", -available, -MEMORY_WARN_BYTES, -MEMORY_FAIL_BYTES, says, step)


def _meminfo(name: str) -> float:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name}:"))) * 1024
