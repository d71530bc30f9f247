"""One model's day on both sides: sums of what is billed and of what was seen. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

Number = TypeVar("Number", int, Decimal)


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
    """What was seen here of one model of one provider in one UTC hour, or what to take from it."""

    hour: datetime
    provider: str
    model: str
    sums: Sums
    is_fees: bool = False
    """True of the fees in an hour's cost, which are negative: providers bill them apart from the model."""
    kind: str = ""
    """What calls they were, as a statement's `kinds` says it."""


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
