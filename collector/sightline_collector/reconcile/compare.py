"""What a provider bills beside what was seen here, by day and model. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal

from sightline_collector.reconcile.line import Line, Statement, Unreadable
from sightline_collector.reconcile.models import key
from sightline_collector.reconcile.pair import Hour, Pair, Sums

ALL_MODELS = "all models"
NO_MODEL = "no model named"
SHIFT_HOURS_MAX = 14
"""Of a day's beginning: no time zone is further from UTC."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All pairs, in the order of days."""

    pairs: Sequence[Pair]
    shift_hours: int | None = None
    """When the file's days would fit: how many hours after midnight UTC they begin; None: as was said."""
    fees_usd: Decimal = Decimal(0)
    """What was seen of fees that the files bill apart from models; in no pair."""
    left_out: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By provider and kind: tokens of calls of which the files do not speak; in no pair."""

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


@dataclass(slots=True)
class _Bill:
    """All that the files say, by place."""

    whole: set[str]
    """Providers whose files name no model."""
    in_usd: set[str]
    days: set[tuple[str, date]]
    sums: dict[Place, Sums] = field(default_factory=dict)
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    tiers: dict[Place, set[str]] = field(default_factory=dict)
    rounded_usd: dict[Place, Decimal] = field(default_factory=dict)

    def place(self, day: date, provider: str, model: str) -> Place:
        return day, provider, "" if provider in self.whole else key(model)

    def name(self, provider: str, model_key: str) -> str:
        if not model_key:
            return ALL_MODELS if provider in self.whole else NO_MODEL
        return self.names[provider, model_key]


def compare(statements: Sequence[Statement], hours: Sequence[Hour], zone: tzinfo = UTC) -> Comparison:
    """Set the files against the hours; days begin at midnight of the zone.

    Raises Unreadable when some providers' files have amounts and others' have none: they have no sum.
    """
    bill = _bill(statements)
    billing = {statement.provider for statement in statements if statement.lines}
    if bill.in_usd and bill.in_usd != billing:
        raise Unreadable(
            f"the files of {' and '.join(sorted(billing - bill.in_usd))} have tokens, others amounts",
            "reconcile one provider at a time, or add the export of its costs",
        )
    providers, lumped = {s.provider for s in statements}, _lumped(statements)
    known = [h for h in hours if h.provider in providers and not (h.is_fees and h.provider in lumped)]
    is_apart = _of_other_kinds(statements)
    relevant = [h for h in known if not is_apart(h)]

    def day_of(moment: datetime) -> date:
        return moment.astimezone(zone).date()

    pairs = _pairs(bill, relevant, day_of)
    fees = [h for h in relevant if h.is_fees and (h.provider, day_of(h.hour)) in bill.days]
    fees_usd = -sum((h.sums.usd or Decimal(0) for h in fees), Decimal(0))
    left_out: Counter[tuple[str, str]] = Counter()
    for h in filter(is_apart, known):
        if (h.provider, day_of(h.hour)) in bill.days:
            left_out[h.provider, h.kind] += h.sums.tokens or 0
    return Comparison(pairs, _shift(bill, relevant, Comparison(pairs)), fees_usd, left_out)


def _of_other_kinds(statements: Sequence[Statement]) -> Callable[[Hour], bool]:
    """Whether calls are of a kind that no file of their provider speaks of, and no line names their model."""
    whole = {s.provider for s in statements if not s.kinds}
    spoken = {(s.provider, kind) for s in statements for kind in s.kinds}
    named = {(s.provider, key(line.model)) for s in statements for line in s.lines}
    return lambda hour: (
        hour.provider not in whole
        and (hour.provider, hour.kind) not in spoken
        and (hour.provider, key(hour.model)) not in named
    )


def _lumped(statements: Sequence[Statement]) -> set[str]:
    """Providers whose files bill models and fees in one sum, for they name neither."""
    return {
        s.provider
        for s in statements
        if not s.beside
        and any(line.usd is not None for line in s.lines)
        and not any(line.model for line in s.lines)
    }


def _shift(bill: _Bill, hours: Sequence[Hour], found: Comparison) -> int | None:
    """Another beginning of the day that leaves a fifth of the gaps or less."""
    best, apart = None, found.apart / 5
    for ahead in sorted(range(-SHIFT_HOURS_MAX, SHIFT_HOURS_MAX + 1), key=abs):
        shifted = Comparison(_pairs(bill, hours, _beginning(timedelta(hours=ahead))))
        if shifted.apart < apart:
            best, apart = ahead, shifted.apart
    return best


def _beginning(ahead: timedelta) -> DayOf:
    return lambda moment: (moment - ahead).date()


def _pairs(bill: _Bill, hours: Iterable[Hour], day_of: DayOf) -> list[Pair]:
    seen: dict[Place, Sums] = {}
    for hour in hours:
        day = day_of(hour.hour)
        if (hour.provider, day) in bill.days:
            place = bill.place(day, hour.provider, hour.model)
            seen[place] = seen.get(place, Sums()) + hour.sums
            known = bill.names.get(place[1:], hour.model)
            bill.names[place[1:]] = min(known, hour.model, key=len)
    return [
        Pair(
            place[0],
            place[1],
            bill.name(*place[1:]),
            bill.sums.get(place),
            seen.get(place),
            bool(bill.in_usd),
            frozenset(bill.tiers.get(place, ())),
            bill.rounded_usd.get(place, Decimal(0)),
        )
        for place in sorted(bill.sums.keys() | seen.keys())
    ]


def _bill(statements: Sequence[Statement]) -> _Bill:
    bill = _Bill(
        whole={s.provider for s in statements if s.lines and all(not line.model for line in s.lines)},
        in_usd={s.provider for s in statements if any(line.usd is not None for line in s.lines)},
        days={(s.provider, day) for s in statements for day in _days(s)},
    )
    for statement, line in ((s, line) for s in statements for line in s.lines):
        place = bill.place(line.day, statement.provider, line.model)
        bill.sums[place] = bill.sums.get(place, Sums()) + _of_line(line)
        bill.names.setdefault(place[1:], line.model)
        bill.tiers.setdefault(place, set()).update({line.tier} - {""})
        rounded = bill.rounded_usd.get(place, Decimal(0))
        bill.rounded_usd[place] = rounded + statement.rounded_to_usd / 2
    return bill


def _days(statement: Statement) -> Iterator[date]:
    """From the first day that the file speaks of to the last: many exports have no line for a day of rest."""
    first = min(statement.days, default=date.max)
    span = (max(statement.days, default=date.min) - first).days
    yield from (first + timedelta(days=n) for n in range(span + 1))


def _of_line(line: Line) -> Sums:
    return Sums(
        line.usd,
        line.usd if line.list_usd is None else line.list_usd,
        line.input_tokens,
        line.output_tokens,
        line.cache_read_tokens,
        line.cache_write_tokens,
        line.calls,
    )
