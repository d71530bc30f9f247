"""What the ledger shall say of each claim: paid, or told by another one. Pure, and in any order the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from sightline_collector.settle.claim import Claim, Key, Verdict
from sightline_collector.settle.sums import sums_of
from sightline_collector.settle.tree import Tree
from sightline_collector.settle.twins import Verdicts, delivered_once, twins


def judge(claims: Sequence[Claim]) -> Verdicts:
    """A verdict on each claim that matters: every one that is in the totals, or must be."""
    once, verdicts = delivered_once(claims)
    tree = Tree(once)
    verdicts |= twins(once, tree)
    paid = [claim for claim in once if claim.key not in verdicts and claim.payable and claim.spent]
    sums = sums_of(paid, tree)
    for claim in once:
        if claim.key not in verdicts and (claim.paid or claim.spent):
            verdicts[claim.key] = _verdict(claim, sums)
    return verdicts | _told_by(once, verdicts, tree)


def _verdict(claim: Claim, sums: dict[Key, Claim]) -> Verdict:
    if not claim.payable:
        return Verdict(False, "aggregate", "its sender says that other spans hold its usage")
    part = sums.get(claim.key)
    if part is not None:
        return Verdict(False, "aggregate", f"its usage is that of the calls below it, such as {part.span_id}")
    if claim.paid:
        return Verdict(True)
    return Verdict(True, "promoted", "no span below it tells of its usage")


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
