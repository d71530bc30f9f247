"""Emitters that tell of one program's calls, as few or many as are loaded, and what each of them knows.

A call is told by every emitter: by the framework's span, by an instrumentation's below or beside it, by the
library's own, which may have lost its context. What no rule could know is not made up: emitters without a
common id agree on the tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

LOADED = (
    ("client",), ("native",), ("client", "native"), ("framework", "client"), ("framework", "native"),
    ("framework", "client", "native"),
)  # fmt: skip
SCOPES = {"framework": "framework", "client": "client", "native": "com.anthropic.sdk.python"}


@dataclass(frozen=True)
class Emitters:
    """Which emitters a program has, from the outermost, and what they know."""

    names: tuple[str, ...]
    place: dict[str, str]
    """Where each but the first stands: below the one before it, beside it, or lost in a trace of its own."""
    ids: str
    """What the server calls its answers: 'long' random ids, one 'short' constant, or none."""
    knows_id: dict[str, bool]
    details: dict[str, int]
    counts_twice: bool
    """The instrumentation adds a stream's first token to its last count."""

    @classmethod
    def drawn(cls, random: Random) -> Emitters:
        """Any."""
        ids = random.choice(["long", "long", "short", ""])
        place = {name: random.choice(["below", "below", "beside"]) for name in ("client", "native")}
        place |= {"native": "lost"} if random.random() < 0.15 else {}
        knows_id = {"framework": random.random() < 0.5, "client": random.random() < 0.8, "native": True}
        details = {name: random.randint(0, 2) for name in SCOPES}
        names = random.choice(LOADED)
        known = (ids == "long" and knows_id["client"]) or set(place.values()) == {"below"}
        counts_twice = "native" in names and known and random.random() < 0.2
        return cls(names, place, ids, knows_id, details, counts_twice)

    @property
    def all_know_ids(self) -> bool:
        """Whether each of them tells a random id of each answer."""
        return self.ids == "long" and all(self.knows_id[name] for name in self.names)
