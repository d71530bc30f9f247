"""Which claims tell of one and the same call. Pure.

Two instrumentations of a library, or an instrumentation and the library's own spans, each make a span of
every call: one above the other, side by side, or in two traces. A response's id tells best; where one lacks
it, the same tokens of the same model at the same time, told by two scopes, do. Calls that one scope tells of
side by side are calls of their own, however alike: a program asks the same thing twice in parallel.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sightline_collector.settle.alike import apart, at_one_time, by_likeness, by_silence, order
from sightline_collector.settle.claim import Claim, Key, Verdict
from sightline_collector.settle.tree import Tree

LONG_ID = 20
"""Providers' ids are random and at least that long. A shorter one may be a constant of a small server: it
tells of one call only what two scopes say at the same time."""

AGAIN_NS = 3_600 * 10**9
"""How long after it was last given an answer that is given again is known; then it is a call of its own."""

MOST_ALIKE = 200
"""So many claims may share an id as to make comparing them dear: then the first of each call is compared."""

Verdicts = dict[Key, Verdict]


def delivered_once(claims: Sequence[Claim]) -> tuple[list[Claim], Verdicts]:
    """The claims without repetitions of a span; of two deliveries the one with more usage, then the first."""
    by_place: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        by_place[claim.trace_id, claim.span_id].append(claim)
    kept, verdicts = [], {}
    for deliveries in by_place.values():
        first, *again = sorted(deliveries, key=lambda c: (-_tokens(c), not c.billed, c.received_ns))
        kept.append(first)
        for claim in again:
            twice = Verdict(False, "redelivered", "this span came twice: one delivery counts")
            verdicts[claim.key] = replace(twice, twin_of=first.key)
    return kept, verdicts


def twins(claims: Sequence[Claim], tree: Tree) -> Verdicts:
    """Verdicts on the claims that another one tells better."""
    payable = [claim for claim in claims if claim.payable]
    verdicts: Verdicts = {}
    for group in _by_response(payable):
        _judge(_calls(group, tree), verdicts, tree, "the same response id")
    left = [claim for claim in payable if claim.key not in verdicts]
    for group in by_likeness(left, tree):
        _judge([group], verdicts, tree, "the same tokens, model and time")
    left = [claim for claim in left if claim.key not in verdicts]
    for group in by_silence(left, tree):
        _judge([group], verdicts, tree, "the same model and time")
    return verdicts


def _by_response(claims: Iterable[Claim]) -> Iterable[list[Claim]]:
    by_id: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.response_id:
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
    near = _near(groups) if len(told[0].response_id) >= LONG_ID else [[group] for group in groups]
    yield from (call for each in near for call in _as_told(each) if len(call) > 1)


def _near(groups: Sequence[list[Claim]]) -> Iterable[list[list[Claim]]]:
    """The groups, parted where more than AGAIN_NS lies between: so far is looked from what comes."""
    parts: list[list[list[Claim]]] = []
    latest_ns = 0
    for group in groups:
        if parts and group[0].started_ns - latest_ns <= AGAIN_NS:
            parts[-1].append(group)
        else:
            parts.append([group])
        latest_ns = max(latest_ns, group[-1].started_ns)
    return parts


def _as_told(groups: Sequence[list[Claim]]) -> Sequence[list[Claim]]:
    """The groups as one when all say the same. Asked for, waited for, fetched again: what says of no usage is
    no other answer."""
    known = [next((claim for claim in group if claim.used), None) for group in groups]
    answers = {(claim.input_tokens, claim.output_tokens) for claim in known if claim is not None}
    return [[claim for group in groups for claim in group]] if len(answers) == 1 else groups


def _one_answer(one: Claim, other: Claim) -> bool:
    """Whether two claims with one response id were made at one time. Two scopes' tokens may differ: an
    instrumentation that adds up a stream's running totals counts some twice."""
    two_scopes, sure = one.scope != other.scope, len(one.response_id) >= LONG_ID
    if not one.same_model(other) or not one.overlaps(other):
        return False
    if two_scopes and (sure or one.trace_id == other.trace_id):
        return True
    return (two_scopes or sure) and (one.same_usage(other) or not (one.used and other.used))


def _calls(group: Sequence[Claim], tree: Tree) -> list[list[Claim]]:
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


def _judge(calls: Sequence[Sequence[Claim]], verdicts: Verdicts, tree: Tree, how: str) -> None:
    """One claim is paid: of those that told of the answer first the one that knows best. Those at its time
    are its twins, later ones its replays, unless a gateway itself says that it gave an answer again: that is
    a call of its own, which costs nothing."""
    bought = [call for call in calls if not any(claim.cached for claim in call)] or calls
    payer = _best(next((call for call in bought if any(claim.used for claim in call)), bought[0]), tree)
    for call in calls:
        kept = _best(call, tree)
        if not (kept.used or kept.cached) and payer.used:
            kept = payer
        for claim in call:
            if claim is not kept:
                same = _instead("twin", "the same call is paid as", kept, how)
                verdicts[claim.key] = replace(same, twin_of=kept.key)
        if kept is not payer and not kept.cached:
            verdicts[kept.key] = _instead("replayed", "given again is the answer of", payer, how)


def _best(call: Sequence[Claim], tree: Tree) -> Claim:
    """Whose numbers count: a gateway's word, then who has usage, a price, its parts; the library's own."""
    return min(
        call,
        key=lambda c: (
            not c.cached, not c.used, c.cost_usd is None, -c.details, not c.native, -tree.depth(c), *order(c)
        ),
    )  # fmt: skip


def _instead(why: str, says: str, kept: Claim, how: str) -> Verdict:
    because = f"{says} span {kept.span_id} of trace {kept.trace_id} ({how})"
    return Verdict(False, why, because, beside=kept.trace_id)


def _tokens(claim: Claim) -> int:
    return (claim.input_tokens or 0) + (claim.output_tokens or 0) + claim.other_usage
