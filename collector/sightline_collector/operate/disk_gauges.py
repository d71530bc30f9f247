"""What the data folder's disk has left, for Prometheus: an alert comes days before the first refusal."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge


def measure_disk(registry: CollectorRegistry, folder: Path) -> None:
    """Registers gauges of a data folder. A disk that does not answer is NaN."""

    def gauge(name: str, says: str, read: Callable[[], float]) -> None:
        Gauge(f"sightline_disk_{name}", says, registry=registry).set_function(lambda: _or_nan(read))

    gauge("free_bytes", "Free on the data folder's disk", lambda: _free(folder))
    gauge("size_bytes", "Of the data folder's disk", lambda: _size(folder))
    gauge("free_inodes", "Files that can still be made there", lambda: os.statvfs(folder).f_favail)
    gauge("torn_bytes", "Damaged bytes that were cut out of the log and kept", lambda: _torn(folder))


def _or_nan(read: Callable[[], float]) -> float:
    try:
        return read()
    except OSError:
        return math.nan


def _free(folder: Path) -> float:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def _size(folder: Path) -> float:
    disk = os.statvfs(folder)
    return disk.f_blocks * disk.f_frsize


def _torn(folder: Path) -> float:
    return sum(entry.stat().st_size for entry in os.scandir(folder / "wal" / "torn"))
