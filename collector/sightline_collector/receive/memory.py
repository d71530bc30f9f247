"""The memory of this process: what it holds, what it may take, and how it gives back what it does not use.

A heap keeps what was freed, for what comes next. So resident memory stays high after a rush, and says nothing
of what is in use; only when the heap has given back what is free does it tell the truth.
"""

from __future__ import annotations

import ctypes
import resource
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

MEMORY_BYTES = 3 << 30
"""The engine's bound, that of bodies, and what parsing a hostile one takes for a moment."""

SHARE = 0.8
"""Of what a container or a machine has, where that is less: beyond, the kernel ends the process."""

GIVE_BACK_S = 2.0
"""A heap of some GB takes a fraction of a second to look through: so often at most."""

_STATUS = Path("/proc/self/statm")
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_MACHINE = Path("/proc/meminfo")


def memory_bytes_max(limits: tuple[Path, ...] = _LIMITS, machine: Path = _MACHINE) -> int:
    """What the process may take: MEMORY_BYTES, or a share of its container or machine where that is less."""
    found = [float(MEMORY_BYTES)]
    for path in limits:
        with suppress(OSError, ValueError):  # no such group, or "max"
            found.append(SHARE * int(path.read_text()))
    with suppress(OSError, ValueError, IndexError):  # a system without /proc says nothing
        found.append(SHARE * 1024 * int(machine.read_text().split()[1]))  # MemTotal is the first
    return round(min(found))


def resident_bytes() -> float:
    """What the process holds, in use or kept for later. Raises OSError on a system without /proc."""
    return int(_STATUS.read_text().split()[1]) * float(resource.getpagesize())


def give_back() -> None:
    """Gives the system what the heap keeps and nobody uses, where the C library can."""
    with suppress(OSError, AttributeError):  # musl and others have none
        ctypes.CDLL(None).malloc_trim(0)


class Memory:
    """Resident bytes. Beyond the limit the heap is told to give back, in a thread: a later look shows what is
    in use."""

    def __init__(
        self,
        limit_bytes: float,
        resident: Callable[[], float] = resident_bytes,
        give_back: Callable[[], None] = give_back,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit_bytes = limit_bytes
        self._resident = resident
        self._give_back = give_back
        self._clock_s = clock_s
        self._next_s = 0.0

    def __call__(self) -> float:
        """As of now. Raises OSError."""
        held = self._resident()
        if held > self.limit_bytes and self._clock_s() >= self._next_s:
            self._next_s = self._clock_s() + GIVE_BACK_S
            threading.Thread(target=self._give_back, name="give-back", daemon=True).start()
        return held
