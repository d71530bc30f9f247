"""Which claims are sums of claims below them. Pure, and as long as there are spans, however deep they stand.

From the leaves to the roots each span is told what was used below it. A span that is the sum of that tells no
more to the one above it; what is paid itself does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sightline_collector.settle.claim import Claim, Key, Models
from sightline_collector.settle.tree import Place, Tree

CALLERS = frozenset({
    "tool", "agent", "workflow", "chain", "step", "mcp", "guardrail", "evaluator", "retrieval", "memory",
    "prompt",
})  # fmt: skip
"""Operations that make calls of their own: what they use is no part of the call that led to them, unless its
usage is exactly theirs."""

VECTORS = ("embedding", "rerank")
"""What a language model's call does not do itself."""

MOST_MODELS = 20
"""Of the models used below a span so many are known, the first by their names."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is used or paid below a span: the first claim of it in time, its tokens and models, whether any of
    it says of usage, and whether any may be the span's own, as texts or as vectors: no caller between."""

    first: Claim | None = None
    used: bool = False
    texts: bool = False
    vectors: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    models: tuple[Models, ...] = ()

    def __add__(self, other: Parts) -> Parts:
        told = [claim for claim in (self.first, other.first) if claim is not None]
        return Parts(
            min(told, key=lambda c: (c.started_ns, c.key), default=None),
            self.used or other.used,
            self.texts or other.texts,
            self.vectors or other.vectors,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            tuple(sorted({*self.models, *other.models})[:MOST_MODELS]),
        )


NONE = Parts()


def sums_of(paid: Sequence[Claim], tree: Tree) -> dict[Key, Claim]:
    """The claims of the tree whose usage is that of `paid` ones below them, each with one of those."""
    parts_of = {claim.key: _alone(claim) for claim in paid}
    below: dict[Place, Parts] = defaultdict(Parts)
    sums: dict[Key, Claim] = {}
    for span in tree.from_below():
        parts = below.pop((span.trace_id, span.span_id), NONE)
        own = parts_of.get(span.key, NONE)
        if parts.first is not None and _is_sum(span, parts):
            sums[span.key], own = parts.first, NONE
        if span.operation in CALLERS:
            parts = replace(parts, texts=False, vectors=False)
        if parts.first or own.first:
            below[span.trace_id, span.parent_span_id] += parts + own
    return sums


def _alone(claim: Claim) -> Parts:
    vectors = claim.operation in VECTORS
    texts = not vectors and claim.operation not in CALLERS
    tokens = claim.input_tokens or 0, claim.output_tokens or 0
    return Parts(claim, claim.used, texts, vectors, *tokens, (claim.models,))


def _is_sum(whole: Claim, parts: Parts) -> bool:
    """A whole holds its parts, unless it answered and they are vectors alone. What a model call's tools,
    guards and agents used is in it only when they add up to it."""
    if not whole.paid:
        return whole.spent and not (whole.output_tokens and parts.used and not parts.output_tokens)
    if whole.used and not parts.used:
        return False
    if parts.texts or (parts.vectors and whole.operation != "llm"):
        return _holds(whole, parts)
    used = parts.input_tokens, parts.output_tokens
    return used == (whole.input_tokens or 0, whole.output_tokens or 0) != (0, 0)


def _holds(whole: Claim, parts: Parts) -> bool:
    """Whether a call is told again below it: of another model less than half of it is a call of its own,
    such as one for a title. Two counts of one call differ, but not that much."""
    told = parts.input_tokens + parts.output_tokens
    used = (whole.input_tokens or 0) + (whole.output_tokens or 0)
    return 2 * told >= used or any(whole.of_model(models) for models in parts.models)
