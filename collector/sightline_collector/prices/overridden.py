"""
Which overrides hold for which names, and what they make of a model's prices. Pure.

Patterns are whole names, or beginnings of names, so two of them are disjoint or one lies in the other. A
name is looked for in the narrowest pattern first; on a day when nothing of that pattern holds, the next
wider one does, then what is published. Of two of one pattern the one that began later holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from genai_prices.types import ClauseEquals, ClauseStartsWith

from sightline_collector.prices.cells import Cell, Cube
from sightline_collector.prices.override import Override
from sightline_collector.prices.rules import Condition, literal


@dataclass(frozen=True, slots=True)
class Scope:
    """A pattern of model names, and the overrides that may hold for its names, the widest first."""

    model: str
    overrides: tuple[Override, ...]

    @property
    def pattern(self) -> str:
        """The pattern as RE2 reads it."""
        return literal(self.model[:-1]) + ".*" if self.model.endswith("*") else literal(self.model)

    def reaches(self, conditions: Sequence[Condition]) -> bool:
        """Whether one of its names may meet all conditions; in doubt it may."""
        return all(map(self._reaches, conditions))

    def _reaches(self, condition: Condition) -> bool:
        if not self.model.endswith("*"):
            return condition.is_match(self.model)
        start = self.model[:-1]
        match condition:
            case ClauseEquals(equals=text):
                return text.lower().startswith(start)
            case ClauseStartsWith(starts_with=text):
                return text.lower().startswith(start) or start.startswith(text.lower())
        return True


def scopes(overrides: Sequence[Override], provider: str) -> list[Scope]:
    """The patterns of one provider, the narrowest first."""
    mine = sorted((one for one in overrides if one.seller == provider), key=_width)
    names = dict.fromkeys(one.model for one in reversed(mine))
    return [Scope(name, tuple(one for one in mine if lies_in(name, one.model))) for name in names]


def _width(override: Override) -> tuple[int, bool, date, str]:
    """Sorts the widest pattern first, and of one pattern what began first."""
    model = override.model
    return len(model.removesuffix("*")), not model.endswith("*"), override.valid_from, override.id


def lies_in(name: str, pattern: str) -> bool:
    """Whether a name, or all names of a narrower pattern, are among a pattern's."""
    if pattern.endswith("*"):
        return name.removesuffix("*").startswith(pattern[:-1])
    return name == pattern


def overridden(published: Cube, overrides: Sequence[Override]) -> Cube:
    """The prices with what overrides, the widest first, make of them from day to day."""
    if not overrides:
        return published
    edges = {day for one in overrides for day in (one.valid_from, one.valid_until) if day}
    days = tuple(sorted(edges | set(published.days)))
    day_stride, context_stride = published.day_stride, published.day_stride * (len(published.days) + 1)
    factor = len(days) + 1
    return replace(
        published,
        cells=tuple(_cells(published, context_stride, days, overrides)),
        days=days,
        offsets={
            pair: offset // context_stride * factor * day_stride for pair, offset in published.offsets.items()
        },
    )


def _cells(
    published: Cube, context_stride: int, days: Sequence[date], overrides: Sequence[Override]
) -> Iterator[Cell]:
    for context in range(0, len(published.cells), context_stride):
        for day in (None, *days):
            passed = sum(day is not None and edge <= day for edge in published.days)
            start = context + passed * published.day_stride
            holding = [one for one in overrides if day is not None and one.active(day)]
            for cell in published.cells[start : start + published.day_stride]:
                dated = replace(cell, valid_from=day)
                yield _changed(dated, holding[-1]) if holding else dated


def _changed(cell: Cell, override: Override) -> Cell:
    return replace(cell, listed=override.charged(cell.listed), override=override.id)
