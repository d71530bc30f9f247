"""What keys have sent today, kept across a new start: a limit that a restart lifts is none."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from sightline_collector.access.gate import Gate

NAME = "key-bytes.json"


class DayBytes:
    """A small file beside the keys: key, day since 1970 (UTC), bytes. Written when it changed and not synced:
    a power cut takes some seconds of it."""

    def __init__(self, path: Path, gate: Gate) -> None:
        """Goes on where an earlier process stopped; begins anew when the file cannot be read."""
        self._path = path
        self._gate = gate
        with suppress(OSError, ValueError, AttributeError, TypeError):
            for key, (day, sent) in json.loads(path.read_bytes()).items():
                if key in gate.allowances:
                    gate.allowances[key].resume(int(day), int(sent))
        self._kept = self._now()

    def keep(self) -> None:
        """Writes what changed. Raises OSError."""
        now = self._now()
        if now != self._kept:
            new = self._path.with_suffix(".new")
            new.write_text(json.dumps(now))
            new.rename(self._path)
            self._kept = now

    def _now(self) -> dict[str, tuple[int, int]]:
        allowances = dict(self._gate.allowances)
        return {
            key: (one.day, one.day_bytes) for key, one in allowances.items() if one.day_bytes and one.bounded
        }
