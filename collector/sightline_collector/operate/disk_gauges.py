"""What the disks below a collector have left, for Prometheus: alerts come days before the first refusal."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge


def measure_disk(registry: CollectorRegistry, folder: Path, store: Path | None) -> None:
    """Registers gauges of a data folder and the embedded store, which may lie elsewhere: of several disks, of
    the one with the least left. A disk that does not answer is NaN."""
    places = [folder, folder / "wal", *([store] if store else [])]

    def gauge(name: str, says: str, read: Callable[[], float]) -> None:
        Gauge(f"sightline_disk_{name}", says, registry=registry).set_function(lambda: _or_nan(read))

    gauge("free_bytes", "Free on the disk of data folder, log and store", lambda: _fullest(places)[0])
    gauge("size_bytes", "Of that disk, in all", lambda: _fullest(places)[1])
    gauge("free_inodes", "Files that can still be made there", lambda: _least_inodes(places))
    gauge("torn_bytes", "Damaged bytes that were cut out of the log and kept", lambda: _torn(folder))


def _or_nan(read: Callable[[], float]) -> float:
    try:
        return read()
    except OSError:
        return math.nan


def _fullest(places: Sequence[Path]) -> tuple[float, float]:
    """Bytes that are free on the disk with the least, and its size."""
    disks = [os.statvfs(place) for place in places]
    return min((disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize) for disk in disks)


def _least_inodes(places: Sequence[Path]) -> float:
    """Some file systems make inodes as they need them, and say 0 of 0."""
    counted = [disk.f_favail for disk in map(os.statvfs, places) if disk.f_files]
    return min(counted, default=math.nan)


def _torn(folder: Path) -> float:
    return sum(entry.stat().st_size for entry in os.scandir(folder / "wal" / "torn"))
