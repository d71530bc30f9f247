"""Which claims with one response id tell of one answer, and of how many calls. Pure.

An answer is asked for, waited for, fetched, and given again by a gateway; two scopes tell of each. However
much later it is given again, it is the same. All that holds of long ids: a short one may be any call's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sightline_collector.settle.alike import LONG_ID, apart, at_one_time, order
from sightline_collector.settle.claim import Claim, Key
from sightline_collector.settle.tree import Tree

MOST_ALIKE = 200
"""So many claims may share an id as to make comparing them dear: then the first of each call is compared."""


def by_response(claims: Iterable[Claim]) -> Iterable[list[Claim]]:
    """The claims that tell of one answer, in the order of their starts; of those of one id that say different
    things each answer is apart."""
    by_id: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        if len(claim.response_id) >= LONG_ID:
            by_id[claim.response_id].append(claim)
    for told in by_id.values():
        if len(told) > 1:
            yield from _same_calls(sorted(told, key=order))


def _same_calls(told: Sequence[Claim]) -> Iterable[list[Claim]]:
    """Claims with one response id as calls: those that ran at the same time, and those that say the same
    later. A server that gives every answer the same id is known by answers that differ."""
    groups: list[list[Claim]] = []
    running: list[list[Claim]] = []
    looked_at = None if len(told) <= MOST_ALIKE else 1
    for claim in told:
        # They come by their start: what had ended by then, no later one overlaps.
        running = [g for g in running if any(o.ended_ns >= claim.started_ns for o in g[:looked_at])]
        running = running[-MOST_ALIKE:]
        group = next((g for g in running if any(_one_answer(claim, o) for o in g[:looked_at])), None)
        if group is None:
            groups.append([claim])
            running.append(groups[-1])
        else:
            group.append(claim)
    yield from (call for call in _as_told(groups) if len(call) > 1)


def _as_told(groups: Sequence[list[Claim]]) -> Sequence[list[Claim]]:
    """The groups as one when all say the same. Asked for, waited for, fetched again: what says of no usage is
    no other answer."""
    known = [next((claim for claim in group if claim.used), None) for group in groups]
    answers = {(claim.input_tokens, claim.output_tokens) for claim in known if claim is not None}
    return [[claim for group in groups for claim in group]] if len(answers) == 1 else groups


def _one_answer(one: Claim, other: Claim) -> bool:
    """Whether two claims with one response id were made at one time. Two scopes' tokens may differ: an
    instrumentation that adds up a stream's running totals counts some twice."""
    if not one.same_model(other) or not one.overlaps(other):
        return False
    return one.scope != other.scope or one.same_usage(other) or not (one.used and other.used)


def calls_of(group: Sequence[Claim], tree: Tree) -> list[list[Claim]]:
    """The claims with one answer as calls, the first one first: those a gateway gave it again for, and of the
    others those that overlap."""
    again = _given_again(group, tree)
    told = {claim.key for call in again for claim in call}
    calls = again + at_one_time([claim for claim in group if claim.key not in told])
    return sorted(calls, key=lambda call: min(map(order, call)))


def _given_again(group: Sequence[Claim], tree: Tree) -> list[list[Claim]]:
    """Each claim of an answer given again, with those that it speaks for: what stands above or below it, and
    beside it what another scope tells. The answer that was bought may overlap it: one scope's are two calls.
    """
    by_trace: dict[str, list[list[Claim]]] = defaultdict(list)
    beside = []
    for claim in sorted(group, key=lambda c: (not c.cached, *order(c))):
        near = by_trace[claim.trace_id][-MOST_ALIKE:]
        call = next((each for each in near if tree.in_line(each[0], claim)), None)
        if call is not None:
            call.append(claim)
        elif claim.cached:
            by_trace[claim.trace_id].append([claim])
        else:
            beside.append(claim)
    calls = [call for each in by_trace.values() for call in each]
    if len(calls) * len(beside) <= MOST_ALIKE**2:
        for call in calls:
            beside = _spoken_for(call, beside)
    return calls


def _spoken_for(call: list[Claim], beside: Sequence[Claim]) -> list[Claim]:
    """Add to a call given again the nearest claim of each other scope; what is left."""
    first, scopes, left = call[0], {claim.scope for claim in call}, []
    for claim in sorted(beside, key=lambda c: _distance(c, first)):
        in_time = claim.overlaps(first) if claim.trace_id == first.trace_id else apart(claim, first)
        if claim.scope not in scopes and in_time:
            call.append(claim)
            scopes.add(claim.scope)
        else:
            left.append(claim)
    return left


def _distance(one: Claim, other: Claim) -> tuple[bool, int, Key]:
    return one.trace_id != other.trace_id, abs(one.started_ns - other.started_ns), one.key
