"""What only a span that is not paid knows of a call: searches, what a cache held, the tier that answered.

The numbers of a call are those of one of the spans that tell of it. What its price depends on and that one
does not say is taken from the others; the call is priced with it, and the difference is paid, too.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sightline_collector.settle.amounts import Amounts
from sightline_collector.settle.claim import Key, Verdict
from sightline_collector.settle.entries import Entry, Place
from sightline_collector.sql.catalog import Catalog
from sightline_collector.store.engine import Engine

DETAILS = ("cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens")
"""Parts of a call's tokens that not every sender names. Nor does each say what was used beside tokens, or in
which tier it was answered."""

PLAIN_TIERS = frozenset({
    f"service_tier={tier}" for tier in ("default", "standard", "standard_only", "on_demand")
})  # fmt: skip
"""Tiers whose price is that of no tier. Who asks for one of them gets it, so of two that are told it is the
one that answered."""

SAME_CALL = ("twin", "redelivered")
"""Why a span is not paid that tells of the very call that another one is paid for."""

CALLS_AT_ONCE = 100
"""Calls that are priced in one query: some forty kilobytes of its text."""

PRICES = """
with mapped_spans as (
    select
        call.1 as number, call.2 as operation, call.3 as provider, call.4 as model, call.5 as request_model,
        fromUnixTimestamp64Nano(call.6, 'UTC') as started_at, call.7 as input_tokens, call.8 as output_tokens,
        call.9 as cache_read_tokens, call.10 as cache_write_tokens, call.11 as cache_write_1h_tokens,
        call.12 as reasoning_tokens, call.13 as extra_usage, call.14 as price_context,
        call.15 as gateway_cached, 0 as tokens_estimated,
        null::Nullable(Decimal(18, 12)) as reported_cost_usd, cast([], 'Array(String)') as notes
    from (
        select arrayJoin(JSONExtract({calls:String}, 'Array(Tuple(
            UInt32, String, String, String, String, Int64, Nullable(Int64), Nullable(Int64), Nullable(Int64),
            Nullable(Int64), Nullable(Int64), Nullable(Int64), Map(String, UInt64), Array(String), UInt8
        ))')) as call)
),
{steps:priced_spans}
select own_cost_usd from priced_spans order by number
"""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """Entries of claims that were judged together, and the verdicts on them."""

    entries: Sequence[Entry]
    verdicts: Mapping[Key, Verdict]


def completed(engine: Engine, judged: Iterable[Judged]) -> dict[Place, Amounts]:
    """What is paid for what only others say of the paid calls. Raises StoreRefused."""
    asked = [each for group in judged for each in _said_by_others(group)]
    portions = (asked[first : first + CALLS_AT_ONCE] for first in range(0, len(asked), CALLS_AT_ONCE))
    return dict(each for portion in portions for each in _priced(engine, portion))


def _said_by_others(judged: Judged) -> Iterator[tuple[Entry, Row]]:
    """The paid entries of which others say more, each with that."""
    others: dict[Key, list[Entry]] = defaultdict(list)
    for entry in judged.entries:
        verdict = judged.verdicts.get(entry.claim.key)
        if verdict is not None and verdict.twin_of is not None and verdict.why in SAME_CALL:
            others[verdict.twin_of].append(entry)
    for entry in judged.entries if others else ():
        verdict = judged.verdicts.get(entry.claim.key)
        told = sorted(others[entry.claim.key], key=lambda e: (-e.claim.details, e.claim.key))
        more = said_more(entry.row, [other.row for other in told])
        if more and verdict is not None and verdict.counts:
            yield entry, more


def said_more(row: Row, others: Sequence[Row]) -> Row:
    """What others, the best first, say beside a row of what its price depends on: columns that change."""
    rows = (row, *others)
    more: dict[str, Any] = {name: next((each[name] for each in rows if each[name]), None) for name in DETAILS}
    more["extra_usage"] = {
        unit: count for each in reversed(rows) for unit, count in each["extra_usage"].items() if count
    }
    more["price_context"] = _context([each["price_context"] for each in rows])
    return {
        name: value
        for name, value in more.items()
        if value != row[name] and (value or name == "price_context")
    }


def _context(told: Sequence[Sequence[str]]) -> list[str]:
    """How a call was answered, as the first and then the others tell it; the first one's where that costs the
    same."""
    terms: dict[str, str] = {}
    for term in (term for each in told for term in each):
        terms.setdefault(term.partition("=")[0], term)
    if any(term in PLAIN_TIERS for each in told for term in each):
        terms.pop("service_tier")
    whole = [term for term in terms.values() if term not in PLAIN_TIERS]
    return list(told[0]) if whole == [term for term in told[0] if term not in PLAIN_TIERS] else whole


def _priced(engine: Engine, asked: Sequence[tuple[Entry, Row]]) -> Iterator[tuple[Place, Amounts]]:
    """What is added to each entry. Where one of the two has no price, or prices have changed since the entry
    was priced, it stays as it is: repricing brings both."""
    calls = [_call(entry, row) for entry, more in asked for row in (entry.row, {**entry.row, **more})]
    sql = Catalog(engine.database).render(PRICES)
    rows = engine.rows(sql, {"calls": json.dumps([[n, *call] for n, call in enumerate(calls)])})
    usd = [row["own_cost_usd"] for row in rows]
    for (entry, more), plain, whole in zip(asked, usd[::2], usd[1::2], strict=True):
        held = entry.own + entry.repriced
        if plain is None or whole is None or plain != held.cost_usd:
            yield entry.place, entry.completed
        else:
            tokens = {name: more[name] - (entry.row[name] or 0) for name in DETAILS if name in more}
            yield entry.place, Amounts(**tokens, cost_usd=whole - plain)


def _call(entry: Entry, row: Row) -> list[Any]:
    """What its price depends on, as the query reads it. Of what is paid, though no call, usage counts."""
    operation = entry.claim.operation if entry.claim.paid else "embedding"
    names = ("provider", "model", "request_model")
    counts = ("input_tokens", "output_tokens", *DETAILS, "extra_usage", "price_context", "gateway_cached")
    return [
        operation, *(row[name] for name in names), entry.claim.started_ns, *(row[name] for name in counts)
    ]  # fmt: skip
