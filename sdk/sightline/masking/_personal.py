"""Personal data with a form of its own: addresses, cards, accounts, and numbers that states give to people.

Numbers are believed for their check digits. Where those let through too many that are something else (an
order's, an invoice's), a number must be written in its usual groups, or have its name shortly before it.
"""

import ipaddress
import re
from typing import Final

from sightline.masking._check_digits import (
    iban_in,
    is_aadhaar,
    is_bsn,
    is_card,
    is_codice_fiscale,
    is_cpf,
    is_dni,
    is_nir,
    is_pesel,
    is_tax_id,
)
from sightline.masking._kinds import SHAPES, TEXT, Kind, Sign, Span, as_number, proven, word


def _after(first: bytes, rest: bytes) -> Sign:
    """The end of a number's first group of digits, and what comes after it."""
    return Sign(SHAPES, b"(?<=%b)%b" % (first, rest))


_NINE_DIGITS: Final = _after(b"0" * 9, b"")
_FOURS: Final = _after(b"0000", b"s0000s0")
_CARD_OF_15: Final = _after(b"0000", b"s0{6}")
_THREES: Final = _after(b"00", b"s000s000")
_THREE_TWO_FOUR: Final = _after(b"000", b"s00s0000")
_TWOS: Final = _after(b"0", b"s00s00s0")
_TWOS_AND_LETTER: Final = (_after(b"A00", b"s00s00s?A"), _after(b"As00", b"s00s00s?A"))
_LETTER: Final = _after(b"0" * 6, b"s?A")
_THREE_THREE_FOUR: Final = _after(b"000", rb"\)?s?000s0000")
_FISCAL_CODE: Final = _after(b"00", b"A00A000A")
_PLUS: Final = Sign(TEXT, b"+")

# A comma before a digit is what parts a row's fields more often than a number's fraction.
_END: Final = r"(?![\w-]|\.\d)"
_FILE: Final = r"(?i:png|jpe?g|gif|webp|svg|css|html)(?![\w-])"  # image@2x.png; nobody has these domains
_DOMAIN: Final = (
    rf"(?u:[^\W_][\w-]{{0,62}}(?:\.[\w-]{{1,63}}){{0,7}}\.(?!{_FILE})"
    r"(?:[^\W\d_]{2,24}|xn--[\w-]{1,59})(?![\w-]))"
)
_LOCAL_MAX: Final = 256  # RFC 5321 allows 64; what is longer is no reason to let the rest go
_LOCAL: Final = re.compile(r"[\w.%+'-]+")
_ESCAPED: Final = re.compile(r"[nrtbf]|u[0-9A-Fa-f]{4}")
_NOT_PEOPLE: Final = frozenset({"git", "hg", "svn"})  # git@github.com:owner/name


def _address(text: str, start: int, end: int) -> Span | None:
    """What stands before an @ and its domain, if it can be somebody's name."""
    found = _LOCAL.match(text[max(0, start - _LOCAL_MAX) : start][::-1])
    if found is None:
        return None
    begin = start - found.end()
    if text[begin - 1 : begin] == "\\" and (escape := _ESCAPED.match(text, begin, start)):
        begin = escape.end()
    local = text[begin:start].lstrip("'.")  # a quote that opens is no part of it
    return (start - len(local), end) if local and local not in _NOT_PEOPLE else None


def _iban(text: str, start: int, end: int) -> Span | None:
    """Found by its two digits; its country stands before them."""
    begin = start - 2
    found = iban_in(text[begin:end])
    after = text[begin + len(found) : begin + len(found) + 1]
    if not found or after.isalnum() or not _EDGE.search(text, max(0, begin - _EDGE_MAX), begin):
        return None
    return begin, begin + len(found)


_EDGE_MAX: Final = 6
_EDGE: Final = re.compile(r"(?:\A|\W|\\[nrtbf]|\\u[0-9A-Fa-f]{4})\Z")
_UNASSIGNED: Final = frozenset({"28", "83", "89"})  # beginnings of country codes that nobody has
_DATE: Final = re.compile(r"\+\d{4}-\d\d-\d\d")  # an added line of a patch


def _is_phone(text: str) -> bool:
    digits = as_number(text)
    if not 9 <= len(digits) <= 15 or _DATE.match(text):
        return False
    if digits[0] == "1":  # North America: ten digits more, area and exchange from 200 on
        return len(digits) == 11 and digits[1] > "1" and digits[4] > "1"
    return digits[:2] not in _UNASSIGNED


def _is_public_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def _number(rest: str, first: str = r"\d") -> str:
    """A number that is part of no longer one, of no word, and of no decimal fraction."""
    return word(first, rest + _END, r"\w.-")


_SSN: Final = r"(?!000|666|9)\d"  # areas that were never given

PERSONAL_KINDS: Final = (
    Kind("EMAIL", f"@{_DOMAIN}", (Sign(TEXT, b"@"),), proof=_address, same=str.casefold),
    Kind("EMAIL", f"%40{_DOMAIN}", (Sign(TEXT, b"%"),), ("%40",), proof=_address, same=str.casefold),
    Kind(
        "CARD", _number(r"\d{3}(?:[ -]?\d){9,12}", "[2-6]"),
        (_NINE_DIGITS, _FOURS, _CARD_OF_15), proof=proven(is_card), same=as_number,
    ),
    Kind(
        "IBAN", r"\d\d(?<=[A-Za-z]{2}\d\d)(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?",
        (_NINE_DIGITS, _FOURS), proof=_iban, same=as_number,
    ),
    Kind(
        "US_SSN", _number(r"\d\d-(?!00)\d\d-(?!0000)\d{4}", _SSN), (_THREE_TWO_FOUR,),
        same=as_number,
    ),
    Kind(
        "US_SSN", _number(r"\d\d ?(?!00)\d\d ?(?!0000)\d{4}", _SSN), (_NINE_DIGITS, _THREE_TWO_FOUR),
        words=("ssn", "social security"), same=as_number,
    ),
    Kind(
        "UK_NINO",
        _number(
            r"[ABCEGHJ-NPRSTW-Z](?<!BG)(?<!GB)(?<!KN)(?<!NK)(?<!NT)(?<!TN)(?<!ZZ)(?: ?\d\d){3} ?[A-D]",
            "[ABCEGHJ-PRSTW-Z]",
        ),
        (_LETTER, *_TWOS_AND_LETTER), same=as_number,
    ),
    Kind(
        "DE_TAX_ID", _number(r"(?:\d{10}|\d \d{3} \d{3} \d{3})", "[1-9]"), (_NINE_DIGITS, _THREES),
        proof=proven(is_tax_id), same=as_number,
    ),
    Kind(
        "FR_NIR",
        _number(
            r" ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", "[12]"
        ),
        (_NINE_DIGITS, _TWOS, _LETTER),
        proof=proven(is_nir), same=as_number,
    ),
    Kind(
        "ES_DNI", _number(r"(?:\d{7}|\d\.\d{3}\.\d{3})-?[A-Z]"),
        (_LETTER, _THREES), proof=proven(is_dni), same=as_number,
    ),
    Kind(
        "ES_DNI", _number(r"-?\d{7}-?[A-Z]", "[XYZ]"), (_LETTER,),
        proof=proven(is_dni), same=as_number,
    ),
    Kind(
        "IT_FISCAL_CODE",
        _number(r"[A-Z]{5}\d\d[A-EHLMPR-T]\d\d[A-Z]\d{3}[A-Z]", "[A-Z]"),
        (_FISCAL_CODE,), proof=proven(is_codice_fiscale), same=as_number,
    ),
    Kind(
        "NL_BSN", _number(r"\d{8}"), (_NINE_DIGITS,), words=("bsn", "burgerservicenummer", "sofinummer"),
        proof=proven(is_bsn), same=as_number,
    ),
    Kind("PL_PESEL", _number(r"\d{10}"), (_NINE_DIGITS,), proof=proven(is_pesel), same=as_number),
    Kind(
        "BR_CPF", _number(r"\d\d\.\d{3}\.\d{3}-\d\d"), (_THREES,), proof=proven(is_cpf), same=as_number
    ),
    Kind(
        "BR_CPF", _number(r"\d{10}"), (_NINE_DIGITS,), words=("cpf",), proof=proven(is_cpf), same=as_number
    ),
    Kind(
        "IN_AADHAAR", _number(r"\d{3}[ -]\d{4}[ -]\d{4}", "[2-9]"), (_FOURS,), proof=proven(is_aadhaar),
        same=as_number,
    ),
    Kind(
        "IN_AADHAAR", _number(r"\d{11}", "[2-9]"), (_NINE_DIGITS,), words=("aadhaar", "aadhar", "uidai"),
        proof=proven(is_aadhaar), same=as_number,
    ),
    Kind(
        "PHONE", word(r"\+", r"[1-9](?:[ ()./-]{0,2}\d){7,14}(?!\w|\.\d)", r"\w+.)"), (_PLUS,),
        proof=proven(_is_phone), same=as_number,
    ),
    Kind(
        "PHONE", _number(r"\d\d-[2-9]\d\d-\d{4}", "[2-9]"), (_THREE_THREE_FOUR,), same=as_number,
    ),
    Kind(
        "PHONE", word(r"\(", r"[2-9]\d\d\) ?[2-9]\d\d-\d{4}" + _END), (_THREE_THREE_FOUR,), same=as_number,
    ),
)  # fmt: skip

# Versions look like these, so they are looked for by choice only.
OPTIONAL_KINDS: Final = (
    Kind(
        "IP_ADDRESS", _number(r"\d{0,2}(?:\.\d{1,3}){3}"), (_after(b"0", b"s0{1,3}s0"),),
        proof=proven(_is_public_address),
    ),
)  # fmt: skip
