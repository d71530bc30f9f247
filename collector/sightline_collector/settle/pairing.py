"""Units that look alike as calls: each with at most one of every other scope. Pure.

What stands above or below a claim tells of its call rather than what stands beside it; of what stands there
the nearest in time does. A scope that tells of a call already does not tell of it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from sightline_collector.settle.claim import Claim
from sightline_collector.settle.tree import Tree
from sightline_collector.settle.unit import Unit, Units

MOST_COMPARED = 200_000
"""Of a thousand claims with the same tokens at one time each is compared with the two hundred of another
scope that are nearest in time; of more, with fewer."""

MOST_TELLERS = 20
"""So many spans tell of one call at most, unless they have its id."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """How calls are joined: those that `may` be one."""

    tree: Tree
    units: Units
    may: Callable[[Unit, Unit], bool]

    def pairs(self, group: Sequence[Claim]) -> Iterable[Unit]:
        """Claims of each call that several units of a group tell of; who takes one joins them."""
        yield from self._in_line(group)
        found = list({id(unit): unit for unit in map(self.units.of, group)}.values())
        waiting: dict[str, dict[int, Unit]] = defaultdict(dict)
        for unit in found:
            for scope in sorted(_scopes(unit)):  # a set's order is another in each process
                waiting[scope][id(unit)] = unit
        looked_at = max(1, MOST_COMPARED // len(group))
        for unit in found:
            if any(id(unit) in waiting[scope] for scope in _scopes(unit)):
                pair = _take(unit, waiting)
                for others in waiting.values():
                    near = sorted(islice(others.values(), looked_at), key=partial(_distance_ns, unit))
                    pair += _take(next((each for each in near if self._one_call(pair, each)), []), waiting)
                if len(pair) > len(unit):
                    yield pair

    def _in_line(self, group: Sequence[Claim]) -> Iterable[Unit]:
        """Each claim, the innermost first, with the nearest ones that stand above it. A scope may tell of a
        call again around it, not beside it."""
        keys = {claim.key for claim in group}
        for claim in sorted(group, key=lambda c: -self.tree.depth(c)):
            for above in self.tree.above(claim):
                if above.key in keys and self._around(self.units.of(above), self.units.of(claim)):
                    yield [claim, above]

    def _around(self, outer: Unit, inner: Unit) -> bool:
        """Whether one unit tells of the call of another below it."""
        beside = ((one, two) for one in outer for two in inner if one.scope == two.scope and one.paid)
        return (
            outer is not inner
            and len(outer) + len(inner) <= MOST_TELLERS
            and self.may(outer, inner)
            and all(self.tree.in_line(one, two) for one, two in beside if two.paid)
        )

    def _one_call(self, unit: Unit, other: Unit) -> bool:
        """Whether two units may be one."""
        few = len(unit) + len(other) <= MOST_TELLERS
        return few and _scopes(unit).isdisjoint(_scopes(other)) and self.may(unit, other)


def _scopes(unit: Unit) -> set[str]:
    """Who tells of a call: a scope's agent may do so beside its calls."""
    return {claim.scope for claim in unit if claim.paid}


def _distance_ns(unit: Unit, other: Unit) -> int:
    """How far the first of two units are from having begun and ended together."""
    one, another = unit[0], other[0]
    return abs(one.started_ns - another.started_ns) + abs(one.ended_ns - another.ended_ns)


def _take(unit: Unit, waiting: dict[str, dict[int, Unit]]) -> Unit:
    """A unit that waits no more."""
    for scope in _scopes(unit):
        del waiting[scope][id(unit)]
    return list(unit)
