"""
One model's prices as cells of a small cube: context x day x second of the day x size of the input. Pure.

Neighbouring cells get neighbouring numbers, so that the engine finds a call's cell by addition:

    cell = first + offset of each context value
         + day_stride * days passed + second_stride * seconds passed + input sizes passed

Which price holds in a cell is asked from the library itself, so none of its rules (last active condition
wins, first variant wins, over midnight) is written twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import product

from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    PriceVariant,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from sightline_collector.prices.marginals import listed_prices

Dated = ConditionalPrice | PriceVariant
"""A price that may hold only from a day, or between two times of day."""

BEFORE_EVERY_PRICE = date(2000, 1, 1)
"""A day before the first dated price: what holds then has held for ever."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The prices of one model in one cell.

    `valid_from` is a UTC day, None for ever; `from_second` counts from UTC midnight; the cell holds for
    requests with more than `above_input_tokens` input tokens (None: from the first). `listed` maps a unit
    to USD for `per` units; {} is free, None is unknown. `override` is the id of what changed the published
    price, '' when nothing did.
    """

    context: Mapping[str, str]
    valid_from: date | None
    from_second: int
    above_input_tokens: int | None
    listed: Mapping[str, Decimal] | None
    override: str = ""


@dataclass(frozen=True, slots=True)
class Cube:
    """Every cell of a model in the order of their numbers, and the edges and strides that find one."""

    cells: tuple[Cell, ...]
    days: tuple[date, ...]
    seconds: tuple[int, ...]
    starts: tuple[int, ...]
    day_stride: int
    second_stride: int
    offsets: Mapping[str, int]
    """`service_tier=flex` -> what it adds to the cell number. An unknown value adds nothing."""


UNPUBLISHED = Cube((Cell({}, None, 0, None, None),), (), (), (), 1, 1, {})
"""A model that nobody publishes prices of: one cell, unknown."""

FREE = Cube((Cell({}, None, 0, None, {}),), (), (), (), 1, 1, {})
"""A model that costs nothing: one cell."""


def cube(model: ModelInfo, *, with_contexts: bool = True) -> Cube:
    """The cells of one model; without contexts when another provider falls back to it: the library's rule."""
    variants = list(model.price_variants or ()) if with_contexts else []
    conditions = model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]
    dated: list[Dated] = [*conditions, *variants]
    days, seconds, starts = tuple(_days(dated)), tuple(_seconds(dated)), tuple(_starts(dated))
    choices = _choices(variants)
    second_stride = len(starts) + 1
    day_stride = second_stride * (len(seconds) + 1)
    context_stride = day_stride * (len(days) + 1)
    return Cube(
        cells=tuple(_cells(model, choices, days, seconds, starts)),
        days=days,
        seconds=seconds,
        starts=starts,
        day_stride=day_stride,
        second_stride=second_stride,
        offsets=_offsets(choices, context_stride),
    )


def _days(dated: Sequence[Dated]) -> list[date]:
    constraints = (one.constraint for one in dated)
    return sorted({one.start_date for one in constraints if isinstance(one, StartDateConstraint)})


def _seconds(dated: Sequence[Dated]) -> list[int]:
    edges: set[int] = set()
    for one in dated:
        if isinstance(one.constraint, TimeOfDateConstraint):
            edges |= {_second_of_day(one.constraint.start_time), _second_of_day(one.constraint.end_time)}
    return sorted(edges - {0})


def _second_of_day(moment: time) -> int:
    """Seconds since UTC midnight; a time without a zone is UTC, as in the library."""
    utc = datetime.combine(date(1970, 1, 2), moment, moment.tzinfo or UTC).astimezone(UTC)
    return utc.hour * 3600 + utc.minute * 60 + utc.second


def _starts(dated: Sequence[Dated]) -> list[int]:
    prices = (value for one in dated for value in one.prices.__dict__.values())
    return sorted({tier.start for price in prices if isinstance(price, TieredPrices) for tier in price.tiers})


def _choices(variants: Sequence[PriceVariant]) -> dict[str, list[str]]:
    """Context key -> the values that some variant asks for, in the library's order."""
    choices: dict[str, list[str]] = {}
    for variant in variants:
        for key, value in variant.when.items():
            known = choices.setdefault(key, [])
            if value not in known:
                known.append(value)
    return choices


def _offsets(choices: dict[str, list[str]], stride: int) -> dict[str, int]:
    offsets: dict[str, int] = {}
    for key in reversed(choices):
        offsets |= {f"{key}={value}": stride * place for place, value in enumerate(choices[key], 1)}
        stride *= len(choices[key]) + 1
    return offsets


def _cells(
    model: ModelInfo,
    choices: dict[str, list[str]],
    days: tuple[date, ...],
    seconds: tuple[int, ...],
    starts: tuple[int, ...],
) -> Iterator[Cell]:
    for values in product(*([None, *known] for known in choices.values())):
        context = {key: value for key, value in zip(choices, values, strict=True) if value}
        for day, second in product((None, *days), (0, *seconds)):
            midnight = datetime.combine(day or BEFORE_EVERY_PRICE, time(), UTC)
            price = model.get_prices(midnight + timedelta(seconds=second), context)
            for start in (None, *starts):
                listed = listed_prices(price, 0 if start is None else start + 1)
                yield Cell(context, day, second, start, listed)
