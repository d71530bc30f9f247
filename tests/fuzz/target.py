"""What can be fuzzed: bytes to begin with, and a law that every input is held to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """`hold` raises when the law is broken; `tokens` are pieces that inputs of this kind are made of."""

    name: str
    hold: Callable[[bytes], None]
    seeds: Sequence[bytes]
    tokens: Sequence[bytes] = ()
