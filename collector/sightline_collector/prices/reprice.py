"""
What came is priced again: what the calls that are paid cost at the prices in force now, which hold for their
time. A span of no call of its own is among them when it is paid because nobody else tells of its usage.

Nothing is changed. The difference is appended to the ledger as a correction of the span, with its reason; and
since other corrections rest on what a span costs, its trace is settled once more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from sightline_collector.settle.amounts import Amounts
from sightline_collector.settle.arrivals import of_time
from sightline_collector.settle.book import LEDGER, Book
from sightline_collector.settle.entries import Entry, repriced
from sightline_collector.settle.settling import settle_arrival
from sightline_collector.sql.catalog import Catalog
from sightline_collector.store.engine import Engine

SPANS_AT_ONCE = 2_000
"""Differences that are brought to the ledger in one step."""

HOURS = """
select distinct toUnixTimestamp(toStartOfHour(started_at)) as hour
from spans_v1
where started_at >= {since:DateTime64(9, 'UTC')} and started_at < {until:DateTime64(9, 'UTC')}
    and entry = 'span' and ({project:String} = '' or project = {project:String})
order by hour
"""

DIFFERENCES = """
with mapped_spans as (
    select
        project, trace_id, span_id, toUnixTimestamp64Nano(span_received_at) as received_ns, started_at,
        -- What is paid is priced as a call: of an agent that is paid, too, the status is wanted.
        if(sightline_model_call(s.operation), toString(s.operation), 'embedding') as operation,
        provider, model, request_model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
        cache_write_1h_tokens, reasoning_tokens, extra_usage, tokens_estimated, gateway_cached, price_context,
        reported_cost_usd, notes, own_cost_usd as first_usd, toString(cost_status) as first_status
    from spans_v1 as s
    where entry = 'span'
        and started_at >= {since:DateTime64(9, 'UTC')} and started_at < {until:DateTime64(9, 'UTC')}
        and ({project:String} = '' or project = {project:String})
        and (sightline_model_call(s.operation) or (project, trace_id, span_id) in (
            select project, trace_id, span_id from spans_v1
            where entry = 'correction' and why = 'promoted'
                and started_at >= {since:DateTime64(9, 'UTC')} and started_at < {until:DateTime64(9, 'UTC')}))
),
{steps:priced_spans},
changed as (
    select
        c.project as project, c.trace_id as trace_id, c.span_id as span_id,
        toUnixTimestamp64Nano(c.span_received_at) as received_ns,
        ifNull(sumIf(c.cost_usd, c.why = 'repriced'), 0) as usd,
        sumIf(c.priced, c.why = 'repriced') as priced,
        argMaxIf(toString(c.cost_status), c.received_at, c.unpriced >= 0) as status
    from spans_v1 as c
    where c.entry = 'correction' and c.why in ('repriced', 'promoted')
        and c.started_at >= {since:DateTime64(9, 'UTC')} and c.started_at < {until:DateTime64(9, 'UTC')}
    group by project, trace_id, span_id, received_ns
)
select
    p.project as project, p.trace_id as trace_id, p.span_id as span_id, p.received_ns as received_ns,
    toUnixTimestamp64Nano(p.started_at) as started_ns, p.provider as provider, p.model as model,
    ifNull(changed.status, '') as changed_to,
    if(isNotNull(p.first_usd) + ifNull(changed.priced, 0) <= 0, null,
        ifNull(p.first_usd, 0) + ifNull(changed.usd, 0)) as old_usd,
    p.own_cost_usd as new_usd,
    if(changed_to = '', p.first_status, changed_to) as old_status,
    toString(p.cost_status) as new_status, p.price_id as price_id, p.price_source as price_source
from priced_spans as p
left any join changed
    on changed.project = p.project and changed.trace_id = p.trace_id and changed.span_id = p.span_id
        and changed.received_ns = p.received_ns
where old_usd is distinct from new_usd
order by started_ns, trace_id, span_id, received_ns
"""


class Range(BaseModel):
    """Which spans: those that started from `since` on and before `until`, of one project or ('') of all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: datetime
    until: datetime
    project: str = ""
    dry_run: bool = False

    @field_validator("since", "until")
    @classmethod
    def _utc(cls, at: datetime) -> datetime:
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)

    @model_validator(mode="after")
    def _in_order(self) -> Range:
        if self.since >= self.until:
            raise ValueError("since must lie before until")
        return self


@dataclass(frozen=True, slots=True)
class Repriced:
    """One call whose price has changed; an amount is None when there was or is none."""

    project: str
    trace_id: str
    span_id: str
    received_ns: int
    started_ns: int
    provider: str
    model: str
    old_usd: Decimal | None
    new_usd: Decimal | None
    old_status: str
    new_status: str
    price_id: int
    price_source: str

    @property
    def because(self) -> str:
        """The reason that the correction tells."""
        was, now = _said(self.old_usd, self.old_status), _said(self.new_usd, self.new_status)
        source = f" by {self.price_source}" if self.price_source else ""
        return f"priced again{source}: it was {was}, it is {now}"


def _said(usd: Decimal | None, status: str) -> str:
    return f"{status}" if usd is None else f"{usd.normalize():f} USD ({status})"


@dataclass(frozen=True, slots=True)
class Charged:
    """What one span adds to the bill before and now, for all that it stands for."""

    model: str
    old: Amounts
    new: Amounts


@dataclass(frozen=True, slots=True)
class Change:
    """What calls of one model are charged before and now, among those whose price has changed."""

    model: str
    calls: int
    old_usd: Decimal
    new_usd: Decimal


def repricing(engine: Engine, asked: Range) -> Iterator[Repriced]:
    """The calls in the range whose price has changed, an hour of them at a time. Raises StoreRefused."""
    sql = Catalog(engine.database).render(DIFFERENCES)
    hours = engine.rows(HOURS, _bounds(asked.since, asked.until, asked.project))
    for row in hours:
        begins = datetime.fromtimestamp(int(row["hour"]), UTC)
        ends = datetime.fromtimestamp(int(row["hour"]) + 3600, UTC)
        bounds = _bounds(max(asked.since, begins), min(asked.until, ends), asked.project)
        for found in engine.rows(sql, bounds):
            yield Repriced(**{name: found[name] for name in Repriced.__slots__})


def _bounds(since: datetime, until: datetime, project: str) -> dict[str, Any]:
    form = "%Y-%m-%d %H:%M:%S.%f"
    return {"since": since.strftime(form), "until": until.strftime(form), "project": project}


def summary(charged: Sequence[Charged]) -> list[Change]:
    """The changes by model, the largest first."""
    by_model: dict[str, list[Charged]] = {}
    for one in charged:
        by_model.setdefault(one.model, []).append(one)
    changes = [
        Change(
            model,
            round(sum(one.old.calls for one in of_model)),
            sum((one.old.cost_usd for one in of_model), Decimal(0)),
            sum((one.new.cost_usd for one in of_model), Decimal(0)),
        )
        for model, of_model in by_model.items()
    ]
    return sorted(changes, key=lambda one: (-abs(one.new_usd - one.old_usd), one.model))


def reprice(
    engine: Engine,
    asked: Range,
    clock_ns: Callable[[], int] = time.time_ns,
    keep: Callable[[], None] = lambda: None,
) -> tuple[list[Change], int]:
    """Charge the calls of a range what they cost by the prices in force; the changes of what is paid, and the
    rows written.

    Doing it again changes nothing. With `dry_run` nothing is written. `keep` is called before each read and
    write of the ledger. Raises StoreRefused, and what `keep` raises when another collector may be writing.
    """
    book = Book(engine, keep)
    different, charged, written = list(repricing(engine, asked)), list[Charged](), 0
    for start in range(0, len(different), SPANS_AT_ONCE):
        calls = different[start : start + SPANS_AT_ONCE]
        with LEDGER:
            found = _entries(book, calls)
            charged += [one for call, entry in found if (one := _charged(call, entry))]
            if not asked.dry_run:
                written += _append(book, found, clock_ns)
        if not asked.dry_run:
            came = of_time(*_bounds_ns(calls))
            written += settle_arrival(engine, came, clock_ns, keep=keep).corrections
    return summary(charged), written


def _entries(book: Book, calls: Sequence[Repriced]) -> list[tuple[Repriced, Entry]]:
    """Each call with its entry in the ledger."""
    by_key = {(call.project, call.trace_id, call.span_id, call.received_ns): call for call in calls}
    groups = sorted({frozenset({(call.project, call.trace_id)}) for call in calls}, key=sorted)
    return [
        (call, entry)
        for entries in book.entries(groups, _bounds_ns(calls), 0).values()
        for entry in entries
        if (call := by_key.get((entry.row["project"], *entry.claim.key))) is not None
    ]


def _charged(call: Repriced, entry: Entry) -> Charged | None:
    """What changes on the bill: nothing where another span is paid for the call."""
    paid = entry.came.calls + entry.settled.calls
    if paid <= 0:
        return None
    old, new = (Amounts(calls=paid, cost_usd=usd or Decimal(0)) for usd in (call.old_usd, call.new_usd))
    weight, chance = entry.claim.weight, entry.chance
    return Charged(call.model, old.times(weight, chance), new.times(weight, chance))


def _append(book: Book, found: Sequence[tuple[Repriced, Entry]], clock_ns: Callable[[], int]) -> int:
    """Bring what differs to the ledger: the number of rows."""
    rows = [row for call, entry in found for row in repriced(entry, call.new_usd, _price(call), call.because)]
    if rows:
        book.append(rows, clock_ns())
    return len(rows)


def _bounds_ns(calls: Sequence[Repriced]) -> tuple[int, int]:
    return calls[0].started_ns, max(call.started_ns for call in calls)


def _price(call: Repriced) -> dict[str, Any]:
    return {
        "cost_status": call.new_status,
        "price_id": call.price_id,
        "price_source": call.price_source,
    }
