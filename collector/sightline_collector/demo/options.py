"""What a run of the demo is told."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """`speed` divides the stand-in's waiting times; `model` answers everything, at a real provider."""

    folder: Path
    seed: int = 1
    speed: float = 30.0
    model: str | None = None
