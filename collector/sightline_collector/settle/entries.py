"""The ledger's entries: what is read of them, and the corrections that are appended.

counted  =  what the span added as it came  +  its corrections
correction  =  what the verdict says  -  counted

All of it stands under the labels of the span, unless another one says better whom the call was made for: then
it is moved, by a correction that takes it away there and one that adds it here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from zlib import crc32

from sightline_collector.settle.amounts import NOTHING, Amounts, columns_of
from sightline_collector.settle.claim import Claim, Key, Verdict
from sightline_collector.settle.labels import Labels, filled, labels_of, named

SAYS_MORE = "another span that tells of the call says more of what its price depends on"
SAYS_LABELS = "another span that tells of the call says what it was made for"

WRITER = "ledger"
"""Who wrote a correction: no sender's segment, so that no segment's count of rows sees it."""

SAMPLED, REPRICED, REPEATED = "sampled", "repriced", "repeated"
LABELLED, COMPLETED = "labelled", "completed"
KINDS = (SAMPLED, REPRICED, REPEATED, LABELLED, COMPLETED)
"""Corrections that no verdict asks for: each kind is summed up by itself."""

PRICED = ("promoted", REPRICED)
"""Corrections that say anew how a span is priced."""

DIMENSIONS = (
    "project", "trace_id", "span_id", "parent_span_id", "service", "name", "provider", "model",
    "request_model", "response_model", "response_id", "feature", "user_id", "session_id", "prompt_name",
    "prompt_version", "experiment", "variant", "shadow", "agent", "tool", "status", "cost_status",
    "price_id", "price_source", "scope_name", "dialect",
)  # fmt: skip
"""What a correction repeats of its span, so that every sum over some of the spans takes it in."""

Row = Mapping[str, Any]

Place = tuple[str, str, str, int]
"""Project, trace, span, and which delivery of it."""


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
    completed: Amounts = NOTHING
    status: str = "priced"
    """The cost_status of its usage, as promoted or repriced since; not_a_call where it was never paid."""
    copies: tuple[Amounts, ...] = ()
    """What its copies in the same request added: nothing tells such rows apart."""
    held: int = 1
    """How many times one request held it: 1 and its copies, those that were never paid, too."""
    under: Mapping[Labels, Amounts] = field(default_factory=dict)
    """What it, its copies and its corrections have come to, by the labels that they name."""

    @property
    def place(self) -> Place:
        """Which delivery of which span of which project it is of."""
        return self.row["project"], *self.claim.key

    @property
    def came(self) -> Amounts:
        """What it added as it came."""
        return self.own if self.claim.paid else NOTHING

    @property
    def paid_under(self) -> Labels:
        """The labels under which it is paid; its own when it is not."""
        paid = [labels for labels, amounts in self.under.items() if amounts.calls > 0]
        return paid[0] if len(paid) == 1 else labels_of(self.row)

    @property
    def chance(self) -> float:
        """A number from 0 to 1 that is always the same for this span."""
        return crc32(self.claim.span_id.encode()) / 2**32


def corrections(entry: Entry, verdict: Verdict, labels: Labels, more: Amounts) -> Iterator[dict[str, Any]]:
    """The rows that bring the ledger to the verdict, under `labels`, and to `more` where it is paid: none
    when it is there."""
    under = defaultdict(lambda: NOTHING, entry.under)
    for change, why, because in _changes(entry, verdict, more if verdict.counts else NOTHING):
        under[labels_of(entry.row)] += change
        yield _row(entry, change, why, because) | {"trace_state": _beside(verdict.beside)}
    paid = sum(under.values(), NOTHING)
    under[labels] -= paid
    for place, left in sorted(under.items()):
        if left != NOTHING:
            yield _row(entry, NOTHING - left, LABELLED, SAYS_LABELS) | named(place)


def _changes(entry: Entry, verdict: Verdict, more: Amounts) -> Iterator[tuple[Amounts, str, str]]:
    """What is to be added for which reason, in short and in words."""
    if entry.claim.paid:
        change = NOTHING - sum(entry.copies, NOTHING) - entry.repeated
        if change != NOTHING:
            yield change, REPEATED, f"one request held this span {entry.held} times"
    whole = entry.own + entry.repriced
    once = whole if verdict.counts else NOTHING
    change = once - (entry.came + entry.repriced) - entry.settled
    if change != NOTHING:
        because = verdict.because or "it tells of a call that no other span tells of"
        yield change, verdict.why or "restored", because
    if more != entry.completed:
        yield more - entry.completed, COMPLETED, SAYS_MORE
    weight, once = entry.claim.weight, once + more
    weighed = once.times(weight, entry.chance) - once if weight != 1 else NOTHING
    change = weighed - entry.sampled
    if change != NOTHING:
        yield change, SAMPLED, f"it stands for {weight:g} spans"


def repriced(
    entry: Entry, cost_usd: Decimal | None, now: Row, because: str
) -> tuple[list[dict[str, Any]], Entry]:
    """The rows that change the price of a span's usage to `cost_usd`, and the entry with them; `now` has the
    new cost_status, price_id and price_source."""
    held, labels = entry.own + entry.repriced, entry.paid_under
    change = Amounts(
        priced=Decimal(cost_usd is not None) - held.priced,
        unpriced=Decimal(cost_usd is None) - held.unpriced,
        cost_usd=(cost_usd or Decimal(0)) - held.cost_usd,
    )
    if change == NOTHING:
        return [], entry
    # It is taken from the reason under which it was counted: each reason has a sum of its own.
    taken = Amounts(unpriced=min(change.unpriced, Decimal(0)))
    rows = [_row(entry, taken, REPRICED, because)] if taken != NOTHING else []
    rows.append(_row(entry, change - taken, REPRICED, because) | dict(now))
    after = replace(
        entry,
        claim=replace(entry.claim, cost_usd=cost_usd),
        repriced=entry.repriced + change,
        status=now["cost_status"],
        under={**entry.under, labels: entry.under.get(labels, NOTHING) + change},
    )
    return [row | named(labels) for row in rows], after


def _row(entry: Entry, change: Amounts, why: str, because: str) -> dict[str, Any]:
    claim = entry.claim
    return (
        {name: entry.row[name] for name in DIMENSIONS}
        | columns_of(change)
        | {
            "operation": claim.operation if claim.paid else "llm",
            "cost_status": entry.status,
            "started_at": _seconds(claim.started_ns),
            "span_received_at": _seconds(claim.received_ns),
            # A failure is one, however many calls it is paid for.
            "status": "unset",
            # It is shown as often as it was held, each time as a part of what it adds.
            "flags": entry.held,
            "entry": "correction", "why": why, "status_message": because,
            "writer": WRITER, "batch": 0, "weight": 0, "duration_ms": 0,
        }
    )  # fmt: skip


def _beside(paid: Claim | None) -> str:
    """Which trace a correction ties its own to, and when what is paid there began: it may lie days back."""
    return f"{paid.trace_id}@{paid.started_ns}" if paid else ""


def _seconds(ns: int) -> str:
    """A time as the engine reads it to the nanosecond."""
    return f"{ns // 10**9}.{ns % 10**9:09d}"


def settle(
    entries: Sequence[Entry], verdicts: Mapping[Key, Verdict], more: Mapping[Place, Amounts]
) -> list[dict[str, Any]]:
    """All corrections that the verdicts ask for, in the order of the entries; `more` is what is paid for what
    only others say of an entry's call."""
    labels = {entry.claim.key: labels_of(entry.row) for entry in entries}
    return [
        row
        for entry in entries
        if (verdict := verdicts.get(entry.claim.key)) is not None
        for row in corrections(
            entry,
            verdict,
            filled(labels[entry.claim.key], map(labels.__getitem__, verdict.told_by)),
            more.get(entry.place, NOTHING),
        )
    ]
