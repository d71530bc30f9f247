"""Which claims tell of one and the same call. Pure.

Two instrumentations of a library, or an instrumentation and the library's own spans, each make a span of
every call: one above the other, side by side, or in two traces. A response's id tells best; where one lacks
it, the same tokens of the same model at the same time, told by two scopes, do. Calls that one scope tells of
side by side are calls of their own, however alike: a program asks the same thing twice in parallel.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from sightline_collector.settle.alike import by_likeness, by_short_id, by_silence, order
from sightline_collector.settle.claim import Claim, Key, Verdict
from sightline_collector.settle.same_answer import LONG_ID, by_response, calls_of
from sightline_collector.settle.tree import Tree

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
    for group in by_response(payable):
        _judge(calls_of(group, tree), verdicts, tree, "the same response id")
    left = [claim for claim in payable if claim.key not in verdicts]
    for group in by_likeness(left, tree):
        _judge([group], verdicts, tree, "the same tokens, model and time")
    left = [claim for claim in left if claim.key not in verdicts]
    told: dict[Key, set[str]] = defaultdict(set)
    for claim in payable:
        if (verdict := verdicts.get(claim.key)) is not None and verdict.twin_of is not None:
            told[verdict.twin_of].add(claim.scope)
    for group in by_short_id((claim for claim in left if len(claim.response_id) < LONG_ID), told):
        _judge([group], verdicts, tree, "the same response id")
    left = [claim for claim in left if claim.key not in verdicts]
    for group in by_silence(left, tree):
        _judge([group], verdicts, tree, "the same model and time")
    return verdicts


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
                same = _instead(claim, kept, "twin", f"the same call is paid as {{}} ({how})")
                verdicts[claim.key] = replace(same, twin_of=kept.key)
        if kept is not payer and not kept.cached:
            again = _instead(kept, payer, "replayed", f"given again is the answer of {{}} ({how})")
            verdicts[kept.key] = again


def _best(call: Sequence[Claim], tree: Tree) -> Claim:
    """Whose numbers count: a gateway's word, then who has usage, as a call and not as what may be the sum of
    some, a price, its parts; the library's own."""
    return min(
        call,
        key=lambda c: (
            not c.cached, not c.used, not c.paid, c.cost_usd is None, -c.details, not c.native,
            -tree.depth(c), *order(c)
        ),
    )  # fmt: skip


def _instead(claim: Claim, paid: Claim, why: str, because: str) -> Verdict:
    told = because.format(f"span {paid.span_id} of trace {paid.trace_id}")
    return Verdict(False, why, told, beside=paid if paid.trace_id != claim.trace_id else None)


def _tokens(claim: Claim) -> int:
    return (claim.input_tokens or 0) + (claim.output_tokens or 0) + claim.other_usage
