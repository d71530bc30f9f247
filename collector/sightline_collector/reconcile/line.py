"""What a provider's file says, line by line, in one shape for all providers.

file -> Document -> Statement
                    ├── lines      model usage, each of one day: tokens, cost, or both
                    ├── beside     what is no model usage: credits, taxes, other services; counted, summed
                    └── refused    lines that could not be read, each with its number and the reason
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation


class Unreadable(Exception):  # noqa: N818 - what the file is, as it is said to the person who gave it
    """The file cannot be reconciled: the message says why, the hint what to do next."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BadLine(ValueError):  # noqa: N818 - what the line is
    """One line of a file that cannot be read; the others can."""


FAULTS = (BadLine, LookupError, TypeError, AttributeError, ValueError, ArithmeticError)
"""What a line raises that has not the shape of its format."""


@dataclass(frozen=True, slots=True)
class Line:
    """Usage of one model on one day.

    `usd` is what is charged before credits and taxes, `list_usd` the same at public prices; both None when
    the file does not say. Input tokens count those read from and written to a cache too. A count that the
    file does not have is None. `model` is '' for what is charged without naming one.
    """

    day: date
    model: str
    usd: Decimal | None = None
    list_usd: Decimal | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    calls: int | None = None
    tier: str = ""
    """'batch', 'flex' or 'priority'; '' is the standard one."""


@dataclass(slots=True)
class Statement:
    """All that was read of one file; readers of formats fill it."""

    provider: str
    format: str
    lines: list[Line] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    """Days that the file speaks of, those without usage too."""
    beside: dict[str, tuple[int, Decimal]] = field(default_factory=dict)
    """By what it is: how many lines, and their sum in USD."""
    kinds: set[str] = field(default_factory=set)
    """Of calls that it speaks of, as OpenAI names them: completions, embeddings; empty when it is of all."""
    refused: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rounded_to_usd: Decimal = Decimal(0)
    """The file's smallest amount, where it rounds."""

    def add(self, line: Line) -> None:
        """A line of usage."""
        self.lines.append(line)
        self.days.add(line.day)

    def set_aside(self, what: str, usd: Decimal) -> None:
        """An amount that no model call causes."""
        count, total = self.beside.get(what, (0, Decimal(0)))
        self.beside[what] = (count + 1, total + usd)

    def refuse(self, number: int, fault: Exception) -> None:
        """A line that could not be read."""
        why = str(fault) if isinstance(fault, BadLine) else f"not as the format has it ({fault!r})"
        self.refused.append((number, why))

    def note(self, text: str) -> None:
        """A sentence on the whole file, once."""
        if text not in self.notes:
            self.notes.append(text)


@dataclass(frozen=True, slots=True)
class Rates:
    """USD for one unit of a currency, by its ISO 4217 code in capitals."""

    usd: Mapping[str, Decimal] = field(default_factory=dict)

    def to_usd(self, amount: Decimal, currency: str) -> Decimal:
        """The amount in USD. Raises Unreadable for a currency without a rate, BadLine for no amount."""
        code = currency.strip().upper() or "USD"
        if code == "USD":
            return amount
        if code not in self.usd:
            raise Unreadable(
                f"the file's amounts are in {code}",
                f"give the rate that the invoice was paid at, as USD for one {code}: --rate {code}=1.08",
            )
        return bounded(amount * self.usd[code])


_GROUPED = re.compile(r"-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
"""1,234.5: a comma that groups digits. Where one stands for a point it is no such number, and refused."""
_POINT = "write it with a point before its decimals and nothing between the digits of thousands"


_DIGITS_MAX, _PLACES_MAX = 15, 40
"""Before and behind the point: sums of larger amounts would lose the last digits that the store keeps, and a
larger exponent would be written out in as many zeros."""


def amount(value: object) -> Decimal:
    """A number of the file. Raises BadLine for what is none, or is not finite."""
    text = str(value).strip().replace("\u2212", "-").replace("$", "", 1)
    if text.startswith("(") and text.endswith(")"):
        # As bookkeepers write what is given back.
        text = f"-{text[1:-1].removeprefix('$')}"
    try:
        number = Decimal(text.replace(",", "") if _GROUPED.fullmatch(text) else text)
    except InvalidOperation:
        advice = f": {_POINT}" if re.search(r"\d", text) else ""
        raise BadLine(f"{value!r} is no number{advice}") from None
    if not _in_bounds(number):
        raise BadLine(f"{value!r} is no amount")
    return number or Decimal(0)


def bounded(reckoned: Decimal) -> Decimal:
    """The amount as it is. Raises BadLine for one that a wrong rate or unit has made."""
    if not _in_bounds(reckoned):
        raise BadLine(f"{reckoned:.3e} is no amount: another rate or unit is meant")
    return reckoned


def _in_bounds(number: Decimal) -> bool:
    return number.is_finite() and (not number or -_PLACES_MAX <= number.adjusted() < _DIGITS_MAX)


def count(value: object) -> int | None:
    """A number of tokens or calls; None for an empty field. Raises BadLine for what is no such number: with
    decimals it is one whose thousands a point sets apart."""
    if value is None or value == "":
        return None
    number = amount(value)
    if number < 0 or number > _COUNT_MAX or number != number.to_integral_value():
        raise BadLine(f"{value!r} is no number of tokens: they are whole, 12345 and not 12.345")
    return int(number)


_COUNT_MAX = 10**14
"""More than all the tokens of a year: a larger number is another column's."""


def utc_day(value: object) -> date:
    """The UTC day of a moment: a date, a time in its own zone, or seconds since 1970 or their thousandths or
    millionths. Raises BadLine."""
    text = str(value).strip()
    try:
        if _SINCE_1970.fullmatch(text):
            seconds = Decimal(text)
            while seconds > _SECONDS_MAX:
                seconds /= 1000
            return _billed(datetime.fromtimestamp(float(seconds), UTC).date())
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
        return _billed((moment.astimezone(UTC) if moment.tzinfo else moment).date())
    except (ValueError, ArithmeticError, OSError):
        raise BadLine(f"{value!r} is no day of a bill: write it as 2026-09-30") from None


def _billed(day: date) -> date:
    """The day as it is. Raises ValueError for one that no bill of a model's calls has."""
    if not _YEAR_MIN <= day.year <= _YEAR_MAX:
        raise ValueError
    return day


_YEAR_MIN, _YEAR_MAX = 2000, 2099
"""Within what the store's seconds reach, so that no other day is taken for it: from 1970 to 2106."""


_SINCE_1970 = re.compile(r"\d{9,16}(\.\d+)?|\d\.\d+E\d{1,2}")
_SECONDS_MAX = 10**11
"""Some time in the year 5138: larger numbers count parts of a second."""
