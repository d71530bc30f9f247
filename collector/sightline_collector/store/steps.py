"""Which steps of the way a segment can do without.

Each insert plans its statement anew, and a step is planned whether or not any span has something for it: for
a small segment that takes longer than all of its rows. So a segment is searched for the marks of the steps
that only some spans need, and steps without a mark are left out of its statement; a large one only for words,
which takes a quarter of what the steps would. A mark too many costs that time again; one too few would lose
what the step does, so marks are wide.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from pathlib import Path

SMALL_BYTES = 1 << 20
"""Up to here patterns are searched for, beyond it words."""

NESTED = re.compile(rb"\x12[\x80-\xff]{0,9}([\x00-\x7f])([*2:])")
"""A key's value, its length, and the tag of an array, a map or bytes."""

FLATTENED = re.compile(
    rb"(?:llm\.(?:input_messages|output_messages|prompts|completions|choices|request\.functions|tools)"
    rb"|gen_ai\.(?:prompt|completion)|[._]documents|embedding\.embeddings)\.\d"
)
TOLD = re.compile(
    rb"gen_ai\.(?:(?:system|user|assistant|tool)\.message|choice|content\.|client\.inference\.operation\.details)"
)


def _nests(data: bytes) -> bool:
    """Whether a value is nested, other than an array of one short string."""
    return any(not _is_one_short(data, found) for found in NESTED.finditer(data))


def _is_one_short(data: bytes, found: re.Match[bytes]) -> bool:
    """Whether a value is what the function sightline_one_short knows."""
    length, at = found[1][0], found.start(2)
    expected = (0x2A, length - 2, 0x0A, length - 4, 0x0A, length - 6)
    return length >= 6 and data[at : at + 6] == bytes(expected)


def _has(mark: re.Pattern[bytes]) -> Callable[[bytes], bool]:
    return lambda data: mark.search(data) is not None


WORDS: dict[str, tuple[bytes, ...]] = {
    "gathered_spans": (b"llm.", b"gen_ai.prompt.", b"gen_ai.completion.", b"documents.", b"embedding.emb"),
    "conversed_spans": (
        b"gen_ai.system.message", b"gen_ai.user.message", b"gen_ai.assistant.message", b"gen_ai.tool.message",
        b"gen_ai.choice", b"gen_ai.content.", b"gen_ai.client.inference.operation.details",
    ),
}  # fmt: skip
"""Words of which one stands in each segment that needs the step."""

MARKS: dict[str, Callable[[bytes], bool]] = {
    "unfolded_spans": _nests,
    "gathered_spans": _has(FLATTENED),
    "conversed_spans": _has(TOLD),
}
"""The steps that only some spans need, and how their bytes tell."""


def left_out(steps: tuple[str, ...], file: Path) -> frozenset[str]:
    """Those of the steps that a segment file has nothing for; of a large one those that words tell of."""
    rare = MARKS.keys() & set(steps)
    size = file.stat().st_size if rare else 0
    if size > SMALL_BYTES:
        with file.open("rb") as opened, mmap(opened.fileno(), 0, access=ACCESS_READ) as large:
            worded = rare & WORDS.keys()
            return frozenset(s for s in worded if all(large.find(word) < 0 for word in WORDS[s]))
    if not size:
        return frozenset()
    data = file.read_bytes()
    return frozenset(step for step in rare if not MARKS[step](data))
