"""Finds secrets and personal data in texts and puts placeholders in their place.

    text ─► suspects? ──none──► text as it is                        nearly all: 4 ns a character
              │ yes
              └─► each kind whose signs are there ─► again, until nothing is found any more

Digits of other scripts, wide letters and uncommon spaces are read as the plain ones they stand for.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from sightline.masking._kinds import GLANCE, Kind, Sign, Span, View, any_of, compiled

_ROUNDS_MAX: Final = 10  # what was hidden behind one find is found in the next round; more is an attack
_WORDS_WITHIN: Final = 48  # characters before a number in which its name must stand


class Placeholders:
    """Those of one span or record, typed and numbered: the same value gets the same one."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], str] = {}
        self._count: dict[str, int] = {}
        self._taken: set[str] = set()

    def leave_out(self, text: str) -> None:
        """Give none that this text has already, because it was masked before."""
        self._taken.update(PLACEHOLDER.findall(text))

    def of(self, kind: Kind, value: str) -> str:
        key = kind.name, kind.same(value)
        while key not in self._given:
            number = self._count[kind.name] = self._count.get(kind.name, 0) + 1
            placeholder = f"[{kind.name}_{number}]"
            if placeholder not in self._taken:
                self._given[key] = placeholder
        return self._given[key]


class Search:
    """Looks for these kinds, in this order."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        views = dict.fromkeys(sign.view for kind in kinds for sign in kind.signs)
        self._tests = [_test_of(view, kinds) for view in views]

    def suspects(self, text: str) -> Sequence[Kind]:
        """The kinds of which something may be in this well-formed text or in a part of it; mostly none."""
        folded = fold(text)
        data = folded.encode()
        glance = GLANCE.look(data)
        found: dict[int, Kind] = {}
        for may_show, look, passes, kinds in self._tests:
            if may_show(data, glance) and passes(seen := look(data)):
                found |= {
                    place: kind
                    for place, kind, signs in kinds
                    if any(sign.is_in(seen) for sign in signs)
                    and (not kind.hints or any(hint in folded for hint in kind.hints))
                }
        return [found[place] for place in sorted(found)] if found else ()

    def masked(
        self,
        text: str,
        suspects: Sequence[Kind],
        placeholders: Placeholders,
        check_time: Callable[[], None],
    ) -> str:
        """The well-formed text with what was found replaced.

        Raises what `check_time` raises, and ValueError for a text that would never be done.
        """
        if suspects and "_" in text:
            placeholders.leave_out(text)
        for _ in range(_ROUNDS_MAX):
            before, folded = text, fold(text)
            for kind in suspects:
                check_time()
                replaced = _replaced(text, folded, kind, placeholders)
                if replaced is not text:
                    text, folded = replaced, fold(replaced)
            if text is before:
                return text
            suspects = self.suspects(text)
        raise ValueError(f"a text was not done after {_ROUNDS_MAX} rounds of masking")


class _Test(NamedTuple):
    """What is looked for in one view: any sign at all, and then whose it is and its place in the order."""

    may_show: Callable[[bytes, bytes], bool]
    look: Callable[[bytes], bytes]
    passes: Callable[[bytes], bool]
    kinds: Sequence[tuple[int, Kind, Sequence[Sign]]]


def _test_of(view: View, kinds: Sequence[Kind]) -> _Test:
    signs = [[sign for sign in kind.signs if sign.view is view] for kind in kinds]
    own_kinds = [(place, kinds[place], own) for place, own in enumerate(signs) if own]
    return _Test(view.may_show, view.look, any_of(view, [sign for own in signs for sign in own]), own_kinds)


_DIGITS: Final = {
    chr(zero + value): str(value)
    for zero in (
        0x660, 0x6F0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0, 0xF20,
        0xFF10,
    )
    for value in range(10)
}  # fmt: skip
_SIGNS: Final = {
    **dict.fromkeys("\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000", " "),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-"),
    "\uff20": "@", "\uff0b": "+", "\uff0e": ".", "\uff1a": ":", "\uff1d": "=", "\uff0f": "/",
}  # fmt: skip
_WIDE: Final = {
    chr(first + letter): chr(first + letter - 0xFEE0) for first in (0xFF21, 0xFF41) for letter in range(26)
}
_FOLDED: Final = {**_DIGITS, **_SIGNS, **_WIDE}
_FOLDABLE: Final = re.compile(f"[{''.join(sorted(_FOLDED))}]")


def fold(text: str) -> str:
    """The text as it is read, character for character: a number in Arabic digits is the same number."""
    if text.isascii():
        return text
    return _FOLDABLE.sub(lambda found: _FOLDED[found.group()], text)


def _replaced(text: str, folded: str, kind: Kind, placeholders: Placeholders) -> str:
    """`text` itself when nothing of this kind is in it."""
    done = 0
    pieces: list[str] = []
    numbers = _JsonNumbers(folded)
    for start, end in _found(folded, kind):
        if start < done:
            continue
        placeholder = placeholders.of(kind, folded[start:end])
        pieces += text[done:start], f'"{placeholder}"' if numbers.has(start, end) else placeholder
        done = end
    return "".join([*pieces, text[done:]]) if pieces else text


def _found(folded: str, kind: Kind) -> Iterator[Span]:
    """What truly is of this kind; what another match is in already comes, too."""
    for match in compiled(kind.pattern).finditer(folded):
        start, end = match.span(match.lastindex or 0)
        if kind.words and not _is_near(folded[max(0, start - _WORDS_WITHIN) : start], kind.words):
            continue
        proved = kind.proof(folded, start, end)
        if proved is not None:
            yield proved


def _is_near(before: str, words: Sequence[str]) -> bool:
    lowered = PLACEHOLDER.sub("", before).casefold()  # theirs have names of kinds in them
    return any(word in lowered for word in words)


class _JsonNumbers:
    """Tells whether a find is a number of a JSON text, whose place only a JSON string can take."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._is_json = text[:1] in ("{", "[") and text[-1:] in ("}", "]")
        self._upto = 0
        self._quoted = False

    def has(self, start: int, end: int) -> bool:
        """Asked from left to right."""
        if not self._is_json or not self._text[start:end].isdigit():
            return False
        between = _ESCAPES.sub("", self._text[self._upto : start])
        self._quoted ^= between.count('"') % 2 == 1
        self._upto = start
        return not self._quoted and self._text[end : end + 20].lstrip()[:1] in (",", "]", "}")


PLACEHOLDER: Final = re.compile(r"\[[A-Z_]+_\d+\]", re.ASCII)
_ESCAPES: Final = re.compile(r"\\.")
