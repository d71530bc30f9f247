"""A trace as a tree: who stands above whom. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from sightline_collector.settle.claim import Claim

DEEPEST = 200
"""Steps that a walk towards the root takes: no trace is that deep, and a hostile one costs no more. What
stands higher is not asked which of two twins is the inner one, nor what a call was made for."""

Place = tuple[str, str]
"""Trace and span."""


class Tree:
    """The parents of all spans of some traces, claims or not."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self._claims: Mapping[Place, Claim] = {(c.trace_id, c.span_id): c for c in claims}

    def above(self, claim: Claim) -> Iterator[Claim]:
        """The spans above a claim, from its parent to the root; it ends where one has not come."""
        seen = {claim.span_id}
        at = claim
        for _ in range(DEEPEST):
            parent = self._claims.get((at.trace_id, at.parent_span_id))
            if parent is None or parent.span_id in seen:
                return
            seen.add(parent.span_id)
            yield parent
            at = parent

    def from_below(self) -> Iterator[Claim]:
        """Every span once, after all that stand below it; a ring is cut at its first one."""
        waiting = Counter(
            (claim.trace_id, claim.parent_span_id)
            for claim in self._claims.values()
            if (claim.trace_id, claim.parent_span_id) in self._claims
        )
        leaves = [place for place in self._claims if not waiting[place]]
        done: set[Place] = set()
        for start in (*leaves, *sorted(self._claims)):
            place = start
            while place in self._claims and place not in done and (place == start or not waiting[place]):
                done.add(place)
                yield self._claims[place]
                place = (place[0], self._claims[place].parent_span_id)
                waiting[place] -= 1

    def depth(self, claim: Claim) -> int:
        """How many spans stand above it."""
        return sum(1 for _ in self.above(claim))

    def related(self, one: Claim, other: Claim) -> bool:
        """Whether one stands above the other, or both below the same span (or below none, in one trace)."""
        if one.trace_id != other.trace_id:
            return False
        return one.parent_span_id == other.parent_span_id or self.in_line(one, other)

    def in_line(self, one: Claim, other: Claim) -> bool:
        """Whether one of the two stands above the other."""
        return self.is_above(one, other) or self.is_above(other, one)

    def is_above(self, one: Claim, other: Claim) -> bool:
        """Whether one stands above the other."""
        return one.trace_id == other.trace_id and any(span is one for span in self.above(other))
