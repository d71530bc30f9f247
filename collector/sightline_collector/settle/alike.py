"""Which claims without a common response id, or with a short one, tell of one call: two scopes' that look
alike. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sightline_collector.settle.claim import Claim
from sightline_collector.settle.pairing import Pairing
from sightline_collector.settle.tree import Tree
from sightline_collector.settle.unit import Unit, Units

LONG_ID = 20
"""Providers' ids are random and at least that long. A shorter one may be a constant of a small server: it
tells of one call only what two scopes say in one trace at the same time."""


def by_likeness(claims: Sequence[Claim], tree: Tree, units: Units) -> Iterable[Unit]:
    """Claims of one call told by two scopes without a common response id."""
    alike: dict[tuple[str, int, int], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.used and claim.paid:
            alike[claim.service, claim.input_tokens or 0, claim.output_tokens or 0].append(claim)

    def may(unit: Unit, other: Unit) -> bool:
        same = any(one.paid and two.paid and one.same_usage(two) for one in unit for two in other)
        return same and _alike(unit, other, tree)

    yield from _pairs(alike.values(), Pairing(tree, units, may))


def by_short_id(claims: Iterable[Claim], tree: Tree, units: Units) -> Iterable[Unit]:
    """Claims of one trace with one short response id, whatever their tokens, that ran at one time, unless
    each has a twin already. A small server may give every answer the same id, also at one time."""
    by_id: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if 0 < len(claim.response_id) < LONG_ID:
            by_id[claim.trace_id, claim.response_id].append(claim)

    def may(unit: Unit, other: Unit) -> bool:
        return min(len(unit), len(other)) == 1 and any(
            one.response_id == two.response_id and one.same_model(two) and one.overlaps(two)
            for one in unit
            for two in other
        )

    yield from _pairs(by_id.values(), Pairing(tree, units, may))


def by_silence(claims: Iterable[Claim], tree: Tree, units: Units) -> Iterable[Unit]:
    """Claims of one trace of which one says what the call cost, and no more, or neither says anything, or
    the inner one does not."""
    alike: dict[tuple[str, str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.paid:
            alike[claim.trace_id, claim.service, claim.operation].append(claim)

    def may(unit: Unit, other: Unit) -> bool:
        return _says_more(unit, other, tree) and _alike(unit, other, tree)

    groups = (group for group in alike.values() if not all(claim.used for claim in group))
    yield from _pairs(groups, Pairing(tree, units, may))


def _pairs(groups: Iterable[Sequence[Claim]], pairing: Pairing) -> Iterable[Unit]:
    for group in groups:
        for together in at_one_time(group) if len({claim.scope for claim in group}) > 1 else ():
            # Who knows the usage first: it has at most one beside it of each other scope.
            yield from pairing.pairs(sorted(together, key=lambda c: not c.used))


def _says_more(unit: Unit, other: Unit, tree: Tree) -> bool:
    """Whether at most one of two units says what was used, and the other leaves it to that."""
    used = any(claim.used for claim in unit), any(claim.used for claim in other)
    if all(used):
        return False
    knows, asks = (unit, other) if used[0] else (other, unit)
    if any(claim.billed for claim in asks):
        return any(used) and any(claim.used and claim.cost_usd is not None for claim in knows)
    below = any(tree.is_above(one, two) for one in knows for two in asks)
    return below if any(used) else not any(claim.billed for claim in knows)


def _alike(unit: Unit, other: Unit, tree: Tree) -> bool:
    """Whether two units may tell of one call: of one answer they would be one already."""
    mine, theirs = ({claim.response_id for claim in each} - {""} for each in (unit, other))
    known_apart = mine and theirs and not any(len(id_) < LONG_ID for id_ in mine & theirs)
    pairs = [(one, two) for one in unit for two in other]
    return (
        not known_apart
        and all(one.same_model(two) for one, two in pairs)
        and (
            any(one.overlaps(two) and tree.related(one, two) for one, two in pairs)
            or _strayed(unit, other)
            or _strayed(other, unit)
        )
    )


def _strayed(unit: Unit, other: Unit) -> bool:
    """Whether the roots of one unit ran within a call of another trace, and nothing tells where it was made:
    an instrumentation that does not hand on its context parts a call from its client's."""
    roots = [claim for claim in unit if not claim.parent_span_id]
    if {claim.trace_id for claim in unit} != {root.trace_id for root in roots}:
        return False
    return any(all(root.trace_id != o.trace_id and root.within(o) for root in roots) for o in other)


def apart(one: Claim, other: Claim) -> bool:
    """Whether one is a root that ran within the other."""
    return any(not a.parent_span_id and a.within(b) for a, b in ((one, other), (other, one)))


def at_one_time(group: Sequence[Claim]) -> list[list[Claim]]:
    """The claims as calls, the first one first: those that overlap are one."""
    calls: list[list[Claim]] = []
    ended_ns = -1
    for claim in sorted(group, key=order):
        if calls and claim.started_ns <= ended_ns:
            calls[-1].append(claim)
        else:
            calls.append([claim])
        ended_ns = max(ended_ns, claim.ended_ns)
    return calls


def order(claim: Claim) -> tuple[int, str, str]:
    """By their start; of two at once always the same first."""
    return claim.started_ns, claim.trace_id, claim.span_id
