"""The ledger's entries: what is read of them, and the corrections that are appended.

counted  =  what the span added as it came  +  its corrections
correction  =  what the verdict says  -  counted
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from sightline_collector.settle.claim import Claim, Key, Verdict

WRITER = "ledger"
"""Who wrote a correction: no sender's segment, so that no segment's count of rows sees it."""

SAMPLED, REPRICED, REPEATED = "sampled", "repriced", "repeated"
"""Corrections that no verdict asks for: each kind is summed up by itself."""

CUT_USD = Decimal("0.000000000001")
"""What the store keeps of an amount."""
MOST_USD = Decimal(900_000)
"""What one entry may add by its weight: the store's amounts end at a million."""

DIMENSIONS = (
    "project", "trace_id", "span_id", "parent_span_id", "service", "name", "provider", "model",
    "request_model", "response_model", "response_id", "feature", "user_id", "session_id", "prompt_name",
    "prompt_version", "experiment", "variant", "shadow", "agent", "tool", "status", "cost_status",
    "price_id", "price_source", "scope_name", "dialect",
)  # fmt: skip
"""What a correction repeats of its span, so that every sum over some of the spans takes it in."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Amounts:
    """What an entry adds to the totals: calls, tokens, USD."""

    calls: int = 0
    priced: int = 0
    unpriced: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: Decimal = Decimal(0)

    def __add__(self, other: Amounts) -> Amounts:
        return self._with(other, 1)

    def __sub__(self, other: Amounts) -> Amounts:
        return self._with(other, -1)

    def _with(self, other: Amounts, sign: int) -> Amounts:
        sums = {name: getattr(self, name) + sign * getattr(other, name) for name in AMOUNTS}
        return Amounts(**sums)

    def times(self, weight: float) -> Amounts:
        """For how much a span stands that is one of `weight`; whole calls and tokens, cost to the digit, and
        no more than an entry can hold."""
        counts = {name: round(getattr(self, name) * weight) for name in COUNTS}
        cost_usd = min(self.cost_usd * Decimal(str(weight)), MOST_USD).quantize(CUT_USD)
        return Amounts(**counts, cost_usd=cost_usd)


AMOUNTS = tuple(field.name for field in fields(Amounts))
COUNTS = tuple(name for name in AMOUNTS if name != "cost_usd")
NOTHING = Amounts()


def amounts_of(row: Row) -> Amounts:
    """The amounts of a row with those columns; NULL adds nothing."""
    return Amounts(**{name: row[name] or 0 for name in COUNTS}, cost_usd=Decimal(row["cost_usd"] or 0))


@dataclass(frozen=True, slots=True)
class Entry:
    """A span's entry, with its corrections so far: `settled` by verdicts, and those of the other kinds."""

    claim: Claim
    row: Row
    own: Amounts
    """What its usage comes to when it is paid, at its price as it came."""
    settled: Amounts = NOTHING
    sampled: Amounts = NOTHING
    repriced: Amounts = NOTHING
    repeated: Amounts = NOTHING
    status: str = "priced"
    """The cost_status of its usage when it is paid, as repriced since."""
    copies: tuple[Amounts, ...] = ()
    """What its copies in the same request added: nothing tells such rows apart."""

    @property
    def came(self) -> Amounts:
        """What it added as it came."""
        return self.own if self.claim.paid else NOTHING


def corrections(entry: Entry, verdict: Verdict) -> Iterable[dict[str, Any]]:
    """The rows that bring the ledger to the verdict: none when it is there."""
    if entry.claim.paid:
        change = NOTHING - sum(entry.copies, NOTHING) - entry.repeated
        if change != NOTHING:
            yield _row(entry, change, REPEATED, f"one request held this span {1 + len(entry.copies)} times")
    whole = entry.own + entry.repriced
    once = whole if verdict.counts else NOTHING
    change = once - (entry.came + entry.repriced) - entry.settled
    if change != NOTHING:
        why = verdict.why or "restored"
        because = verdict.because or "it tells of a call that no other span tells of"
        yield _row(entry, change, why, because) | {"trace_state": verdict.beside}
    weighed = once.times(entry.claim.weight) - once if entry.claim.weight != 1 else NOTHING
    change = weighed - entry.sampled
    if change != NOTHING:
        yield _row(entry, change, SAMPLED, f"it stands for {entry.claim.weight:g} spans")


def repriced(entry: Entry, cost_usd: Decimal | None, now: Row, because: str) -> Iterable[dict[str, Any]]:
    """The rows that change to `cost_usd` the price of a span that is paid, as it came or since; `now` has the
    new cost_status, price_id and price_source."""
    held = entry.own + entry.repriced
    change = Amounts(
        priced=int(cost_usd is not None) - held.priced,
        unpriced=int(cost_usd is None) - held.unpriced,
        cost_usd=(cost_usd or Decimal(0)) - held.cost_usd,
    )
    if (entry.claim.paid or entry.settled.calls > 0) and change != NOTHING:
        # It is taken from the reason under which it was counted: each reason has a sum of its own.
        taken = Amounts(unpriced=min(change.unpriced, 0))
        if taken != NOTHING:
            yield _row(entry, taken, REPRICED, because)
        yield _row(entry, change - taken, REPRICED, because) | dict(now)


def _row(entry: Entry, change: Amounts, why: str, because: str) -> dict[str, Any]:
    claim, row = entry.claim, entry.row
    amounts = {name: getattr(change, name) for name in AMOUNTS}
    return (
        {name: row[name] for name in DIMENSIONS}
        | {name: amount or None for name, amount in amounts.items() if name.endswith("_tokens")}
        | {name: amounts[name] for name in ("calls", "priced", "unpriced")}
        | {
            "cost_usd": str(change.cost_usd) if change.cost_usd or change.priced else None,
            "operation": claim.operation if claim.paid else "llm",
            "cost_status": entry.status,
            "started_at": _seconds(claim.started_ns),
            "span_received_at": _seconds(claim.received_ns),
            # A failure is one, however many calls it is paid for.
            "status": "unset",
            "entry": "correction", "why": why, "status_message": because,
            "writer": WRITER, "batch": 0, "weight": 0, "duration_ms": 0,
        }
    )  # fmt: skip


def _seconds(ns: int) -> str:
    """A time as the engine reads it to the nanosecond."""
    return f"{ns // 10**9}.{ns % 10**9:09d}"


def settle(entries: Sequence[Entry], verdicts: Mapping[Key, Verdict]) -> list[dict[str, Any]]:
    """All corrections that the verdicts ask for, in the order of the entries."""
    return [
        row
        for entry in entries
        if (verdict := verdicts.get(entry.claim.key)) is not None
        for row in corrections(entry, verdict)
    ]
