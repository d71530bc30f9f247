"""What a provider bills beside what was seen here, by day and model. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, TypeVar

from sightline_collector.reconcile.line import Line, Statement
from sightline_collector.reconcile.models import key

Number = TypeVar("Number", int, Decimal)

ALL_MODELS = "all models"
NO_MODEL = "no model named"
SHIFT_HOURS_MAX = 14
"""Of a day's beginning: no time zone is further from UTC."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over calls; None for what no call says."""

    usd: Decimal | None = None
    list_usd: Decimal | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    calls: int | None = None
    unpriced_calls: int | None = None
    estimated_calls: int | None = None
    lines: int = 0

    def __add__(self, other: Sums) -> Sums:
        added: dict[str, Any] = {
            f.name: _plus(getattr(self, f.name), getattr(other, f.name)) for f in fields(Sums)
        }
        return Sums(**added)

    @property
    def tokens(self) -> int | None:
        """Input and output; None when neither is known."""
        return _plus(self.input_tokens, self.output_tokens)


def _plus(one: Number | None, other: Number | None) -> Number | None:
    if one is None or other is None:
        return other if one is None else one
    return one + other


@dataclass(frozen=True, slots=True)
class Hour:
    """What was seen here of one model of one provider in one UTC hour."""

    hour: datetime
    provider: str
    model: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Pair:
    """One model on one day: what is billed, what was seen; None for a side that has nothing."""

    day: date
    provider: str
    model: str
    billed: Sums | None
    seen: Sums | None
    in_usd: bool = True
    """False where the provider's files have tokens alone: those are then compared."""
    tiers: frozenset[str] = frozenset()
    """Tiers that the provider bills it by, besides the standard one."""
    rounded_usd: Decimal = Decimal(0)
    """How far the billed amount may be off because its lines are rounded."""

    def amount(self, side: Sums | None) -> Decimal:
        """What is compared of a side, in USD or tokens."""
        if side is None:
            return Decimal(0)
        return (side.usd or Decimal(0)) if self.in_usd else Decimal(side.tokens or 0)

    @property
    def difference(self) -> Decimal:
        """Billed less seen, in USD or tokens."""
        return self.amount(self.billed) - self.amount(self.seen)

    def within(self, tolerance: Decimal) -> bool:
        """Whether both are the same, but for this share of the larger, and for rounding."""
        larger = max(abs(self.amount(self.billed)), abs(self.amount(self.seen)))
        return abs(self.difference) <= max(larger * tolerance, self.rounded_usd)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All pairs, in the order of days."""

    pairs: Sequence[Pair]
    shift_hours: int | None = None
    """When the file's days would fit: how many hours after midnight UTC they begin; None: as they are."""

    @property
    def billed(self) -> Decimal:
        """In all, in USD or tokens."""
        return sum((pair.amount(pair.billed) for pair in self.pairs), Decimal(0))

    @property
    def seen(self) -> Decimal:
        """In all, in USD or tokens."""
        return sum((pair.amount(pair.seen) for pair in self.pairs), Decimal(0))

    @property
    def apart(self) -> Decimal:
        """The gaps of all days and models, added up without their signs: none hides another."""
        return sum((abs(pair.difference) for pair in self.pairs), Decimal(0))

    def within(self, tolerance: Decimal) -> bool:
        """Whether the gaps are together no more than this share of what is billed, and than rounding."""
        rounded = sum((pair.rounded_usd for pair in self.pairs), Decimal(0))
        return self.apart <= max(max(abs(self.billed), abs(self.seen)) * tolerance, rounded)


Place = tuple[date, str, str]
"""Day, provider, and the key of a model."""
DayOf = Callable[[datetime], date]


def compare(statements: Sequence[Statement], hours: Sequence[Hour], zone: tzinfo = UTC) -> Comparison:
    """Set the files against the hours; days begin at midnight of the zone. Raises nothing."""
    hours = [hour for hour in hours if hour.provider in {s.provider for s in statements}]
    pairs = _pairs(statements, hours, lambda moment: moment.astimezone(zone).date())
    return Comparison(pairs, _shift(statements, hours, Comparison(pairs)))


def _shift(statements: Sequence[Statement], hours: Sequence[Hour], found: Comparison) -> int | None:
    """Another beginning of the day that leaves a fifth of the gaps or less."""
    best, apart = None, found.apart / 5
    for ahead in range(-SHIFT_HOURS_MAX, SHIFT_HOURS_MAX + 1):
        shift = timedelta(hours=ahead)
        shifted = Comparison(_pairs(statements, hours, lambda moment, by=shift: (moment - by).date()))  # type: ignore[misc]
        if ahead and shifted.apart < apart:
            best, apart = ahead, shifted.apart
    return best


def _pairs(statements: Sequence[Statement], hours: Iterable[Hour], day_of: DayOf) -> list[Pair]:
    billed, names, tiers = _billed(statements)
    whole = {s.provider for s in statements if _names_no_model(s)}
    days = {(s.provider, day) for s in statements for day in _days(s)}
    seen: dict[Place, Sums] = {}
    for hour in hours:
        day = day_of(hour.hour)
        if (hour.provider, day) in days:
            place = (day, hour.provider, "" if hour.provider in whole else key(hour.model))
            seen[place] = seen.get(place, Sums()) + hour.sums
            names[place[1:]] = min(names.get(place[1:], hour.model), hour.model, key=len)
    in_usd = {s.provider for s in statements if any(line.usd is not None for line in s.lines)}
    rounded = {s.provider: s.rounded_to_usd / 2 for s in statements}
    return [
        Pair(
            *place[:2],
            names[place[1:]] if place[2] else ALL_MODELS if place[1] in whole else NO_MODEL,
            billed.get(place),
            seen.get(place),
            place[1] in in_usd,
            frozenset(tiers.get(place, ())),
            rounded[place[1]] * (billed[place].lines if place in billed else 0),
        )
        for place in sorted(billed.keys() | seen.keys())
    ]


def _days(statement: Statement) -> Iterator[date]:
    """From the first day that the file speaks of to the last: many exports have no line for a day of rest."""
    first = min(statement.days, default=date.max)
    span = (max(statement.days, default=date.min) - first).days
    yield from (first + timedelta(days=n) for n in range(span + 1))


def _names_no_model(statement: Statement) -> bool:
    return bool(statement.lines) and all(not line.model for line in statement.lines)


def _billed(
    statements: Iterable[Statement],
) -> tuple[dict[Place, Sums], dict[tuple[str, str], str], dict[Place, set[str]]]:
    """Sums, names of models, and tiers."""
    sums: dict[Place, Sums] = {}
    names: dict[tuple[str, str], str] = {}
    tiers: dict[Place, set[str]] = {}
    for statement, line in ((s, line) for s in statements for line in s.lines):
        place = (line.day, statement.provider, key(line.model))
        sums[place] = sums.get(place, Sums()) + _of_line(line)
        names.setdefault(place[1:], line.model)
        tiers.setdefault(place, set()).update({line.tier} - {""})
    return sums, names, tiers


def _of_line(line: Line) -> Sums:
    return Sums(
        line.usd,
        line.usd if line.list_usd is None else line.list_usd,
        line.input_tokens,
        line.output_tokens,
        line.cache_read_tokens,
        line.cache_write_tokens,
        line.calls,
        lines=1,
    )
