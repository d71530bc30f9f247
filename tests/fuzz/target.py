"""What can be fuzzed: bytes to begin with, and a law that every input is held to."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """`hold` raises when the law is broken; `tokens` are pieces that inputs of this kind are made of."""

    name: str
    hold: Callable[[bytes], None]
    seeds: Sequence[bytes]
    tokens: Sequence[bytes] = ()

    def broken_by(self, data: bytes) -> str:
        """How an input breaks the law, as a traceback; empty when the law holds."""
        try:
            self.hold(data)
        except Exception:
            return traceback.format_exc()
        return ""
