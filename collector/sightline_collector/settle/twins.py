"""Which claims tell of one and the same call. Pure.

Two instrumentations of a library, or an instrumentation and the library's own spans, each make a span of
every call: one above the other, side by side, or in two traces. A response's id tells best; where one lacks
it, the same tokens of the same model at the same time, told by two scopes, do. Calls that one scope tells of
side by side are calls of their own, however alike: a program asks the same thing twice in parallel.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from sightline_collector.settle.alike import by_likeness, by_short_id, by_silence, order
from sightline_collector.settle.claim import Claim, Key, Verdict
from sightline_collector.settle.same_answer import by_response, calls_of
from sightline_collector.settle.tree import Tree
from sightline_collector.settle.unit import Unit, Units

Verdicts = dict[Key, Verdict]

LOOKS = (
    (by_likeness, "the same tokens, model and time"),
    (by_short_id, "the same response id"),
    (by_silence, "the same model and time"),
)
"""How twins are found that have no long response id in common, the surest way first."""


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


def twins(claims: Sequence[Claim], tree: Tree, wholes: Collection[Key] = ()) -> Verdicts:
    """Verdicts on the claims that another one tells better. `wholes` are sums of several calls, of one of
    which they seem to tell."""
    payable = [claim for claim in claims if claim.payable and claim.key not in wholes]
    units = Units(payable)
    again: dict[Key, Claim] = {}
    for group in by_response(payable):
        again |= _one_answer(calls_of(group, tree), units, tree)
    for alike, how in LOOKS:
        for told in alike(payable, tree, units):
            units.join(told, how)
    kept = {id(unit): _kept(unit, again, tree) for unit in units}
    return {
        claim.key: verdict
        for unit in units
        if len(unit) > 1 or unit[0].key in again
        for claim, verdict in _told(unit, kept, again, units)
    }


def payer_of(key: Key, verdicts: Verdicts) -> Key:
    """Who is paid for the call that a claim tells of: itself or another one."""
    verdict = verdicts.get(key)
    return key if verdict is None or verdict.twin_of is None else verdict.twin_of


def _one_answer(calls: Sequence[Unit], units: Units, tree: Tree) -> dict[Key, Claim]:
    """Join what tells of each call of an answer; of later calls who tells of them, with who told of it first.
    Those are its replays, unless a gateway itself says that it gave an answer again: that is a call of its
    own, which costs nothing."""
    bought = [call for call in calls if not any(claim.cached for claim in call)] or calls
    first = next((call for call in bought if any(claim.used for claim in call)), bought[0])
    payer, again = _best(first, tree), {}
    for call in calls:
        kept = _best(call, tree)
        if not (kept.used or kept.cached) and payer.used:
            call = [*first, *call]
        elif call is not first and not kept.cached:
            again[kept.key] = payer
        units.join(call, "the same response id")
    return again


def _kept(unit: Unit, again: Mapping[Key, Claim], tree: Tree) -> Claim:
    """Whose numbers count: an answer given again stays one, whoever else tells of it."""
    return _best([claim for claim in unit if claim.key in again] or unit, tree)


def _told(
    unit: Unit, kept: Mapping[int, Claim], again: Mapping[Key, Claim], units: Units
) -> Iterator[tuple[Claim, Verdict]]:
    paid = kept[id(unit)]
    for claim in unit:
        if claim is not paid:
            how = units.how[claim.key] or units.how[paid.key]
            same = _instead(claim, paid, "twin", f"the same call is paid as {{}} ({how})")
            yield claim, replace(same, twin_of=paid.key)
    if paid.key in again:
        first = kept[id(units.of(again[paid.key]))]
        yield (
            paid,
            _instead(paid, first, "replayed", "given again is the answer of {} (the same response id)"),
        )


def _best(call: Sequence[Claim], tree: Tree) -> Claim:
    """Whose numbers count: a gateway's word, then who has usage, as a call and not as what may be the sum of
    some, a price, its parts; the library's own; those that most tell. Who adds up a stream's running totals
    counts some twice."""
    agree = Counter((c.input_tokens, c.output_tokens) for c in call)
    return min(
        call,
        key=lambda c: (
            not c.cached, not c.used, not c.paid, c.cost_usd is None, -c.details, not c.native,
            -agree[c.input_tokens, c.output_tokens], -tree.depth(c), c.output_tokens or 0, *order(c)
        ),
    )  # fmt: skip


def _instead(claim: Claim, paid: Claim, why: str, because: str) -> Verdict:
    told = because.format(f"span {paid.span_id} of trace {paid.trace_id}")
    return Verdict(False, why, told, beside=paid if paid.trace_id != claim.trace_id else None)


def _tokens(claim: Claim) -> int:
    return (claim.input_tokens or 0) + (claim.output_tokens or 0) + claim.other_usage
