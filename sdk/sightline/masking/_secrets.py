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

# By its first letters: what follows them in a key.
_KEYS: Final = {
    "AIza": r"[\w-]{35,}", "ya29.": r"[\w-]{20,}", "GOCSPX-": r"[\w-]{20,}",  # Google
    "ghp_": r"\w{30,}", "gho_": r"\w{30,}", "ghu_": r"\w{30,}", "ghs_": r"\w{30,}", "ghr_": r"\w{30,}",
    "github_pat_": r"\w{22,}",
    "glpat-": r"[\w-]{20,}", "gldt-": r"[\w-]{20,}", "glrt-": r"[\w-]{20,}",  # GitLab
    "xoxa-": r"[\w-]{10,}", "xoxb-": r"[\w-]{10,}", "xoxe-": r"[\w-]{10,}", "xoxo-": r"[\w-]{10,}",  # Slack
    "xoxp-": r"[\w-]{10,}", "xoxr-": r"[\w-]{10,}", "xoxs-": r"[\w-]{10,}", "xapp-": r"[\w-]{20,}",
    "AKIA": r"[A-Z0-9]{16}(?!\w)", "ASIA": r"[A-Z0-9]{16}(?!\w)",  # AWS
    "sk_live_": r"\w{16,}", "rk_live_": r"\w{16,}", "sk_test_": r"\w{16,}",  # Stripe
    "whsec_": r"[\w+/]{24,}",
    "hf_": r"[A-Za-z0-9]{30,}",  # Hugging Face
    "gsk_": r"[A-Za-z0-9]{40,}",  # Groq
    "xai-": r"[A-Za-z0-9]{40,}",
    "pplx-": r"[A-Za-z0-9]{40,}",  # Perplexity
    "r8_": r"[A-Za-z0-9]{36,}",  # Replicate
    "nvapi-": r"[\w-]{40,}",  # NVIDIA
    "tvly-": r"[\w-]{20,}",  # Tavily
    "pcsk_": r"\w{30,}",  # Pinecone
    "lsv2_": r"\w{30,}",  # LangSmith
    "npm_": r"[A-Za-z0-9]{36}(?!\w)",
    "pypi-": r"AgE[\w-]{50,}",
    "dckr_pat_": r"[\w-]{20,}",  # Docker
    "dop_v1_": r"[a-f0-9]{64}",  # DigitalOcean
    "dapi": r"[a-f0-9]{32}(?!\w)",  # Databricks
    "SG.": r"[\w-]{16,}\.[\w-]{16,}",  # SendGrid
    "SK": r"[a-f0-9]{32}(?!\w)",  # Twilio
    "shpat_": r"[a-fA-F0-9]{32}",  # Shopify
    "hvs.": r"[\w-]{24,}",  # Vault
    "glsa_": r"\w{32,}", "glc_": r"[\w+/]{32,}",  # Grafana
    "NRAK-": r"[A-Z0-9]{27}",  # New Relic
    "lin_api_": r"\w{32,}",  # Linear
    "ntn_": r"[A-Za-z0-9]{40,}",  # Notion
    "ATATT3": r"[\w=-]{50,}",  # Atlassian
    "PMAK-": r"[a-f0-9]{24}-[a-f0-9]{34}",  # Postman
    "sq0csp-": r"[\w-]{40,}", "sq0atp-": r"[\w-]{22,}",  # Square
    "AGE-SECRET-KEY-1": r"[A-Z0-9]{58}",
}  # fmt: skip


def _by_first_letters(first: str, rest: str) -> Kind:
    return Kind("SECRET", word(first[0], re.escape(first[1:]) + rest), (Sign(WORDS, first.encode()),))


def _is_random(text: str) -> bool:
    """Whether it was drawn: `sk-loading-spinner-dot` is the name of a style, not a key."""
    return any(char.isdigit() or char.isupper() for char in text)


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


def _after(name: str, test: Callable[[str], bool] = bool) -> Proof:
    """Proves a value by the name before it, and this test."""
    named = re.compile(rf"{name}\Z")

    def proof(text: str, start: int, end: int) -> Span | None:
        before = text[max(0, start - _NAME_MAX) : start]
        return (start, end) if named.search(before) and test(text[start:end]) else None

    return proof


# Found by what stands between name and value, for names are looked for more slowly; they end so:
_LAST: Final = "[DENTYdenty]"
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
_BETWEEN: Final = r"\\{0,7}[\"']?\s{0,4}[:=]\s{0,4}\\{0,7}[\"']"
_VARIABLE: Final = r"=(?<=[A-Z]=)(?![\[<$%{*(])([^\s\"'\\;&|()\[\]{}<>$]{6,})(?![(\[{])"
_VALUE: Final = r"(?!\[)([^&\s\"'<>#\\;,()\[\]}]++)(?![(\[])"  # in an address; what is masked already stays


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
        Kind(kind, rf"(?:[?&#][\w.-]{{0,40}}?|\\u0026){name}={_VALUE}", signs),
        Kind(kind, phrase, signs, proof=proven(_is_value)),
        Kind(kind, _SPOKEN, signs, proof=_after(rf"{name}:\s{{1,4}}", _is_drawn)),
        Kind(kind, _VARIABLE, signs, proof=_after(f"(?:{names.upper()})=", _is_value)),
    )


def _name(ends: str) -> Sign:
    """The last telling letters of a name that has a value after it."""
    return Sign(NAMES, b"(?<=%b=)" % ends.encode())


_PASSWORDS: Final = "password|passwd|pwd"
_PASSWORD_SIGNS: Final = (_name("wrd"), _name("wd"))
_SECRETS: Final = (
    "api[_-]?key|access[_-]?key|secret[_-]?key|account[_-]?key|private[_-]?key|signing[_-]?key"
    "|subscription[_-]key|secret|access[_-]?token|refresh[_-]?token|auth[_-]?token|id[_-]?token"
    "|security[_-]?token|api[_-]?token|set-cookie|cookie"
)
_SECRET_SIGNS: Final = (_name("ky"), _name("crt"), _name("tk"), _name("ck"))
_IN_ADDRESSES: Final = "key|token|sig|signature"  # elsewhere these words are too common
_ADDRESS_SIGNS: Final = (_name("ky"), _name("tk"), _name("sg"), _name("sgtr"))

SECRET_KINDS: Final = (
    Kind(
        "PRIVATE_KEY",
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----[^-\"'<>{}]*+(?:-(?!----)[^-\"'<>{}]*+)*+"
        r"(?:-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----)?",
        (Sign(CAPITALS, b"PRIVATE KEY"),),
        ("-----BEGIN ",),
    ),
    Kind("JWT", word("e", r"yJ[\w-]{8,}+(?:\.[\w-]*+){2,4}", r"\w-"), (Sign(WORDS, b"eyJ"),)),
    Kind("SECRET", word("s", r"k-[\w-]{16,}"), (Sign(WORDS, b"sk-"),), proof=proven(_is_random)),
    *(_by_first_letters(first, rest) for first, rest in _KEYS.items()),
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
        r"(?i:authorization)[\"'\\ ]{0,5}[:=][\"'\\ ]{0,5}(?:(?i:basic|bearer|token) {1,5})?+"
        r"(?![\[<$%{*])([\w.~+/-]{6,}+=*)",
        (_name("trzt"),), proof=proven(_is_random),
    ),
    Kind(
        "PASSWORD", r"://(?![\[{$%])([^\s/?#\"'<>\\:]*:[^\s/?#\"'<>\\]+)@", (Sign(TEXT, b"@"),), ("://",),
    ),
    Kind("SECRET", r"(?i:cookie): {0,4}([\w.-]{1,100}=[^\r\n\"'\\]+)", (_name("ck"),)),
    *_named("PASSWORD", _PASSWORDS, _PASSWORD_SIGNS),
    *_named("SECRET", _SECRETS, _SECRET_SIGNS),
    Kind("SECRET", rf"[?&#][\w.-]{{0,40}}?(?i:{_IN_ADDRESSES})={_VALUE}", _ADDRESS_SIGNS),
)  # fmt: skip
