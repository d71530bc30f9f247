"""
The price list that people read: one line for each unit of each cell, as the provider lists it. Pure.

Marginals are for the engine; a person wants "input 2.50, cached input 1.25 for a million tokens". Most cells
repeat their neighbours (a batch price that began in October is three cells, one of them news), so a line
says whether it only repeats what the lines before it said:

    a context      repeats when all of its lines equal those of the context with one key less
    a day          repeats when all of its lines equal those of the day before
    a second       likewise within its day, a size of the input within its second
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from sightline_collector.prices.cells import Cell, Cube

FREE_UNIT = "everything"
"""What the list says instead of a unit for a model without any price."""


@dataclass(frozen=True, slots=True)
class Line:
    """One unit's price in one cell; `usd` as listed. `place` is the cell's number within its cube."""

    place: int
    cell: Cell
    unit: str
    usd: Decimal
    repeats: bool


def lines(prices: Cube) -> Iterator[Line]:
    """Every line of one model's price list, in the order of its cells."""
    listed = [_listed(cell) for cell in prices.cells]
    units = dict.fromkeys(unit for cell in listed for unit in cell)
    columns = {unit: [cell.get(unit) for cell in listed] for unit in units}
    starts = {_pairs(cell.context): place for place, cell in reversed(list(enumerate(prices.cells)))}
    for place, cell in enumerate(prices.cells):
        for unit, usd in listed[place].items():
            repeats = _repeats(prices, columns[unit], place, starts)
            yield Line(place, cell, unit, usd, repeats)


def _listed(cell: Cell) -> Mapping[str, Decimal]:
    """What a cell's lines say; an unknown price has none."""
    if cell.listed is None:
        return {}
    return cell.listed or {FREE_UNIT: Decimal(0)}


def _repeats(
    prices: Cube,
    column: Sequence[Decimal | None],
    place: int,
    starts: Mapping[frozenset[tuple[str, str]], int],
) -> bool:
    """Whether the line at `place` belongs to a block that equals an earlier one. `starts`: see `lines`."""
    context = _pairs(prices.cells[place].context)
    context_size = prices.day_stride * (len(prices.days) + 1)
    own = starts[context]
    wider = (starts[context - {pair}] for pair in context)
    if any(column[own : own + context_size] == column[start : start + context_size] for start in wider):
        return True
    sizes = (context_size, prices.day_stride, prices.second_stride, 1)
    return any(
        place % outer >= inner and _equals_the_one_before(column, place - place % inner, inner)
        for outer, inner in pairwise(sizes)
    )


def _equals_the_one_before(column: Sequence[Decimal | None], start: int, size: int) -> bool:
    return column[start : start + size] == column[start - size : start]


def _pairs(context: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(context.items())
