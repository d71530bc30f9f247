"""Which claims without a common response id, or with a short one, tell of one call: two scopes' that look
alike. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice

from sightline_collector.settle.claim import Claim, Key
from sightline_collector.settle.tree import Tree

MOST_COMPARED = 200_000
"""Of a thousand claims with the same tokens at one time each is compared with the two hundred of another
scope that are nearest in time; of more, with fewer."""

May = Callable[[Claim, Claim], bool]


def by_likeness(claims: Sequence[Claim], tree: Tree) -> Iterable[list[Claim]]:
    """Pairs told by two scopes without a common response id."""
    alike: dict[tuple[str, int, int], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.used and claim.paid:
            alike[claim.service, claim.input_tokens or 0, claim.output_tokens or 0].append(claim)
    for group in alike.values():
        for together in at_one_time(group) if len({claim.scope for claim in group}) > 1 else ():
            yield from _pairs(together, lambda one, other: _alike(one, other, tree))


def _pairs(group: Sequence[Claim], may: May) -> Iterable[list[Claim]]:
    """Each claim, the first one first, with at most one of every other scope, the nearest in time."""
    waiting: dict[str, dict[Key, Claim]] = defaultdict(dict)
    for claim in group:
        waiting[claim.scope][claim.key] = claim
    looked_at = max(1, MOST_COMPARED // len(group))
    for first in group:
        if waiting[first.scope].pop(first.key, None) is None:
            continue
        pair = [first]
        for scope, others in waiting.items():
            near = islice(others.values(), looked_at) if scope != first.scope else ()
            other = next((claim for claim in near if may(first, claim)), None)
            if other is not None:
                pair.append(others.pop(other.key))
        if len(pair) > 1:
            yield pair


def by_short_id(claims: Iterable[Claim], told: Mapping[Key, Collection[str]]) -> Iterable[list[Claim]]:
    """Pairs of one trace with one response id, whatever their tokens, that ran at one time, unless the call
    that one tells of is `told` by the other's scope already. A small server may give every answer the same
    id, also at one time."""
    by_id: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.response_id:
            by_id[claim.trace_id, claim.response_id].append(claim)

    def may(one: Claim, other: Claim) -> bool:
        both = one.key in told and other.key in told
        twice = other.scope in told.get(one.key, ()) or one.scope in told.get(other.key, ())
        return not both and not twice and one.same_model(other) and one.overlaps(other)

    for group in by_id.values():
        for together in at_one_time(group) if len({claim.scope for claim in group}) > 1 else ():
            yield from _pairs(together, may)


def by_silence(claims: Iterable[Claim], tree: Tree) -> Iterable[list[Claim]]:
    """Pairs of one trace of which one says what the call cost, and no more, or neither says anything, or
    the inner one does not."""
    alike: dict[tuple[str, str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.paid:
            alike[claim.trace_id, claim.service, claim.operation].append(claim)

    def may(one: Claim, other: Claim) -> bool:
        silent = not one.spent and not other.spent
        says = silent or _costs(one, other) or _costs(other, one) or _asks(one, other, tree)
        return says and _alike(one, other, tree)

    for group in alike.values():
        if len({claim.scope for claim in group}) > 1 and not all(claim.used for claim in group):
            for together in at_one_time(group):
                # Who knows the usage first: it has at most one beside it of each other scope.
                yield from _pairs(sorted(together, key=lambda c: not c.used), may)


def _costs(one: Claim, other: Claim) -> bool:
    return one.billed and not one.used and other.used and other.cost_usd is not None


def _asks(one: Claim, other: Claim, tree: Tree) -> bool:
    """Whether one knows the usage of what the other, below it, did: a client that streams may not."""
    return one.used and not other.spent and any(span is one for span in tree.above(other))


def _alike(one: Claim, other: Claim, tree: Tree) -> bool:
    ids = {one.response_id, other.response_id}
    known_apart = "" not in ids and len(ids) > 1
    return not known_apart and one.same_model(other) and _together(one, other, tree)


def _together(one: Claim, other: Claim, tree: Tree) -> bool:
    """Near each other in one trace at one time; or in two traces, one of them a root that ran within the
    other: an instrumentation that does not hand on its context parts a call from its client's."""
    if one.trace_id == other.trace_id:
        return one.overlaps(other) and tree.related(one, other)
    return apart(one, other)


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
