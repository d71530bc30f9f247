"""What is said of the price of a span that is paid though its operation is no model call's.

As it came it has no cost_status, for it was no call. Once it is paid it is priced as one, by the same step as
those: so it says the same as any call of its usage would, and as repricing would say of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sightline_collector.settle.entries import Place
from sightline_collector.sql.catalog import Catalog
from sightline_collector.store.engine import Engine

NO_CALL = "not_a_call"

STATUSES = """
with mapped_spans as (
    select
        project, trace_id, span_id, toUnixTimestamp64Nano(span_received_at) as received_ns, started_at,
        -- Of what is paid, though no call: usage counts, whichever part of it is known.
        'embedding' as operation, provider, model, request_model, input_tokens, output_tokens,
        cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, reasoning_tokens, extra_usage,
        tokens_estimated, gateway_cached, price_context, reported_cost_usd, notes
    from spans_v1
    where entry = 'span' and trace_id in {traces:Array(String)} and span_id in {spans:Array(String)}
        and started_at >= toDateTime64({first:String}, 9, 'UTC')
        and started_at <= toDateTime64({last:String}, 9, 'UTC')
),
{steps:priced_spans}
select project, trace_id, span_id, received_ns, toString(cost_status) as status
from priced_spans
"""

Row = dict[str, Any]


def with_statuses(engine: Engine, asked: Sequence[list[Row]]) -> list[list[Row]]:
    """The corrections, each that has no cost_status with that of its span. Raises StoreRefused."""
    unknown = [row for rows in asked for row in rows if row["cost_status"] == NO_CALL]
    if not unknown:
        return list(asked)
    found = _statuses(engine, unknown)
    return [[_with(row, found) for row in rows] for rows in asked]


def _with(row: Row, found: Mapping[Place, str]) -> Row:
    known = row["cost_status"] != NO_CALL
    return row if known else row | {"cost_status": found.get(place(row), NO_CALL)}


def _statuses(engine: Engine, unknown: Sequence[Row]) -> dict[Place, str]:
    times = sorted(row["started_at"] for row in unknown)
    rows = engine.rows(
        Catalog(engine.database).render(STATUSES),
        {
            "traces": sorted({row["trace_id"] for row in unknown}),
            "spans": sorted({row["span_id"] for row in unknown}),
            "first": times[0],
            "last": times[-1],
        },
    )
    return {
        (row["project"], row["trace_id"], row["span_id"], int(row["received_ns"])): str(row["status"])
        for row in rows
    }


def place(row: Mapping[str, Any]) -> Place:
    """Which span a correction is of; its times are seconds with nine digits behind the point."""
    received_ns = int(row["span_received_at"].replace(".", ""))
    return row["project"], row["trace_id"], row["span_id"], received_ns
