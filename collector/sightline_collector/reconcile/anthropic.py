"""Anthropic: the usage and cost reports of the Admin API, and the Console's CSV exports. Pure.

Formats: "Get Messages Usage Report" and "Get Cost Report" in Anthropic's API reference (amounts are in
cents), and "Cost and Usage Reporting in the Claude Console" for the CSV files, whose amounts are rounded to
cents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sightline_collector.reconcile.document import Document, Table, buckets, has_buckets
from sightline_collector.reconcile.line import FAULTS, Line, Rates, Statement, amount, count, utc_day

Fields = Mapping[str, Any]

HOW = """\
Anthropic, with an admin key (or the CSV of the Console's Usage or Cost page):
    curl -g -H "x-api-key: $ANTHROPIC_ADMIN_KEY" -H "anthropic-version: 2023-06-01" \\
      'https://api.anthropic.com/v1/organizations/usage_report/messages?starting_at=2026-09-01T00:00:00Z\
&bucket_width=1d&limit=31&group_by[]=model&group_by[]=service_tier'
    curl -g -H "x-api-key: $ANTHROPIC_ADMIN_KEY" -H "anthropic-version: 2023-06-01" \\
      'https://api.anthropic.com/v1/organizations/cost_report?starting_at=2026-09-01T00:00:00Z\
&limit=31&group_by[]=description'"""
CENT = Decimal("0.01")
_TIERS = {"batch": "batch", "flex": "flex", "flex_discount": "flex", "priority": "priority"}


def recognises(document: Document) -> bool:
    """True for pages of buckets with a starting_at, and for tables by usage_date_utc."""
    if isinstance(document, Table):
        columns = set(document.columns)
        return "usage_date_utc" in columns and bool(columns & {"cost_usd", "usage_output_tokens"})
    return has_buckets(document, "starting_at")


def read(document: Document, rates: Rates) -> Statement:
    """The lines of the file. Raises Unreadable for a currency without a rate."""
    statement = Statement("anthropic", "Anthropic usage and cost report")
    for number, day_field, result in _results(document, statement):
        try:
            day = utc_day(day_field)
            statement.days.add(day)
            if "cost_usd" in result:
                _read_console_cost(statement, day, result)
            elif "amount" in result:
                _read_cost(statement, day, result, rates)
            elif result:
                statement.add(_usage(day, result))
        except FAULTS as e:
            statement.refuse(number, e)
    return statement


def _results(document: Document, statement: Statement) -> Iterator[tuple[int, object, Fields]]:
    """Line number, day, and one result; an empty one for a bucket without usage."""
    if isinstance(document, Table):
        yield from ((number, row.get("usage_date_utc", ""), row) for number, row in document.rows)
        return
    for number, bucket in buckets(document, statement):
        results = bucket["results"] or [{}]
        yield from ((number, bucket["starting_at"], result) for result in results)


def _usage(day: date, result: Fields) -> Line:
    """Tokens of the API's report, or of the Console's: input there is what no cache was used for."""
    if "usage_output_tokens" in result:
        fresh, read = result.get("usage_input_tokens_no_cache"), result.get("usage_input_tokens_cache_read")
        written = [result.get(f"usage_input_tokens_cache_write_{ttl}") for ttl in ("5m", "1h")]
    else:
        fresh, read = result.get("uncached_input_tokens"), result.get("cache_read_input_tokens")
        written = list((result.get("cache_creation") or {}).values())
    write = sum(count(tokens) or 0 for tokens in written)
    return Line(
        day,
        str(result.get("model_version") or result.get("model") or ""),
        input_tokens=(count(fresh) or 0) + (count(read) or 0) + write,
        output_tokens=count(result.get("usage_output_tokens", result.get("output_tokens"))),
        cache_read_tokens=count(read),
        cache_write_tokens=write,
        tier=_tier(result),
    )


def _tier(result: Fields) -> str:
    said = str(result.get("service_tier") or result.get("usage_type") or "").lower()
    return _TIERS.get(said, "batch" if "batch" in said else "")


def _read_cost(statement: Statement, day: date, result: Fields, rates: Rates) -> None:
    usd = rates.to_usd(amount(result["amount"]) * CENT, str(result.get("currency") or ""))
    model = str(result.get("model") or "")
    if result.get("cost_type") not in (None, "tokens"):
        statement.set_aside(str(result.get("description") or result["cost_type"]), usd)
    else:
        statement.add(Line(day, model, usd=usd, tier=_tier(result)))


def _read_console_cost(statement: Statement, day: date, row: Fields) -> None:
    statement.rounded_to_usd = CENT
    usd = amount(row["cost_usd"])
    if row.get("cost_type", "token") not in ("", "token", "tokens"):
        statement.set_aside(str(row["cost_type"]), usd)
        return
    listed = row.get("list_price_usd")
    list_usd = amount(listed) if listed else None
    statement.add(Line(day, str(row.get("model") or ""), usd=usd, list_usd=list_usd, tier=_tier(row)))
