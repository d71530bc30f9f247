"""Amounts: what an entry of the ledger adds to the totals. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from math import floor
from typing import Any

CUT_USD, CUT_CALLS = Decimal("0.000000000001"), Decimal("0.000001")
"""What the store keeps of an amount, and of a number of calls."""
MOST_USD = Decimal(900_000)
"""What one entry may add by its weight: the store's amounts end at a million."""

CALLS = ("calls", "priced", "unpriced")


@dataclass(frozen=True, slots=True)
class Amounts:
    """What an entry adds to the totals: calls, tokens, USD."""

    calls: Decimal = Decimal(0)
    priced: Decimal = Decimal(0)
    unpriced: Decimal = Decimal(0)
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: Decimal = Decimal(0)

    def __add__(self, other: Amounts) -> Amounts:
        # Most of what is added up is nothing.
        if other is NOTHING:
            return self
        return other if self is NOTHING else self._with(other, 1)

    def __sub__(self, other: Amounts) -> Amounts:
        return self if other is NOTHING else self._with(other, -1)

    def _with(self, other: Amounts, sign: int) -> Amounts:
        sums = {name: getattr(self, name) + sign * getattr(other, name) for name in AMOUNTS}
        return Amounts(**sums)

    def times(self, weight: float, chance: float) -> Amounts:
        """For how much a span stands that is one of `weight`: calls and cost to the digit, cost no more than
        an entry can hold. A part of a token goes up or down by `chance`, from 0 to 1 and different for each
        span: always to the nearest, many small calls would all err to one side."""
        by = Decimal(str(weight))
        calls = {name: (getattr(self, name) * by).quantize(CUT_CALLS) for name in CALLS}
        tokens = {name: floor(getattr(self, name) * by + Decimal(chance)) for name in TOKENS}
        return Amounts(**calls, **tokens, cost_usd=min(self.cost_usd * by, MOST_USD).quantize(CUT_USD))


AMOUNTS = tuple(field.name for field in fields(Amounts))
TOKENS = tuple(name for name in AMOUNTS if name.endswith("_tokens"))
NOTHING = Amounts()


def amounts_of(row: Mapping[str, Any]) -> Amounts:
    """The amounts of a row with those columns; NULL adds nothing."""
    amounts: dict[str, Any] = {name: row[name] or 0 for name in AMOUNTS}
    return Amounts(**amounts | {name: Decimal(amounts[name]) for name in (*CALLS, "cost_usd")})


def columns_of(amounts: Amounts) -> dict[str, str | int | None]:
    """The same as columns of a row; cost is NULL where none is known, tokens where there are none."""
    cost = amounts.cost_usd
    return (
        {name: f"{getattr(amounts, name):f}" for name in CALLS}
        | {name: getattr(amounts, name) or None for name in TOKENS}
        | {"cost_usd": f"{cost:f}" if cost or amounts.priced else None}
    )
