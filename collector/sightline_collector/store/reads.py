"""Questions of strangers: read-only, each on a handle of its own, answered as a stream of bytes.

Nothing here judges what is asked; the gateway does, with what `Reads` tells it about a statement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sightline_collector.errors import StoreRefused


@dataclass(frozen=True, slots=True)
class Question:
    """One statement that reads. `settings` and `parameters` are texts, as HTTP carries them."""

    sql: str
    format: str
    query_id: str
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a question took. Zero where the store did not say."""

    read_rows: int = 0
    read_bytes: int = 0
    result_rows: int = 0
    elapsed_ns: int = 0


class Stream(Protocol):
    """An answer on its way. `close()` stops the statement if it still runs; it may be called twice."""

    @property
    def summary(self) -> Summary:
        """What is known so far: complete after the last byte was read."""

    def read(self) -> bytes:
        """The next bytes, b"" after the last. Raises StoreRefused, StoreUnreachable."""

    def close(self) -> None:
        """Let go of the answer."""


class Reads(Protocol):
    """Read-only access to one store."""

    def text(self, sql: str, parameters: Mapping[str, str] | None = None) -> str:
        """The answer to one of our own questions, as unescaped text. Raises StoreRefused."""

    def single_read(self, sql: str) -> bool:
        """True when the engine itself says: one statement, and it only reads."""

    def stream(self, question: Question) -> Stream:
        """Begin to answer."""


def refusal_of(text: str) -> StoreRefused:
    """The engine's own words about a statement, with its code; 0 when it named none."""
    codes = re.findall(r"Code: (\d+)\. DB::Exception: ", text)
    # A refused handle is reported twice, the outer time without a name: the inner words are the engine's.
    said = re.split(r"Code: \d+\. DB::Exception: ", text)[-1] if codes else text
    said = re.sub(r"( \([A-Z_0-9]+\))(?: \(version [^)]*\))?\.\1$", r"\1", said)
    return StoreRefused(said.strip()[:4000], hint="", code=int(codes[-1]) if codes else 0)
