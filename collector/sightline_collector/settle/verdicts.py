"""What the ledger shall say of each claim: paid, or told by another one. Pure, and in any order the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sightline_collector.settle.alike import order
from sightline_collector.settle.claim import Claim, Key, Verdict
from sightline_collector.settle.sums import Payers, Sums, sums_of
from sightline_collector.settle.tree import Tree
from sightline_collector.settle.twins import Verdicts, delivered_once, payer_of, twins

MOST_LOOKS = 4
"""So often twins are looked for, each time without what turned out to be the sum of several calls."""


def judge(claims: Sequence[Claim]) -> Verdicts:
    """A verdict on each claim that matters: every one that is in the totals, or must be."""
    once, verdicts = delivered_once(sorted(claims, key=lambda claim: (*order(claim), claim.received_ns)))
    tree = Tree(once)
    calls = _calls(once, tree)
    verdicts |= calls.told | dict(_of_sums(calls))
    for claim in once:
        if claim.key not in verdicts and (claim.paid or claim.spent):
            verdicts[claim.key] = _verdict(claim, calls.sums.parts)
    verdicts |= _of_streams(once, verdicts, tree)
    return verdicts | _told_by(once, verdicts, tree)


@dataclass(frozen=True, slots=True)
class _Calls:
    """Which claims another one tells better, who is paid for each, and which are sums."""

    told: Verdicts
    payers: Payers
    sums: Sums


def _calls(claims: Sequence[Claim], tree: Tree) -> _Calls:
    """The calls that claims tell of. A sum that bears the id of one of its parts is no twin of that part."""
    by_key = {claim.key: claim for claim in claims}
    wholes: set[Key] = set()
    for look in range(1, MOST_LOOKS + 1):
        told = twins(claims, tree, wholes)
        payers = {key: by_key[payer_of(key, told)] for key in told}
        payers |= {payer.key: payer for payer in payers.values()}
        payers |= {c.key: c for c in claims if c.key not in payers and c.payable and c.spent}
        sums = sums_of(payers, tree)
        if not sums.told_below or look == MOST_LOOKS:
            break
        wholes |= sums.told_below
    return _Calls(told, payers, sums)


def _of_sums(calls: _Calls) -> Iterator[tuple[Key, Verdict]]:
    """The verdicts on sums that have twins, and on those that would be paid for them: their parts are."""
    sums = calls.sums.parts
    for key, part in sorted(sums.items()):
        payer = calls.payers.get(key)
        if payer is not None and key in calls.told and payer.key not in calls.told:
            yield key, replace(_sum(part), beside=calls.told[key].beside)
            if payer.key not in sums:
                beside = part if part.trace_id != payer.trace_id else None
                yield payer.key, replace(_sum(part), beside=beside, twin_of=key)


def _sum(part: Claim) -> Verdict:
    return Verdict(False, "aggregate", f"its usage is that of the calls below it, such as {part.span_id}")


def _verdict(claim: Claim, sums: Mapping[Key, Claim]) -> Verdict:
    if not claim.payable:
        return Verdict(False, "aggregate", "its sender says that other spans hold its usage")
    if claim.key in sums:
        return _sum(sums[claim.key])
    if claim.paid:
        return Verdict(True)
    return Verdict(True, "promoted", "no span below it tells of its usage")


def _of_streams(claims: Sequence[Claim], verdicts: Verdicts, tree: Tree) -> Verdicts:
    """The verdicts on calls without usage below one that is paid because it alone knows of some: the last of
    them is the call that it is paid for."""
    calls: dict[Key, tuple[Claim, Claim]] = {}
    promoted = {key for key, verdict in verdicts.items() if verdict.why == "promoted"}
    silent = (c for c in claims if c.operation == "llm" and not c.spent and not c.cached)
    for claim in sorted(silent, key=order) if promoted else ():
        knows = next((span for span in tree.above(claim) if span.key in promoted), None)
        if knows is not None and verdicts[claim.key].counts and knows.same_model(claim):
            calls[knows.key] = knows, claim
    because = "the same call is paid as span {} above it, which alone knows its usage"
    return {
        claim.key: Verdict(False, "twin", because.format(knows.span_id), twin_of=knows.key)
        for knows, claim in calls.values()
    }


def _told_by(claims: Sequence[Claim], verdicts: Verdicts, tree: Tree) -> Verdicts:
    """The verdicts on what is paid and told by other spans, too: its twins, then the sums above it."""
    twins_of: dict[Key, list[Key]] = defaultdict(list)
    for key in sorted(verdicts):
        if (twin_of := verdicts[key].twin_of) is not None:
            twins_of[twin_of].append(key)
    sums = {key for key, verdict in verdicts.items() if verdict.why == "aggregate"}
    found = {}
    for claim in claims if twins_of or sums else ():
        verdict = verdicts.get(claim.key)
        if verdict is not None and verdict.counts:
            above = [span.key for span in tree.above(claim) if span.key in sums]
            also = [key for sum_ in above for key in (sum_, *twins_of[sum_])]
            beside = [key for twin in twins_of[claim.key] for key in (twin, *twins_of[twin])]
            if told_by := (*beside, *also):
                found[claim.key] = replace(verdict, told_by=told_by)
    return found
