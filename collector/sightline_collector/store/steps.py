"""Which steps of the way a segment can do without.

Each insert plans its statement anew, and a step is planned whether or not any span has something for it: for
a small segment that takes longer than all of its rows. So a segment is searched for the marks of the steps
that only some spans need, and steps without a mark are left out of its statement. A large one goes all the
way: to search it takes longer than what the steps do to spans that do not need them. A mark too many costs
what the step does again; one too few would lose what it does, so marks are wide.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

SMALL_BYTES = 1 << 20
"""Up to here a segment is searched."""

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


MARKS: dict[str, Callable[[bytes], bool]] = {
    "unfolded_spans": _nests,
    "gathered_spans": _has(FLATTENED),
    "conversed_spans": _has(TOLD),
}
"""The steps that only some spans need, and how their bytes tell."""


def left_out(steps: tuple[str, ...], file: Path) -> frozenset[str]:
    """Those of the steps that a segment file has nothing for; none of a large one."""
    rare = MARKS.keys() & set(steps)
    if not rare or not 0 < file.stat().st_size <= SMALL_BYTES:
        return frozenset()
    data = file.read_bytes()
    return frozenset(step for step in rare if not MARKS[step](data))
