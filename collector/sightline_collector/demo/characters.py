"""How the stand-in's models behave: rows to be read side by side, not code."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Manner:
    """How a model writes. Shares are of all its answers, from 0 to 1."""

    sentences: tuple[int, int]  # fewest and most in an answer
    refusing_share: float


@dataclass(frozen=True, slots=True)
class Character:
    """A model: how fast it is before any speed-up, how it writes, and how it writes after its change."""

    first_token_ms: float  # median
    tokens_per_s: float  # median
    manner: Manner
    changed: Manner | None = None
    reasoning_tokens: tuple[int, int] = (0, 0)  # fewest and most, before the answer begins
    failing_share: float = 0.0  # answered with a server error


CHARACTERS: Final = {
    "gpt-4o-mini": Character(
        first_token_ms=380,
        tokens_per_s=110,
        manner=Manner((1, 3), 0.01),
        changed=Manner((4, 8), 0.2),
    ),
    "gpt-4o": Character(first_token_ms=520, tokens_per_s=75, manner=Manner((2, 4), 0.01)),
    "gpt-5-mini": Character(
        first_token_ms=450, tokens_per_s=130, manner=Manner((2, 4), 0.01), reasoning_tokens=(64, 320)
    ),
    "house-llama-70b": Character(
        first_token_ms=240, tokens_per_s=42, manner=Manner((2, 3), 0.0), failing_share=0.03
    ),
}
ANY_OTHER: Final = Character(first_token_ms=400, tokens_per_s=90, manner=Manner((2, 4), 0.01))
