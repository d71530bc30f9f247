"""What the ledger shall say of each claim: paid, or told by another one. Pure, and in any order the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from sightline_collector.settle.claim import Claim, Key, Verdict
from sightline_collector.settle.tree import Tree
from sightline_collector.settle.twins import Verdicts, delivered_once, twins

CALLERS = frozenset({
    "tool", "agent", "workflow", "chain", "step", "mcp", "guardrail", "evaluator", "retrieval", "memory",
    "prompt",
})  # fmt: skip
"""Operations that make calls of their own: what they use is no part of the call that led to them, unless its
usage is exactly theirs."""


def judge(claims: Sequence[Claim]) -> Verdicts:
    """A verdict on each claim that matters: every one that is in the totals, or must be."""
    once, verdicts = delivered_once(claims)
    tree = Tree(once)
    verdicts |= twins(once, tree)
    paid = [claim for claim in once if claim.key not in verdicts and claim.payable and claim.used]
    sums = _sums(paid, tree)
    for claim in once:
        if claim.key not in verdicts and (claim.paid or claim.used):
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
    for claim in sorted(claims, key=lambda c: c.key):
        verdict = verdicts.get(claim.key)
        if verdict is not None and verdict.twin_of is not None:
            twins_of[verdict.twin_of].append(claim.key)
    sums = {key for key, verdict in verdicts.items() if verdict.why == "aggregate"}
    found = {}
    for claim in claims if twins_of or sums else ():
        verdict = verdicts.get(claim.key)
        if verdict is not None and verdict.counts:
            above = [span.key for span in tree.above(claim) if span.key in sums]
            also = [key for sum_ in above for key in (sum_, *twins_of[sum_])]
            if told_by := (*twins_of[claim.key], *also):
                found[claim.key] = replace(verdict, told_by=told_by)
    return found


def _sums(paid: Sequence[Claim], tree: Tree) -> dict[Key, Claim]:
    """The claims whose usage is that of claims below them, each with one of those."""
    below: dict[Key, list[tuple[Claim, bool]]] = defaultdict(list)
    whole: dict[Key, Claim] = {}
    for part in paid:
        apart = False
        for span in tree.above(part):
            if span.paid or span.used:
                other_kind = span.operation == "llm" and part.operation in ("embedding", "rerank")
                below[span.key].append((part, apart or other_kind))
                whole[span.key] = span
            apart = apart or span.operation in CALLERS
    sums: dict[Key, Claim] = {}
    for key in sorted(below, key=lambda key: (-tree.depth(whole[key]), key)):
        # The deepest first: a sum is no part of the sums above it, its own parts are.
        parts = [each for each in below[key] if each[0].key not in sums]
        if parts and _is_sum(whole[key], parts):
            sums[key] = parts[0][0]
    return sums


def _is_sum(whole: Claim, parts: Sequence[tuple[Claim, bool]]) -> bool:
    """A whole holds its parts. What a model call's tools, guards and agents used is in it only when they add
    up to it."""
    if not whole.paid or any(not apart for _, apart in parts):
        return True
    used_in = sum(part.input_tokens or 0 for part, _ in parts)
    used_out = sum(part.output_tokens or 0 for part, _ in parts)
    return used_in == (whole.input_tokens or 0) and used_out == (whole.output_tokens or 0)
