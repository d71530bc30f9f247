"""Check digits: which numbers only look like a card, an account or a person's number. Pure.

Each function takes a number as it was written, with its spaces and signs, and says whether it can be one.
By chance a number passes: Luhn, Verhoeff, ISO 7064 and PESEL 1 in 10, the 11-test 1 in 11, a Spanish or
Italian letter 1 in 23 or 26, the keys modulo 97 and CPF's two digits 1 in 97 or 100.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

_CARDS: Final = (  # first digits from, to, and lengths: the networks' ranges
    ("4", "4", (13, 16)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("6011", "6011", (16,)),  # Discover
    ("644", "659", (16,)),
    ("3528", "3589", (16,)),  # JCB
    ("300", "305", (14,)),  # Diners Club
    ("36", "36", (14,)),
    ("38", "39", (14,)),
    ("62", "62", (16,)),  # UnionPay
    ("5018", "5038", (16,)),  # Maestro
    ("6304", "6304", (16,)),
    ("6759", "6763", (16,)),
)
_IBAN_CHARS: Final = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22,
    "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25,
    "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
_VERHOEFF_MULTIPLY: Final = tuple(
    tuple(
        (a + b) % 5 + 5 * (a // 5 ^ b // 5) if a < 5 else (a - b) % 5 + 5 * (a // 5 ^ b // 5)
        for b in range(10)
    )
    for a in range(10)
)  # the dihedral group of order 10
_VERHOEFF_PERMUTE: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_CODICE_ODD: Final = (
    1,
    0,
    5,
    7,
    9,
    13,
    15,
    17,
    19,
    21,
    2,
    4,
    18,
    20,
    11,
    3,
    6,
    8,
    12,
    14,
    16,
    10,
    22,
    25,
    24,
    23,
)
_PESEL_WEIGHTS: Final = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
_PESEL_CENTURIES: Final = {0: 1900, 1: 2000}  # by the month's twenties


def is_card(number: str) -> bool:
    """A payment card: its network's first digits and length, and ISO/IEC 7812's check digit."""
    digits = _digits(number)
    text = "".join(map(str, digits))
    known = any(
        len(text) in lengths and first <= text[: len(first)] <= last for first, last, lengths in _CARDS
    )
    return known and _luhn(digits)


def iban_in(text: str) -> str:
    """The IBAN (ISO 13616) that this text begins with, by its country's length and ISO 7064; '' if none."""
    chars = _IBAN_CHARS.get(text[:2].upper(), 0)
    ends = [end for end, char in enumerate(text, 1) if char not in " -"]
    if not chars or len(ends) < chars:
        return ""
    found = text[: ends[chars - 1]]
    plain = found.replace(" ", "").replace("-", "").upper()
    value = int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4]))
    return found if value % 97 == 1 else ""


def is_dni(text: str) -> bool:
    """A Spanish DNI or NIE: the letter is the number modulo 23."""
    plain = "".join(filter(str.isalnum, text)).upper()
    number = plain[:-1].translate(str.maketrans("XYZ", "012"))
    return number.isdigit() and _DNI_LETTERS[int(number) % 23] == plain[-1]


def is_codice_fiscale(text: str) -> bool:
    """An Italian codice fiscale: the sixteenth character is computed from the others (DM 23/12/1976)."""
    values = [int(char) if char.isdigit() else ord(char) - ord("A") for char in text.upper()]
    total = sum(_CODICE_ODD[value] for value in values[0:15:2]) + sum(values[1:15:2])
    return total % 26 == values[15]


def is_nir(text: str) -> bool:
    """A French NIR: 97 less the number modulo 97 at its end; Corsica's letters count as digits."""
    plain = text.replace(" ", "").upper()
    number = int(plain[:13].replace("2A", "19").replace("2B", "18"))
    return 97 - number % 97 == int(plain[13:])


def is_tax_id(text: str) -> bool:
    """A German Steuer-ID: of ten digits one comes twice or thrice, and ISO 7064's MOD 11,10."""
    digits = _digits(text)
    repeated = sorted(digits[:10].count(digit) for digit in set(digits[:10]))
    if repeated[-1] not in (2, 3) or repeated[-2:-1] not in ([1], []):
        return False
    product = 10
    for digit in digits[:10]:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == digits[10]


def is_bsn(text: str) -> bool:
    """A Dutch BSN: the 11-test."""
    digits = _digits(text)
    weighted = sum(digit * weight for digit, weight in zip(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
    return weighted % 11 == 0 and any(digits)


def is_pesel(text: str) -> bool:
    """A Polish PESEL of somebody born from 1900 to 2099: a date that exists, and a weighted sum."""
    digits = _digits(text)
    if sum(digit * weight for digit, weight in zip(digits, _PESEL_WEIGHTS, strict=True)) % 10:
        return False
    twenties, month = divmod(int(text[2:4]), 20)
    return twenties in _PESEL_CENTURIES and _is_date(
        _PESEL_CENTURIES[twenties] + int(text[:2]), month, text[4:6]
    )


def is_cpf(text: str) -> bool:
    """A Brazilian CPF: two check digits, and not one digit eleven times."""
    digits = _digits(text)
    for length in (9, 10):
        weighted = sum(digit * (length + 1 - place) for place, digit in enumerate(digits[:length]))
        if weighted * 10 % 11 % 10 != digits[length]:
            return False
    return len(set(digits)) > 1


def is_aadhaar(text: str) -> bool:
    """An Indian Aadhaar number: Verhoeff's check digit."""
    check = 0
    for place, digit in enumerate(reversed(_digits(text))):
        for _ in range(place % 8):
            digit = _VERHOEFF_PERMUTE[digit]
        check = _VERHOEFF_MULTIPLY[check][digit]
    return check == 0


def _luhn(digits: Sequence[int]) -> bool:
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _digits(text: str) -> list[int]:
    return [int(char) for char in text if char.isdigit()]


def _is_date(year: int, month: int, day: str) -> bool:
    try:
        date(year, month, int(day))
    except ValueError:
        return False
    return True
