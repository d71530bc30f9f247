"""Which steps of the way a segment can do without.

Each insert plans its statement anew, and a step is planned whether or not any span has something for it: for
a small segment that takes longer than all of its rows. So a segment is searched for the marks of the steps
that only some spans need, and steps without a mark are left out of its statement; a large one only for words,
which the engine finds in a fifth of the time that it takes here. A mark too many costs what the step does
again; one too few would lose what it does, so marks are wide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
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


WORDS: dict[str, tuple[str, ...]] = {
    "gathered_spans": ("llm.", "gen_ai.prompt.", "gen_ai.completion.", "documents.", "embedding.emb"),
    "conversed_spans": (
        "gen_ai.system.message", "gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.tool.message",
        "gen_ai.choice", "gen_ai.content.", "gen_ai.client.inference.operation.details",
    ),
}  # fmt: skip
"""Words of which one stands in each segment that needs the step."""

MARKS: dict[str, Callable[[bytes], bool]] = {
    "unfolded_spans": _nests,
    "gathered_spans": _has(FLATTENED),
    "conversed_spans": _has(TOLD),
}
"""The steps that only some spans need, and how their bytes tell."""


FindsWords = Callable[[Path, Sequence[str]], Collection[str]]
"""Those of the words that stand in a file."""


def words_in(file: Path, words: Sequence[str]) -> Collection[str]:
    """Those of the words that stand in a file, which may not be empty."""
    with file.open("rb") as opened, mmap(opened.fileno(), 0, access=ACCESS_READ) as data:
        return {word for word in words if data.find(word.encode()) >= 0}


def left_out(steps: tuple[str, ...], file: Path, finds: FindsWords = words_in) -> frozenset[str]:
    """Those of the steps that a segment file has nothing for; of a large one those that words tell of."""
    rare = MARKS.keys() & set(steps)
    size = file.stat().st_size if rare else 0
    if not size:
        return frozenset()
    if size > SMALL_BYTES:
        worded = sorted(rare & WORDS.keys())
        found = finds(file, [word for step in worded for word in WORDS[step]])
        return frozenset(step for step in worded if not set(WORDS[step]) & set(found))
    data = file.read_bytes()
    return frozenset(step for step in rare if not MARKS[step](data))
