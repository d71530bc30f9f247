"""A file of keys, a gate before it, and a clock for both."""

from __future__ import annotations

from pathlib import Path

from sightline_collector.access import key_changes, key_file
from sightline_collector.access.gate import Gate
from sightline_collector.access.key import Key, Scope
from sightline_collector.access.key_changes import Wanted


class Clock:
    """Unix seconds that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1_760_000_000.0

    def __call__(self) -> float:
        return self.now_s


class Kept:
    """Keys as a collector keeps them. Whoever adds one is its only knower."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "keys.json"
        self.clock = Clock()
        self.gate = Gate(self.path, self.clock)

    def add(self, *scopes: Scope, project: str = "shop", **limits: float) -> tuple[Key, str]:
        """A key, and its token; the gate knows it at once."""
        wanted = Wanted(project, frozenset(scopes), **limits)  # type: ignore[arg-type]
        keys, key, token = key_changes.add(key_file.read(self.path), wanted, "ann", int(self.clock()))
        key_file.write(self.path, keys)
        self.gate.refresh()
        return key, token


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"authorization": f"Bearer {token}"}
