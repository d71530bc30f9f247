"""Secrets of programs: keys, tokens, passwords, and how each gives itself away.

Most providers begin their keys with letters of their own; what has none is known by the name beside it.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final

from sightline.masking._kinds import (
    CAPITALS,
    LISTS,
    NAMES,
    TEXT,
    VERY_LONG_WORD,
    WORDS,
    Kind,
    Proof,
    Sign,
    Span,
    proven,
    word,
)
from sightline.masking._provider_keys import PROVIDER_KEYS
from sightline.masking._secret_names import COMMON, HEADERS, IN_ADDRESSES, PASSWORDS, SECRETS


def _by_first_letters(first: str, rest: str) -> Kind:
    return Kind("SECRET", word(first[0], re.escape(first[1:]) + rest), (Sign(WORDS, first.encode()),))


def _is_random(text: str) -> bool:
    """Whether it was drawn: `sk-loading-spinner-dot` is the name of a style, not a key."""
    return any(char.isdigit() or char.isupper() for char in text)


def _is_drawn_key(text: str) -> bool:
    """Whether it has a digit or a long part with capitals: `sk-learn-pipeline-abc-D` has neither."""
    longest = max(text.split("-"), key=len)
    return any(map(str.isdigit, text)) or (len(longest) >= _PART_MIN and _is_random(longest))


def _is_base64_key(text: str) -> bool:
    """Whether it is no checksum: those are written in hexadecimal, with letters of one case."""
    return text.lower() != text and text.upper() != text and any(char.isdigit() for char in text)


def _is_user_and_password(text: str) -> bool:
    """Whether it is base64 of `user:password`: "Basic understanding" is none."""
    bare = text.rstrip("=")
    try:
        return b":" in base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except binascii.Error:
        return False


_PART_MIN: Final = 16
_CODE_MIN: Final = 6
_NAME_MAX: Final = 80  # with what stands between a name and its value
# A password may have points in it, so only what code is usually given its settings by is taken for code.
_REFERENCE: Final = re.compile(
    r"(?:app|args|cfg|cls|conf|config|context|ctx|env|environ|options|opts|os|params|process|secrets|self|settings"
    r"|this)(?:\.[A-Za-z_]\w*)+",
    re.IGNORECASE,
)


def _is_value(text: str) -> bool:
    """Whether it is no name in code, as `api_key=settings.api_key`, and no folder, as `PWD=/root`."""
    return _REFERENCE.fullmatch(text) is None and not text.startswith(("/", "~"))


def _is_drawn(text: str) -> bool:
    """Whether it has letters and digits: `password: required` gives nothing away."""
    return any(map(str.isdigit, text)) and any(map(str.isalpha, text))


def _is_code(text: str) -> bool:
    """Whether it is one long word with letters and digits: neither a token of a model nor a result."""
    return len(text) >= _CODE_MIN and _is_drawn(text) and not any(map(str.isspace, text))


def _is_no_word(text: str) -> bool:
    """Whether it is no plain word and no small number: `?monkey=banana` and `?primarykey=3` are."""
    if text.isdigit():
        return len(text) >= _CODE_MIN
    return len(text) >= _PART_MIN or (len(text) > 3 and _is_random(text))


def _after(name: str, test: Callable[[str], bool] = bool) -> Proof:
    """Proves a value by the name before it, and this test."""
    named = re.compile(rf"{name}\Z")

    def proof(text: str, start: int, end: int) -> Span | None:
        before = text[max(0, start - _NAME_MAX) : start]
        return (start, end) if named.search(before) and test(text[start:end]) else None

    return proof


# Found by what stands between name and value, for names are looked for more slowly; they end so:
_LAST: Final = "[DENSTYdensty]"
_WRITTEN: Final = (
    rf"\"(?<={_LAST}\")\s{{0,4}}:\s{{0,4}}\"(?!\[)((?:[^\"\\\n]|\\.)++)\""  # "password": "x"
    rf"|'(?<={_LAST}')\s{{0,4}}:\s{{0,4}}'(?!\[)((?:[^'\\\n]|\\.)++)'"
    r"|\\\"\s{0,4}:\s{0,4}\\{1,7}\"(?!\[)([^\"\\\n]+)"  # the same in JSON in JSON
    rf"|=(?:(?<={_LAST}=)|(?<={_LAST} =))\s{{0,4}}\\{{0,3}}[\"']"  # password = "x"
    r"(?![\[<${%])([^\s\"'\\]{4,}+)(?=\\{0,3}[\"'])"
)
_SPOKEN: Final = (
    rf":(?<={_LAST}:)\s{{1,4}}(?![\[<$%{{*(])([^\s\"'\\<>,;(){{}}\[\]]{{6,}}+)(?![(\[])"  # password: x
)
# "password": 123456, ["x", "y"] and {"value": "x"}: from the first text to the last, so that JSON stays JSON.
_TEXT: Final = r"(?!\[)((?:[^\"\\\n]|\\.)++(?:\"\s{0,4}[,:]\s{0,4}\"(?:[^\"\\\n]|\\.)*+)*+)\""
_KEY: Final = r"\"(?!type\"|title\"|description\"|\$)[^\"\\\n]{0,30}\"\s{0,4}:"  # not of a schema
_STRUCTURED: Final = (
    rf"\"(?<={_LAST}\")\s{{0,4}}:\s{{0,4}}"
    rf"(?:(\d{{3,}}+)(?![\w.])|(?:\[|\{{\s{{0,4}}{_KEY})\s{{0,4}}\"{_TEXT})"
)
_BEFORE: Final = rf"\"\s{{0,4}}:\s{{0,4}}(?:(?:\[|\{{\s{{0,4}}{_KEY})\s{{0,4}}\")?"
_BETWEEN: Final = r"\\{0,7}[\"']?\s{0,4}[:=]\s{0,4}\\{0,7}[\"']"
_VARIABLE: Final = r"=(?<=[A-Z]=)(?![\[<$%{*(])([^\s\"'\\;&|()\[\]{}<>$]{6,})(?![(\[{])"
_NOTHING: Final = r"(?!(?i:none|null|true|false)(?![^&\s\"'<>#\\;,()\[\]}]))"
# In an address; what is masked already stays.
_VALUE: Final = rf"(?!\[){_NOTHING}([^&\s\"'<>#\\;,()\[\]}}]++)(?![(\[])"


def _named(kind: str, names: str, signs: tuple[Sign, ...]) -> tuple[Kind, ...]:
    """Values beside a name that says what they are: as JSON or code, in addresses and connection strings, and
    in environments.
    """
    name = f"(?i:{names})"
    phrase = (
        rf"(?:\A[\w.-]{{0,40}}?|=[^\s=,;]{{1,100}} ){name}={_VALUE}"  # user=app password=x
        rf"|;[ \w.-]{{0,40}}?{name} ?= ?{_VALUE}"  # User Id=app; Password=x
    )
    return (
        Kind(kind, _WRITTEN, signs, proof=_after(name + _BETWEEN)),
        Kind(kind, _STRUCTURED, signs, proof=_after(name + _BEFORE)),
        Kind(kind, rf"(?:[?&#][\w.-]{{0,40}}?|\\u0026){name}={_VALUE}", signs),
        Kind(kind, phrase, signs, proof=proven(_is_value)),
        Kind(kind, _SPOKEN, signs, proof=_after(rf"{name}:\s{{1,4}}", _is_drawn)),
        Kind(kind, _VARIABLE, signs, proof=_after(f"(?:{names.upper()})=", _is_value)),
    )


def _name(ends: str) -> Sign:
    """The last telling letters of a name that has a value after it."""
    return Sign(NAMES, b"(?<=%b=)" % ends.encode())


_PASSWORD_SIGNS: Final = (_name("wrd"), _name("wd"), _name("wrdcrt"), _name("ssrs"))
_SECRET_SIGNS: Final = (_name("ky"), _name("crt"), _name("tk"), _name("ck"))
_COMMON_SIGNS: Final = (_name("tk"), _name("ss"))
_ADDRESS_SIGNS: Final = (_name("ky"), _name("tk"), _name("sg"), _name("sgtr"))

SECRET_KINDS: Final = (
    Kind(
        "PRIVATE_KEY",
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----[^-\"'<>{}]*+(?:-(?!----)[^-\"'<>{}]*+)*+"
        r"(?:-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----)?",
        (Sign(CAPITALS, b"PRIVATE KEY"),),
        ("-----BEGIN ",),
    ),
    Kind("JWT", word("e", r"yJ(?=[\w.-]{12})[\w-]{8,}+(?:\.[\w-]*+){2,4}", r"\w-"), (Sign(WORDS, b"eyJ"),)),
    Kind("SECRET", word("s", r"k-[\w-]{16,}"), (Sign(WORDS, b"sk-"),), proof=proven(_is_drawn_key)),
    *(_by_first_letters(first, rest) for first, rest in PROVIDER_KEYS.items()),
    Kind(
        "SECRET", r"hooks\.slack\.com/services/(T\w{6,}/B\w{6,}/\w{16,})",
        (Sign(WORDS, b"hooks.slack.com/services/"),),
    ),
    Kind(
        "SECRET", word("[A-Za-z0-9/+]", r"[A-Za-z0-9/+]{39}(?![\w/+=])", r"\w/+="), (VERY_LONG_WORD,),
        ("aws", "AWS", "ecret", "ECRET"), ("aws", "secret"), proven(_is_base64_key),
    ),
    Kind(
        "SECRET", word("[0-9a-f]", r"[0-9a-f]{31}(?!\w)"), (_name("ky"), _name("tk")),
        words=("auth_token", "auth token", "authtoken", "api_key", "api key", "apikey", "api-key"),
    ),
    Kind(
        "TOKEN", word("[Bb]", r"(?i:earer) {1,5}(?!\[)([\w.~+/-]{16,}+=*)"),
        (Sign(WORDS, b"earer "), Sign(WORDS, b"EARER ")),
    ),
    Kind(
        "TOKEN", word("[Bb]", r"(?i:asic) {1,5}([A-Za-z0-9+/]{16,}+={0,2})"),
        (Sign(WORDS, b"asic "), Sign(WORDS, b"ASIC ")), proof=proven(_is_user_and_password),
    ),
    Kind(
        "TOKEN",
        r"(?i:authorization)[\"'\\ ]{0,5}[:=][\"'\\ ]{0,5}(?:(?:(?i:basic|bearer|token) {1,5})"
        r"(?![\[<$%{*])([\w.~+/-]{3,}+=*)|(?!(?i:basic|bearer|token) )(?![\[<$%{*])([\w.~+/-]{6,}+=*))",
        (_name("trzt"),), proof=proven(_is_random),
    ),
    Kind(
        "PASSWORD", r"://(?![\[{$%])([^\s/?#\"'<>\\:]*:[^\s/?#\"'<>\\]+)@", (Sign(TEXT, b"@"),), ("://",),
    ),
    Kind("SECRET", r"(?i:cookie): {0,4}([\w.-]{1,100}=[^\r\n\"'\\]+)", (_name("ck"),)),
    Kind(
        "SECRET", rf"\[\"(?:[\w.-]{{0,40}}?)(?i:{PASSWORDS}|{SECRETS}|{HEADERS})\",\s?\"{_TEXT}",
        (Sign(LISTS, rb'[\w.-]{2,80}(?<=[DENTYdenty])",'),),
    ),
    *_named("PASSWORD", PASSWORDS, _PASSWORD_SIGNS),
    *_named("SECRET", SECRETS, _SECRET_SIGNS),
    Kind(
        "SECRET", _WRITTEN, _COMMON_SIGNS,
        proof=_after(rf"(?<![A-Za-z])(?i:{COMMON}){_BETWEEN}", _is_code),
    ),
    Kind("SECRET", rf"[?&#](?i:{IN_ADDRESSES})={_VALUE}", _ADDRESS_SIGNS),
    Kind(
        "SECRET", rf"[?&#][\w.-]{{0,40}}?(?i:{IN_ADDRESSES})={_VALUE}", _ADDRESS_SIGNS,
        proof=proven(_is_no_word),
    ),
)  # fmt: skip
