"""Secrets and personal data in a text: what they look like, and a cheap way to see that there are none.

    text ─► may_hold_secrets? ──no──────────────────────────────► text      nearly all: 2 ns a character
                 │ yes
                 └─► for each kind: hinted? ─► its pattern ─► placeholder   30 ns a character

The cheap tests ask for what a match cannot be without: a fixed text, or a run of so many characters of one
class. `bytes.translate` and `in` find those at the speed of memory, where a pattern goes step by step.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

_NOT_ASCII: Final = range(128, 256)  # bytes of letters and digits of other scripts, which \w and \d know too


@dataclass(frozen=True, slots=True)
class Run:
    """So many characters of one class in a row, when those to skip are left out."""

    table: bytes
    least: bytes
    skip: bytes = b""

    @classmethod
    def of(cls, characters: str, least: int, skip: str = "") -> "Run":
        members = {*characters.encode(), *_NOT_ASCII}
        table = bytes(ord("x") if byte in members else ord(" ") for byte in range(256))
        return cls(table, b"x" * least, skip.encode())

    def is_in(self, text: str) -> bool:
        return self.least in text.encode().translate(self.table, self.skip)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of secret or personal data. `run` and `hints`: without it, and one of them, there is none.

    Every repetition in `pattern` is bounded and starts at a fixed text or a word's edge, so that the time
    stays linear in the text.
    """

    name: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    confirm: Callable[[str], bool] = bool
    run: Run | None = None

    def may_be_in(self, text: str) -> bool:
        if self.run is not None and not self.run.is_in(text):
            return False
        return any(hint in text for hint in self.hints)


def _luhn(number: str) -> bool:
    """ISO/IEC 7812's check digit: tells a card number from nine in ten other long numbers."""
    digits = [int(digit) for digit in number if digit.isdigit()]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


_DIGITS: Final = "0123456789"
_WORD: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_" + _DIGITS
_CARD_RUN: Final = Run.of(_DIGITS, 13, skip=" -")
_KEY_RUN: Final = Run.of(_WORD + "-", 15)  # xoxb- and ten more
_OPAQUE_RUN: Final = Run.of(_WORD + "-.~+/", 15)  # any key, bearer token or JWT
_PRIVATE_KEY: Final = "PRIVATE KEY-----"

_KEY_HINTS: Final = (
    "sk-", "AIza", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "xox", "AKIA", "ASIA",
    "hf_", "gsk_", "glpat-", "k_live_", "npm_",
)  # fmt: skip
KINDS: Final = (
    Kind(
        "PRIVATE_KEY",
        (_PRIVATE_KEY,),
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,20000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
        ),
    ),
    Kind("JWT", ("eyJ",), re.compile(r"\beyJ[\w-]{8,4000}\.[\w-]{8,8000}\.[\w-]{8,2000}")),
    Kind(
        "SECRET",
        _KEY_HINTS,
        re.compile(
            r"\b(?:sk-[\w-]{16,300}|AIza[\w-]{35}|gh[pousr]_\w{30,255}|github_pat_\w{22,255}"
            r"|xox[abeoprs]-[\w-]{10,250}|(?:AKIA|ASIA)[A-Z0-9]{16}\b|hf_\w{30,100}|gsk_\w{40,100}"
            r"|glpat-[\w-]{20,100}|[rs]k_live_\w{16,120}|npm_\w{36}\b)"
        ),
        run=_KEY_RUN,
    ),
    Kind("TOKEN", ("earer ", "EARER "), re.compile(r"(?i:\bbearer) {1,5}[\w.~+/-]{16,4000}=*")),
    Kind(
        "EMAIL",
        ("@",),
        re.compile(r"(?<![\w.%+-])[\w.%+-]{1,128}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
    ),
    Kind(
        "CARD",
        ("2", "3", "4", "5", "6"),
        re.compile(r"(?<![\w.-])[2-6]\d{3}(?:[ -]?\d){9,12}(?![\w-])"),
        confirm=_luhn,
        run=_CARD_RUN,
    ),
)


def may_hold_secrets(text: str) -> bool:
    """False when there is surely nothing to find in this well-formed text, nor in any part of it."""
    return "@" in text or _OPAQUE_RUN.is_in(text) or _CARD_RUN.is_in(text) or _PRIVATE_KEY in text


def without_secrets(text: str) -> str:
    """The text with each secret replaced by the name of its kind."""
    if may_hold_secrets(text):
        for kind in KINDS:
            if kind.may_be_in(text):
                text = kind.pattern.sub(partial(_placeholder, kind), text)
    return text


def _placeholder(kind: Kind, found: re.Match[str]) -> str:
    return f"[{kind.name}]" if kind.confirm(found.group()) else found.group()
