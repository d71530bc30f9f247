"""Which claims are sums of claims below them. Pure, and as long as there are spans, however deep they stand.

From the leaves to the roots each span is told which calls were made below it: those that are paid there, and
those that a twin or an earlier answer is paid for elsewhere. A span that is the sum of some tells no more to
the one above it than they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sightline_collector.settle.claim import Claim, Key
from sightline_collector.settle.tree import Place, Tree

CALLERS = frozenset({
    "tool", "agent", "workflow", "chain", "step", "mcp", "guardrail", "evaluator", "retrieval", "memory",
    "prompt",
})  # fmt: skip
"""Operations that make calls of their own: what they use is no part of the call that led to them, unless its
usage is exactly theirs."""

VECTORS = ("embedding", "rerank")
"""What a language model's call does not do itself."""

MOST_PARTS = 1000
"""Of more calls below a span none is told apart."""

Payers = Mapping[Key, Claim]
"""Of each claim that tells of a call: the one that is paid for it, itself or another."""


@dataclass(slots=True)
class Parts:
    """The calls below a span, each once, by who is paid for it and as a claim that stands there; the first
    claim that tells of one; their tokens, and which may be the span's own, as texts or as vectors: no caller
    between."""

    calls: dict[Key, Claim] = field(default_factory=dict)
    first: Claim | None = None
    texts: set[Key] = field(default_factory=set)
    vectors: set[Key] = field(default_factory=set)
    used: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def add(self, call: Key, claim: Claim) -> None:
        """Count a call once: as the first told claim that knows its usage, which is the innermost."""
        self.first = claim if self.first is None else min(self.first, claim, key=_order)
        counted = self.calls.get(call)
        if counted is not None:
            if counted.used or not claim.used:
                return
            self._count(counted, -1)
        self.calls[call] = claim
        self._count(claim, 1)

    def without(self, call: Key) -> Parts:
        """All but one of them."""
        rest = {key: claim for key, claim in self.calls.items() if key != call}
        parts = replace(self, calls=rest, texts=self.texts - {call}, vectors=self.vectors - {call})
        parts.first = min(rest.values(), key=_order, default=None)
        parts._count(self.calls[call], -1)
        return parts

    def _count(self, claim: Claim, sign: int) -> None:
        self.used += sign * claim.used
        self.input_tokens += sign * (claim.input_tokens or 0)
        self.output_tokens += sign * (claim.output_tokens or 0)

    def also(self, other: Parts) -> Parts:
        """Both, in the larger one of them."""
        larger, smaller = (self, other) if len(self.calls) >= len(other.calls) else (other, self)
        for call, claim in smaller.calls.items():
            larger.add(call, claim)
        larger.first = min((one for one in (larger.first, smaller.first) if one), key=_order, default=None)
        larger.texts |= smaller.texts
        larger.vectors |= smaller.vectors
        return larger


@dataclass(frozen=True, slots=True)
class Sums:
    """The claims that are sums, each with a part of it."""

    parts: dict[Key, Claim] = field(default_factory=dict)
    told_below: set[Key] = field(default_factory=set)
    """Those that are held for twins of one of their own parts."""


def sums_of(payers: Payers, tree: Tree) -> Sums:
    """The claims of the tree whose usage is that of calls below them."""
    below: dict[Place, Parts] = {}
    sums = Sums()
    for span in tree.from_below():
        parts = below.pop((span.trace_id, span.span_id), None) or Parts()
        payer = payers.get(span.key)
        part = _part(span, payer, parts)
        if part is not None:
            sums.parts[span.key] = part
            if payer is not None and payer.key in parts.calls:
                sums.told_below.add(span.key)
        if span.operation in CALLERS:
            parts.texts, parts.vectors = set(), set()
        if payer is not None and part is None:
            _tell(span, payer, parts)
        if parts.calls:
            above = (span.trace_id, span.parent_span_id)
            below[above] = parts.also(below[above]) if above in below else parts
    return sums


def _tell(span: Claim, payer: Claim, parts: Parts) -> None:
    """Add what a span tells to what is told below it."""
    parts.add(payer.key, span if span.used else payer)
    if span.operation in VECTORS:
        parts.vectors.add(payer.key)
    elif span.operation not in CALLERS:
        parts.texts.add(payer.key)


def _part(span: Claim, payer: Claim | None, parts: Parts) -> Claim | None:
    """A part of what it is the sum of, the first; None when it is no sum. A call that it tells of and another
    one below it, too, is no part of it unless it says of more than that call."""
    inner = parts.calls.get(payer.key) if payer is not None else None
    if payer is None or inner is None:
        return parts.first if _is_sum(span, parts) else None
    if len(parts.calls) == 1 or (inner is not span and span.same_usage(inner)):
        return None
    beside = parts.without(payer.key) if len(parts.calls) <= MOST_PARTS else parts
    return parts.first if _adds_up(span, parts) or _is_sum(span, beside) else None


def _is_sum(whole: Claim, parts: Parts) -> bool:
    """A whole holds its parts, unless it answered and they are vectors alone. What a model call's tools,
    guards and agents used is in it only when they add up to it."""
    if not parts.calls:
        return False
    if not whole.paid:
        return whole.spent and not (whole.output_tokens and parts.used and not parts.output_tokens)
    if whole.used and not parts.used:
        return False
    if parts.texts or (parts.vectors and whole.operation != "llm"):
        return _holds(whole, parts)
    return _adds_up(whole, parts)


def _adds_up(whole: Claim, parts: Parts) -> bool:
    used = parts.input_tokens, parts.output_tokens
    return used == (whole.input_tokens or 0, whole.output_tokens or 0) != (0, 0)


def _holds(whole: Claim, parts: Parts) -> bool:
    """Whether a call is told again below it: of another model less than half of it is a call of its own,
    such as one for a title. Two counts of one call differ, but not that much."""
    told = parts.input_tokens + parts.output_tokens
    used = (whole.input_tokens or 0) + (whole.output_tokens or 0)
    return 2 * told >= used or any(whole.same_model(part) for part in parts.calls.values())


def _order(claim: Claim) -> tuple[int, Key]:
    return claim.started_ns, claim.key
