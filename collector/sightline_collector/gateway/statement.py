"""Takes a statement's tail apart: SELECT ... SETTINGS a = 1 FORMAT JSON. Pure.

It reads the engine's own spelling of a statement (formatQuerySingleLine): no comments, one space between
words, strings in '', odd names in ``, nothing after the end. What it leaves is judged and run; so a mistake
here could spoil an answer, but never let something pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_VALUE = r"(?:-?[\d.]+(?:e[+-]?\d+)?|true|false|'[^'\\]*')"
_SETTING = rf"\w+ = {_VALUE}"
_SETTINGS = re.compile(rf" SETTINGS ({_SETTING}(?:, {_SETTING})*)$")
_ONE_SETTING = re.compile(rf"(\w+) = ({_VALUE})")
_FORMAT = re.compile(r" FORMAT (`?)(\w+)\1$")

QUOTED = re.compile(r"'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.|``)*`", re.DOTALL)
"""A text or an odd name."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What reads, the output format it names (None: the request's), its settings, what content it shows."""

    body: str
    format: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    content: str = ""


def take_apart(spelled: str) -> Statement:
    """Part the tail from a statement in the engine's own spelling."""
    rest, last = _without_settings(spelled)
    found = _FORMAT.search(rest)
    if found is None:
        return Statement(rest, None, last)
    rest, first = _without_settings(rest[: found.start()])
    return Statement(rest, found[2], first | last)


def _without_settings(text: str) -> tuple[str, dict[str, str]]:
    found = _SETTINGS.search(text)
    if found is None:
        return text, {}
    settings = {name: value.strip("'") for name, value in _ONE_SETTING.findall(found[1])}
    return text[: found.start()], settings


def has_word(spelled: str, word: str) -> bool:
    """True when a word in capitals, as the engine spells its own, stands outside of all quotes."""
    return re.search(rf"\b{word}\b", QUOTED.sub("''", spelled)) is not None


def has_odd_names(spelled: str) -> bool:
    """True when a quoted name holds what must be escaped, such as a line's end.

    The engine prints a statement's tree without escaping names: such a name could fake a line of it.
    """
    return any(name[0] == "`" and "\\" in name for name in QUOTED.findall(spelled))
