"""A claim: what one delivered span says was used. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

PAID = frozenset({"llm", "embedding", "rerank"})
"""Operations that a provider bills: their spans are in the totals until a correction takes them out."""

NEVER_PAID = frozenset({"token_count", "fetch_response", "memory", "prompt"})
"""Operations whose tokens are not usage: a count asked for, an answer fetched again."""

NATIVE_SCOPES = ("com.anthropic.sdk.python", "mistralai_sdk_tracer")
"""Spans that a provider's own library makes: of two that tell of one call their numbers are the first-hand
ones."""

ANOTHER = re.compile(
    r"[^a-z0-9](?:mini|nano|lite|small|medium|large|plus|pro|max|ultra|turbo|flash|fast|thinking|reasoning|codex|coder"
    r"|audio|realtime|transcribe|tts|search|deep|image|vision|instruct|distill|embedding)(?![a-z])"
    r"|[.]\d|-\d{1,2}(?![0-9x])(?!-(?:\d\d|\d{4})(?![0-9]|-\d))"
)
"""What makes another model of a name behind which it stands: a size, a kind or a minor version, no date such
as -2025-04-14, -09-2025 or -05-06."""

POINT = re.compile(r"(?<=\d)\.(?=\d)")
"""Of claude-3.5 and claude-3-5: the same model."""

Key = tuple[str, str, int]
"""Trace, span, and which delivery of it: the nanosecond at which it was received."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivered span. Times in Unix ns, tokens None when not reported, money in USD."""

    trace_id: str
    span_id: str
    parent_span_id: str
    received_ns: int
    started_ns: int
    ended_ns: int
    operation: str
    service: str
    scope: str
    models: tuple[str, str]
    """The model that answered and the one asked for, either may be empty."""
    response_id: str
    input_tokens: int | None
    output_tokens: int | None
    other_usage: int
    """Audio, images, searches: anything counted beside tokens."""
    cost_usd: Decimal | None
    """What its own usage costs, as repriced since."""
    details: int
    """How much it says that its price depends on: cache, reasoning, other usage, tier."""
    weight: float
    cached: bool
    """A gateway says that it gave an answer again."""
    summed: bool
    """Its sender says that its usage is the sum of other spans' usage."""
    blocked: bool
    billed: bool = False
    """Its sender says what it cost."""

    @property
    def key(self) -> Key:
        """Its place in the ledger."""
        return self.trace_id, self.span_id, self.received_ns

    @property
    def paid(self) -> bool:
        """Whether the totals count it as it came."""
        return self.operation in PAID

    @property
    def used(self) -> bool:
        """Whether it says that anything was used."""
        return bool(self.input_tokens or self.output_tokens or self.other_usage)

    @property
    def spent(self) -> bool:
        """Whether it says that anything was used, or what it cost."""
        return self.used or self.billed

    @property
    def payable(self) -> bool:
        """Whether it may be paid: it used or cost something, and is no count, sum or refusal."""
        if self.paid:
            return True
        return self.spent and self.operation not in NEVER_PAID and not self.summed and not self.blocked

    @property
    def native(self) -> bool:
        """Whether the provider's own library made it."""
        return self.scope.startswith(NATIVE_SCOPES)

    def overlaps(self, other: Claim) -> bool:
        """Whether both ran at some moment."""
        return self.started_ns <= other.ended_ns and other.started_ns <= self.ended_ns

    def within(self, other: Claim) -> bool:
        """Whether it ran while the other did, from its start to its end."""
        return other.started_ns <= self.started_ns and self.ended_ns <= other.ended_ns

    def same_model(self, other: Claim) -> bool:
        """Whether both may be of one model: `claude-x` and `us.anthropic.claude-x-20250929` may."""
        mine, theirs = _spellings(self.models), _spellings(other.models)
        return not mine or not theirs or any(_names(*sorted((a, b), key=len)) for a in mine for b in theirs)

    def same_usage(self, other: Claim) -> bool:
        """Whether both report the same tokens, and some."""
        mine = (self.input_tokens or 0, self.output_tokens or 0)
        return mine == (other.input_tokens or 0, other.output_tokens or 0) and mine != (0, 0)


def _spellings(models: tuple[str, str]) -> set[str]:
    """The names without what stands before them in a path, versions written with dashes."""
    return {POINT.sub("-", name.lower().rpartition("/")[2]) for name in models if name}


@lru_cache(4096)
def _names(short: str, long: str) -> bool:
    """Whether the longer name is the shorter one's with a maker before it, or a version behind."""
    found = re.search(rf"(?:^|[.:]){re.escape(short)}(?![a-z0-9])", long)
    return found is not None and ANOTHER.match(long, found.end()) is None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the ledger shall say of a claim: how many calls it is paid for, and why."""

    counts: bool
    why: str = ""
    """aggregate, twin, redelivered, replayed, promoted; empty when it is paid as it came."""
    because: str = ""
    """The reason, for people."""
    beside: Claim | None = None
    """The claim of another trace that is paid instead: both traces are judged together from then on."""
    twin_of: Key | None = None
    """The claim that tells of the same call and is paid instead, if that is why."""
    told_by: tuple[Key, ...] = ()
    """Of one that is paid: who else tells of it and may say what it was made for, the best first."""
