"""What another process has used, as Linux tells it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
QUIET_S, QUIET_SHARE = 2.0, 0.03
"""Work has ended when a process used less than this share of a core for so long."""


@dataclass(frozen=True, slots=True)
class Process:
    """A running process, by its id."""

    pid: int

    @property
    def cpu_s(self) -> float:
        """User and system time of all its threads so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * TICK_S

    @property
    def rss_mb(self) -> float:
        """Memory it holds now."""
        return self._memory_mb("VmRSS")

    @property
    def peak_rss_mb(self) -> float:
        """The most it has held."""
        return self._memory_mb("VmHWM")

    def _memory_mb(self, field: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        raise RuntimeError(f"process {self.pid} has ended")

    def share(self, seconds: float) -> float:
        """Of a core, in percent, over the seconds that follow."""
        before = self.cpu_s
        time.sleep(seconds)
        return (self.cpu_s - before) / seconds * 100

    def settle(self, limit_s: float = 120.0) -> None:
        """Returns when it works no more: queues are empty, merges done. Or after the limit."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end and self.share(QUIET_S) > QUIET_SHARE * 100:
            pass
