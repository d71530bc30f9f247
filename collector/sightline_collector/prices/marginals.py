"""
What one more of a unit costs, and which counts contradict each other. Pure.

Providers list a price for a whole (input tokens) and other prices for parts of it (cached input, audio
input). The library takes the parts out of the whole and prices what is left. That is linear, so it is
settled here, once:

    marginal(unit) = price(unit) - marginals of every priced unit that contains it
    cost           = sum of (reported count x marginal)

Cached input at 0.30 inside input at 3.00 becomes -2.70, and the engine needs no subtraction. What linearity
cannot see is nonsense, such as more audio input than input: the library refuses it, and `checks` says how
to find it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import combinations

from genai_prices.types import ModelPrice, TieredPrices
from genai_prices.units import UnitDef, _get_registry

UNITS: Mapping[str, UnitDef] = _get_registry().units
UNIT_OF_PRICE: Mapping[str, UnitDef] = {unit.price_key: unit for unit in UNITS.values()}

COLUMN_OF_UNIT = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
    "cache_write_1h_tokens": "cache_write_1h",
    "output_reasoning_tokens": "reasoning",
    "requests": "request",
}
"""Units with a column of their own in `price_points_v1`; every other unit is rare and comes as a map."""

SMALLEST_USD = Decimal("1e-18")
"""Where marginals are rounded: prices per hour do not end. A million units are still right to 1e-12 USD."""


@dataclass(frozen=True, slots=True)
class Check:
    """What the count of a rare unit may contradict.

    No weighted sum of reported counts in `sums` may be negative. Of `overlaps`, (join, other): when the part
    and the other are above zero, the join must be reported, as it says how much is both.
    """

    part: str
    sums: tuple[Mapping[str, int], ...]
    overlaps: tuple[tuple[str, str], ...]


def listed_prices(price: ModelPrice, total_input: int) -> dict[str, Decimal]:
    """Unit -> USD as listed, for `per` units, in a request of `total_input` input tokens; {} when free."""
    return {
        UNIT_OF_PRICE[key].usage_key: _in_tier(value, total_input)
        for key, value in price.__dict__.items()
        if value is not None
    }


def marginals(listed: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Unit -> USD for one more of it, rounded to 1e-18; negative where a part is cheaper than its whole."""
    exact: dict[str, Decimal] = {}
    for unit in sorted(listed, key=_specificity):
        price = listed[unit] / UNITS[unit].per
        exact[unit] = price - sum(exact[whole] for whole in exact if contains(whole, unit))
    return {unit: usd.quantize(SMALLEST_USD) for unit, usd in exact.items()}


def contains(whole: str, part: str) -> bool:
    """Whether every `part` is also counted as a `whole`; a unit does not contain itself."""
    return UNITS[whole].dimensions.items() < UNITS[part].dimensions.items()


def wholes_of(part: str) -> list[str]:
    """Every registered unit that contains `part`, in the registry's order."""
    return [whole for whole in UNITS if contains(whole, part)]


@cache
def checks(priced: frozenset[str]) -> tuple[Check, ...]:
    """What the library refuses for a model that prices these units, beyond what plain columns show."""
    split = [remainder for remainder in remainders(priced).values() if len(remainder) > 1]
    found = (_check(part, priced, split) for part in UNITS if part not in COLUMN_OF_UNIT)
    return tuple(check for check in found if check.sums or check.overlaps)


def _check(part: str, priced: frozenset[str], split: Sequence[Mapping[str, int]]) -> Check:
    sums = [remainder for remainder in split if part in remainder]
    if part not in priced:
        sums += [{whole: 1, part: -1} for whole in wholes_of(part) if whole in priced]
    overlaps = [
        (join, right if left == part else left)
        for join in sorted(priced)
        for left, right in _overlaps(join)
        if part in (left, right)
    ]
    return Check(part, tuple(sums), tuple(overlaps))


def _in_tier(price: Decimal | TieredPrices, total_input: int) -> Decimal:
    if not isinstance(price, TieredPrices):
        return price
    reached = [tier.price for tier in price.tiers if total_input > tier.start]
    return reached[-1] if reached else price.base


def _specificity(unit: str) -> int:
    return len(UNITS[unit].dimensions)


def remainders(priced: frozenset[str]) -> Mapping[str, Mapping[str, int]]:
    """For each priced unit what is left without its priced parts, as a weight for each reported count."""
    left: dict[str, Counter[str]] = {}
    for unit in sorted(priced, key=lambda name: (-_specificity(name), name)):
        remainder = Counter({unit: 1})
        for part in left:
            if contains(unit, part):
                remainder.subtract(left[part])
        left[unit] = Counter({name: weight for name, weight in remainder.items() if weight})
    return left


@cache
def _overlaps(unit: str) -> tuple[tuple[str, str], ...]:
    """Pairs of wider units whose overlap is exactly this unit: cached and audio input for cached audio."""
    wider = [UNITS[whole] for whole in wholes_of(unit)]
    return tuple(
        (left.usage_key, right.usage_key)
        for left, right in combinations(wider, 2)
        if {**left.dimensions, **right.dimensions} == UNITS[unit].dimensions
    )
