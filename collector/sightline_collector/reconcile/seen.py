"""What was seen here, by hour: the questions, and their answers' rows. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sightline_collector.reconcile.models import bills, kind
from sightline_collector.reconcile.pair import Hour, Sums

HOURS = """
select
    toUnixTimestamp(toDateTime(hour)) as began, provider, model, operation,
    toInt64(round(sum(calls))) as calls, sum(cost_usd) as usd,
    sum(input_tokens) as input, sum(output_tokens) as output,
    sum(cache_read_tokens) as cache_read, sum(cache_write_tokens) as cache_write,
    toInt64(round(sum(unpriced_calls))) as unpriced, sum(estimated_calls) as estimated
from usage_hourly
where hour >= toDateTime({since:Date}, 'UTC') and hour < toDateTime({until:Date}, 'UTC')
    and ({project:String} = '' or project = {project:String})
    and (isNotNull(cost_usd) or isNotNull(input_tokens) or isNotNull(output_tokens) or unpriced_calls > 0)
group by began, provider, model, operation
"""
FEES = """
select
    toUnixTimestamp(toStartOfHour(started_at)) as began, provider, model,
    sum(cast(sightline_price_rare_usd(
        price_id, mapFilter((unit, used) -> unit = 'web_searches', extra_usage)), 'Decimal(38, 12)')
        * cast(toFloat64(counted) * weight, 'Decimal(18, 6)')) as usd
from spans
where started_at >= toDateTime({since:Date}, 'UTC') and started_at < toDateTime({until:Date}, 'UTC')
    and ({project:String} = '' or project = {project:String})
    and extra_usage['web_searches'] > 0 and counted > 0
    and cost_status in ('priced', 'assumed', 'estimated_tokens')
group by began, provider, model
"""
"""What web searches cost of HOURS' usd, as the price of their span lists them."""
SETTINGS = {"output_format_json_quote_decimals": "1", "output_format_json_quote_64bit_integers": "1"}
"""Without them sums of money and of tokens would come as floating-point numbers."""


def hours(answer: bytes) -> Iterator[Hour]:
    """The rows of the answer, which are JSON, a row a line."""
    yield from (_hour(json.loads(line)) for line in answer.splitlines() if line.strip())


def fees(answer: bytes) -> Iterator[Hour]:
    """The rows of the answer to FEES, each to be taken from its hour."""
    for row in map(json.loads, answer.splitlines()):
        began = datetime.fromtimestamp(int(row["began"]), UTC)
        provider = bills(row["provider"], row["model"])
        yield Hour(began, provider, row["model"], Sums(usd=-Decimal(row["usd"])), is_fees=True)


def _hour(row: Mapping[str, Any]) -> Hour:
    began = datetime.fromtimestamp(int(row["began"]), UTC)
    named = row["model"]
    return Hour(began, bills(row["provider"], named), named, _sums(row), kind=kind(row["operation"], named))


def _sums(row: Mapping[str, Any]) -> Sums:
    def whole(name: str) -> int | None:
        return None if row[name] is None else int(row[name])

    return Sums(
        usd=None if row["usd"] is None else Decimal(row["usd"]),
        input_tokens=whole("input"),
        output_tokens=whole("output"),
        cache_read_tokens=whole("cache_read"),
        cache_write_tokens=whole("cache_write"),
        calls=whole("calls"),
        unpriced_calls=whole("unpriced"),
        estimated_calls=whole("estimated"),
    )
