"""How late an insert into a server may begin. A start waits as long for what an earlier process has sent.

one came too late ──▶ twice as long, and in the file before it is used
none for an hour ───▶ half as long: the clock that was wrong, or the slow way, may be mended
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import structlog

from sightline_collector.store.durable import replace_text

FIRST_S, MOST_S = 5.0, 600.0
"""How late, apart from the time that an insert's bytes take on their way. The way may be slower than was
thought, or the servers' clocks lie further apart."""

CALM_S = 3600.0
"""Longer than any insert may take to begin: what was sent with a longer time is over when that is halved."""

NAME = "insert-begins"

log = structlog.get_logger(__name__)


class Lateness:
    """The time in seconds, in a file of its own that outlives the process. Safe to use from several threads.

    Without a file it is forgotten. One that cannot be read tells of the longest time.
    """

    def __init__(self, file: Path | None, clock: Callable[[], float]) -> None:
        self._file = file
        self._clock = clock
        self._lock = Lock()
        self._changed_at_s = clock()
        self._now_s = self.left_s = FIRST_S if file is None else _read(file)

    left_s: float
    """How late at most what an earlier process has sent may begin."""

    @property
    def now_s(self) -> float:
        """How late what is sent now may begin."""
        with self._lock:
            if self._now_s > FIRST_S and self._clock() - self._changed_at_s > CALM_S:
                self._change(max(self._now_s / 2, FIRST_S))
            return self._now_s

    def came_late(self, had_s: float) -> None:
        """An insert that might begin `had_s` late came later than that."""
        with self._lock:
            self._changed_at_s = self._clock()
            if had_s >= self._now_s:  # of several at once that came too late one gives more time
                self._change(min(2 * had_s, MOST_S))

    def _change(self, to_s: float) -> None:
        """What is not in the file is not used: a new process would not wait for it."""
        self._changed_at_s = self._clock()
        if self._file is not None:
            try:
                replace_text(self._file, f"{to_s}\n")
            except OSError as e:
                log.warning("inserts are given no other time to begin", file=str(self._file), error=str(e))
                return
        self._now_s = to_s


def _read(file: Path) -> float:
    try:
        said = float(file.read_text())
    except FileNotFoundError:
        return FIRST_S
    except (OSError, ValueError):
        return MOST_S
    return min(max(said, FIRST_S), MOST_S) if math.isfinite(said) else MOST_S
