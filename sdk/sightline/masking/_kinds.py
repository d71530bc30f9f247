r"""What a kind of secret or personal data is: how it is seen, how it is found, what proves it.

    text ──► signs: can there be one? ──no──► done          nearly all texts
               │ yes
               └─► pattern ─► proof: does the check digit hold? ─► found

A sign is looked for in a view: the text with each character replaced by its class, and most left out. Views
are made at the speed of memory, and little is left to look through.

    text    Ann paid 12.50 by card 4111-1111-1111-1111, password: "x"
    SHAPES  Asad00s00sbcad0000s0000s0000s0000,sad:s""  digits, capitals, what is around them
    WORDS   by card 4111-1111-1111-1111                 long ones, which keys are, and what is before them
    NAMES   dycrd----sswrd=                             enough of password, secret, key, token, cookie
"""

import functools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from typing import Final

Span = tuple[int, int]


class View:
    """A text's bytes by their class, without those that say nothing; signs in it begin with `start`."""

    start = b""

    def __init__(
        self, classes: dict[str, str], left_out: str = "", others: str = "", start: bytes = b""
    ) -> None:
        """`classes` are characters by what stands for them, `others` for all else ('': each itself)."""
        table = [ord(others) if others else byte for byte in range(256)]
        for sign, members in classes.items():
            for member in members:
                table[ord(member)] = ord(sign)
        self._table, self._left_out, self.start = bytes(table), left_out.encode(), start

    def look(self, text: bytes) -> bytes:
        return text.translate(self._table, self._left_out)

    def may_show(self, text: bytes, glance: bytes) -> bool:
        """False when there is surely no sign: `glance` is what GLANCE shows of the text."""
        return True


class _Shapes(View):
    """Whatever number it is, it leaves a trace when all that may stand in it but dashes is gone."""

    def may_show(self, text: bytes, glance: bytes) -> bool:
        return _NUMBER(glance) is not None


class _Names(View):
    """A secret and a pass(phrase) have no rare letter, so they are looked for by their ends."""

    def may_show(self, text: bytes, glance: bytes) -> bool:
        if b"=" not in glance:
            return False
        return (
            _NAME(glance) is not None
            or _SECRET_COLON(text) is not None
            or (b"=" in text and _SECRET_EQUALS(text) is not None)
        )


class _Whole(View):
    """All of it, where one of the marks is that are looked for there."""

    def may_show(self, text: bytes, glance: bytes) -> bool:
        return b"@" in glance or b"+" in glance or b"%" in glance

    def look(self, text: bytes) -> bytes:
        return text


class _Capitals(_Whole):
    """All of it, where there are capitals in a row."""

    def may_show(self, text: bytes, glance: bytes) -> bool:
        return _CAPITALS in glance


class _Lists(_Whole):
    """All of it, where a list in JSON begins with a text."""

    def may_show(self, text: bytes, glance: bytes) -> bool:
        return b"[q" in glance


_CAPITALS: Final = b"A" * 10  # PRIVATE KEY
_NUMBER: Final = re.compile(rb"000(?:0(?:0{5}|00s?A|(?<=s0{4}))|A(?<=A00A000A))").search
# The rare letters of password, key, token, cookie, signature, authorization, or a capital, and no other name.
# Those two end so, with nothing, one sign, or several between them and what assigns.
_ENDING: Final = (
    rb"%b(?:(?<=[tse][\"'\\\s]%b)(?<=(?:ret|ass|ase).%b)|(?<=[tse]%b)(?<=(?:ret|ass|ase)%b)"
    rb"|(?<=[\"'\\\s][\"'\\\s]%b))"
)
_SECRET_COLON: Final = re.compile(_ENDING.replace(b"%b", b":"), re.DOTALL).search
_SECRET_EQUALS: Final = re.compile(_ENDING.replace(b"%b", b"="), re.DOTALL).search
_NAME: Final = re.compile(rb"=(?:(?<=[wkgzA]=)|(?<=[wkgzA]q=))").search


class _Words(View):
    """Of a text only the long words, each with a little of what stands before it, very long ones marked."""

    def look(self, text: bytes) -> bytes:
        seen = text.translate(self._table)
        if seen.rfind(_LONG) < 0:  # faster than from the left, where there is none
            return b""
        words, end = [b""], 0
        while (begin := seen.find(_LONG, end)) >= 0:
            end = seen.find(b" ", begin)
            end = len(seen) if end < 0 else end
            words.append(text[max(0, begin - _BEFORE) : end])
            if end - begin >= _VERY_LONG:
                words.append(_MARK)
        return b"\n".join(words)


_BEFORE: Final = len("bearer ")
_VERY_LONG: Final = 40  # as long as AWS's secret keys
_MARK: Final = b"\x00"
_LONG: Final = b"x" * 15  # the shortest key that is known by its first letters: xoxb- and ten more
_TELLING: Final = "wdkycrtzsg"
_GLANCED: Final = ascii_uppercase + 'wkgz-=:"[@+%'
_NOT_HEX: Final = ascii_lowercase[6:]  # a to f stay, or the digits of a checksum would come together
SHAPES: Final = _Shapes(
    {"0": digits, "A": ascii_uppercase, "s": " .-"}, left_out=_NOT_HEX, start=rb"0(?<!00)0*+"
)
WORDS: Final = _Words({"x": ascii_letters + digits + "_-.~+/"}, others=" ")
NAMES: Final = _Names(
    {"=": ":", **{letter: letter.upper() for letter in _TELLING}},
    left_out="".join(chr(code) for code in range(128) if chr(code).lower() not in f"{_TELLING}=:"),
    start=b"=",
)
TEXT: Final = _Whole({})
CAPITALS: Final = _Capitals({})
LISTS: Final = _Lists({}, start=rb'\["')
# What little of each view decides whether it is worth a look. Leaving out nearly everything is fast: a
# processor guesses right what comes next.
GLANCE: Final = View(
    {"0": digits, "A": ascii_uppercase, "s": "-", "=": ":", "q": '"'},
    left_out="".join(
        chr(code) for code in range(128) if not chr(code).isdigit() and chr(code) not in _GLANCED
    ),
)


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that a view shows of a text; `pattern` goes on where the view's `start` ends."""

    view: View
    pattern: bytes

    def is_in(self, seen: bytes) -> bool:
        if not self.view.start:
            return self.pattern in seen
        return _search(self.view.start + self.pattern)(seen) is not None


VERY_LONG_WORD: Final = Sign(WORDS, _MARK)


def any_of(view: View, signs: Iterable[Sign]) -> Callable[[bytes], bool]:
    """A fast test for several signs of one view."""
    patterns = sorted({sign.pattern for sign in signs})
    if view.start:
        search = _search(view.start + b"(?:%b)" % b"|".join(patterns))
        return lambda seen: search(seen) is not None

    def test(seen: bytes) -> bool:
        if seen:
            for pattern in patterns:  # any() takes twice as long
                if pattern in seen:
                    return True
        return False

    return test


@functools.cache
def _search(pattern: bytes) -> Callable[[bytes], re.Match[bytes] | None]:
    return re.compile(pattern).search


Proof = Callable[[str, int, int], Span | None]


def unproven(text: str, start: int, end: int) -> Span:
    """What looks like it is it."""
    return start, end


def proven(test: Callable[[str], bool]) -> Proof:
    """What looks like it is it when it passes this test."""
    return lambda text, start, end: (start, end) if test(text[start:end]) else None


def as_written(text: str) -> str:
    """Two of these are the same when they are written the same way."""
    return text


def as_number(text: str) -> str:
    """Two of these are the same when their digits and letters are, whatever stands between them."""
    return "".join(filter(str.isalnum, text)).upper()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind, or one way to write it; `name` stands in its placeholder.

    pattern   of a match, what is replaced is the group that took part, if there is one
    signs     without one of these there is none
    hints     nor without one of these, where there are any
    words     nor without one of these shortly before it, in any case
    proof     where in the text it truly is; None when it only looked like it
    same      two values that give the same here get the same number

    A pattern's time is linear in the text: it begins with a fixed text or at the edge of a word, and what it
    has read once it does not read again from the next place.
    """

    name: str
    pattern: str
    signs: tuple[Sign, ...]
    hints: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    proof: Proof = unproven
    same: Callable[[str], str] = as_written


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when first needed: all of them take longer than a program's start may."""
    return re.compile(pattern, re.ASCII)


def word(first: str, rest: str, inner: str = r"\w") -> str:
    r"""A pattern that begins where a word of `inner` characters does; in JSON also after an escape: `\n4111`.

    The edge is checked after the first character, so that all others are passed over quickly.
    """
    return rf"{first}(?:(?<![{inner}].)|(?<=\\[nrtbf].)|(?<=\\u[0-9A-Fa-f]{{4}}.)){rest}"
