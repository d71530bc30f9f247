"""The ledger in the store: entries are read, corrections are appended. Nothing in it is ever changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from threading import Lock
from typing import Any

from sightline_collector.settle.amounts import AMOUNTS, NOTHING, Amounts, amounts_of
from sightline_collector.settle.arrivals import HOUR_NS
from sightline_collector.settle.claim import PAID, Claim, Key
from sightline_collector.settle.completed import DETAILS, Judged, completed
from sightline_collector.settle.entries import (
    COMPLETED,
    DIMENSIONS,
    KINDS,
    PRICED,
    REPEATED,
    REPRICED,
    SAMPLED,
    Entry,
    Place,
)
from sightline_collector.settle.groups import Group, Stretch, Trace
from sightline_collector.settle.labels import Labels, labels_of
from sightline_collector.settle.status import with_statuses
from sightline_collector.store.engine import Engine

Row = Mapping[str, Any]

LEAST_NS = 2 * HOUR_NS
"""How far around what came the entries of its traces are read at least: a trace may be longer than it looks
from the part of it that has come."""

ENTRIES = f"""
select
    {", ".join(DIMENSIONS)}, operation, entry, why, blocked, weight, own_cost_usd, gateway_cached,
    {", ".join(AMOUNTS)},
    extra_usage, price_context, tokens_estimated,
    ifNull(reported_cost_usd, 0) > 0 or isNotNull(reported_cost_usd) and sightline_model_call(operation)
        as reported,
    attributes['sightline.usage.aggregated'] = 'true' as summed,
    toUnixTimestamp64Nano(started_at) as started_ns, toInt64(duration_ms * 1e6) as duration_ns,
    toUnixTimestamp64Nano(span_received_at) as received_ns
from spans_v1
where trace_id in {{traces:Array(String)}}
    and started_at >= fromUnixTimestamp64Nano({{first:Int64}}, 'UTC')
    and started_at <= fromUnixTimestamp64Nano({{last:Int64}}, 'UTC')
order by started_at, span_id, received_at
"""  # noqa: S608 - our own text


LEDGER = Lock()
"""Held from reading entries until what they ask for is appended: of two at once each would correct."""


class Book:
    """The ledger of one store. `keep` is called before each read and write: it raises when another collector
    may be writing."""

    def __init__(self, engine: Engine, keep: Callable[[], None] = lambda: None) -> None:
        self._engine = engine
        self._keep = keep

    def entries(self, groups: Sequence[Group], stretch: Stretch, around_ns: int) -> dict[Group, list[Entry]]:
        """The entries of the groups' traces that lie as near to a stretch of time, each group's apart; spans
        that claim nothing are among them."""
        self._keep()
        around_ns = max(LEAST_NS, around_ns)
        traces = sorted({trace for group in groups for _, trace in group})
        rows = self._engine.rows(
            ENTRIES,
            {
                "traces": traces,
                "first": max(0, stretch[0] - around_ns),
                "last": stretch[1] + around_ns,
            },
        )
        by_trace: dict[Trace, list[Row]] = defaultdict(list)
        for row in rows:
            by_trace[row["project"], row["trace_id"]].append(row)
        return {
            group: list(_entries(row for trace in sorted(group) for row in by_trace[trace]))
            for group in groups
        }

    def with_statuses(self, asked: Sequence[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
        """The corrections; those of what is paid though it is no call say what a call would say."""
        return with_statuses(self._engine, asked)

    def completed(self, judged: Iterable[Judged]) -> Mapping[Place, Amounts]:
        """What is paid for what only others say of some paid calls."""
        return completed(self._engine, judged)

    def append(self, corrections: Sequence[Mapping[str, Any]], now_ns: int) -> None:
        """Write corrections, all of them or none. Raises StoreRefused."""
        self._keep()
        received_at = f"{now_ns // 10**9}.{now_ns % 10**9:09d}"
        self._engine.insert("spans_v1", [{**row, "received_at": received_at} for row in corrections])


def _entries(rows: Iterable[Row]) -> Iterable[Entry]:
    held: dict[Key, dict[str, Amounts]] = defaultdict(lambda: defaultdict(lambda: NOTHING))
    spans: dict[Key, list[Row]] = defaultdict(list)
    under: dict[Key, dict[Labels, Amounts]] = defaultdict(lambda: defaultdict(lambda: NOTHING))
    statuses: dict[Key, str] = {}
    for row in rows:
        key = (row["trace_id"], row["span_id"], row["received_ns"])
        if row["entry"] == "correction" or row["operation"] in PAID:
            under[key][labels_of(row)] += amounts_of(row)
        if row["entry"] == "span":
            spans[key].append(row)
        else:
            kind = row["why"] if row["why"] in KINDS else ""
            held[key][kind] += amounts_of(row)
            if row["why"] in PRICED and row["unpriced"] >= 0:
                statuses[key] = row["cost_status"]
    for key, copies in spans.items():
        row, *others = sorted(copies, key=_preferred) if len(copies) > 1 else copies
        corrected = held[key]
        yield Entry(
            _claim(row, corrected[REPRICED]),
            row,
            _own(row),
            settled=corrected[""],
            sampled=corrected[SAMPLED],
            repriced=corrected[REPRICED],
            repeated=corrected[REPEATED],
            completed=corrected[COMPLETED],
            status=statuses.get(key) or str(row["cost_status"]),
            copies=tuple(map(amounts_of, others)) if row["operation"] in PAID else (),
            held=len(copies),
            under=under[key],
        )


def _claim(row: Row, repriced: Amounts) -> Claim:
    cost = row["own_cost_usd"]
    known = (cost is not None) + repriced.priced > 0
    other_usage = sum(row["extra_usage"].values())
    details = sum(row[name] is not None for name in DETAILS) + (other_usage > 0) + bool(row["price_context"])
    return Claim(
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        parent_span_id=row["parent_span_id"],
        received_ns=row["received_ns"],
        started_ns=row["started_ns"],
        ended_ns=row["started_ns"] + row["duration_ns"],
        operation=row["operation"],
        service=row["service"],
        scope=row["scope_name"],
        models=(row["response_model"], row["request_model"]),
        response_id=row["response_id"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        other_usage=other_usage,
        cost_usd=(cost or Decimal(0)) + repriced.cost_usd if known else None,
        details=details,
        weight=row["weight"],
        cached=bool(row["gateway_cached"]),
        summed=bool(row["summed"]),
        blocked=bool(row["blocked"]),
        billed=bool(row["reported"]),
    )


def _preferred(row: Row) -> tuple[int, str]:
    """Of copies of a span the one that used most; of equal ones always the same."""
    return -(row["input_tokens"] or 0) - (row["output_tokens"] or 0), repr(sorted(row.items()))


def _own(row: Row) -> Amounts:
    """What a span's usage comes to when it is paid."""
    as_it_came = amounts_of(row)
    if row["operation"] in PAID:
        return as_it_came
    cost = row["own_cost_usd"]
    known = cost is not None
    priced, unpriced = Decimal(known), Decimal(not known)
    return replace(as_it_came, priced=priced, unpriced=unpriced, cost_usd=cost or Decimal(0))
