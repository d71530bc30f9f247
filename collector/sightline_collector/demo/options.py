"""What a run of the demo is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """`speed` divides the stand-in's waiting times; `model` answers everything, at a real provider."""

    folder: Path
    seed: int = 1
    speed: float = 30.0
    model: str | None = None


def has_provider(environment: Mapping[str, str]) -> bool:
    """Whether a provider of the user's own is named there; the stand-in answers otherwise."""
    return bool(environment.get("OPENAI_API_KEY") or environment.get("OPENAI_BASE_URL"))
