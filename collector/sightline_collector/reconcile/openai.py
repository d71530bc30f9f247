"""OpenAI: an organization's usage and costs, as the API answers and as the dashboard exports them. Pure.

Formats: "Usage" and "Costs" in OpenAI's API reference (`GET /v1/organization/usage/...`,
`GET /v1/organization/costs`), and the CSV of the dashboard's Usage page, whose columns are the API's fields
with `amount.value` spelled amount_value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from sightline_collector.reconcile.document import Document, Table, buckets, has_buckets
from sightline_collector.reconcile.line import FAULTS, Line, Rates, Statement, amount, count, utc_day

Fields = Mapping[str, Any]

HOW = """\
OpenAI, with an admin key (or the CSV of the dashboard's Usage page):
    curl -H "Authorization: Bearer $OPENAI_ADMIN_KEY" \\
      'https://api.openai.com/v1/organization/usage/completions?start_time=1788220800&limit=31&group_by=model'
    (usage/embeddings likewise: a file of each kind of calls, or of costs, which are of all)
    curl -H "Authorization: Bearer $OPENAI_ADMIN_KEY" \\
      'https://api.openai.com/v1/organization/costs?start_time=1788220800&limit=31&group_by=line_item'"""
_LINE_ITEM = re.compile(r"^(?P<model>[a-z0-9][\w.:-]*)(?:, (?P<what>.+))?$", re.I)
_USAGE = re.compile(r"organization\.usage\.(?P<kind>\w+)\.result")
_TOKENS = re.compile(r"input|output|cached|audio|image|text|training", re.I)
_FEE = re.compile(r"search|tool|session|storage", re.I)
_TIERS = {"batch": "batch", "flex": "flex", "priority": "priority"}


def recognises(document: Document) -> bool:
    """True for pages of buckets with a start_time, and for tables with the same fields."""
    if isinstance(document, Table):
        columns = set(document.columns)
        return "start_time" in columns and bool(columns & {"amount_value", "num_model_requests"})
    return has_buckets(document, "start_time")


def read(document: Document, rates: Rates) -> Statement:
    """The lines of the file. Raises Unreadable for a currency without a rate."""
    statement = Statement("openai", "OpenAI usage and costs")
    for number, day_field, result in _results(document, statement):
        try:
            day = utc_day(day_field)
            statement.days.add(day)
            if result:
                _read_result(statement, day, result, rates)
        except FAULTS as e:
            statement.refuse(number, e)
    if any(line.usd is not None for line in statement.lines):
        statement.kinds.clear()
    return statement


def _results(document: Document, statement: Statement) -> Iterator[tuple[int, object, Fields]]:
    """Line number, the bucket's start, and one result; an empty one for a bucket without usage."""
    if isinstance(document, Table):
        for number, row in document.rows:
            said = {name: cell for name, cell in row.items() if cell != ""}
            empty = not said.keys() & {"amount_value", "num_model_requests", "input_tokens"}
            yield number, row.get("start_time", ""), {} if empty else said
        return
    for number, bucket in buckets(document, statement):
        results = bucket["results"] or [{}]
        yield from ((number, bucket["start_time"], result) for result in results)


def _read_result(statement: Statement, day: date, result: Fields, rates: Rates) -> None:
    if "amount" in result or "amount_value" in result:
        _read_cost(statement, day, result, rates)
        return
    statement.kinds.add(_kind(result))
    statement.add(
        Line(
            day,
            str(result.get("model") or ""),
            input_tokens=count(result.get("input_tokens")),
            output_tokens=count(result.get("output_tokens")),
            cache_read_tokens=count(result.get("input_cached_tokens")),
            calls=count(result.get("num_model_requests")),
            tier=_tier(result),
        )
    )


def _kind(result: Fields) -> str:
    """Each interface's usage is an export of its own; a table's is told by whether it counts output."""
    found = _USAGE.fullmatch(str(result.get("object") or ""))
    return found["kind"] if found else "completions" if "output_tokens" in result else "embeddings"


def _tier(result: Fields) -> str:
    if str(result.get("batch")).lower() == "true":
        return "batch"
    return _TIERS.get(str(result.get("service_tier") or "").lower(), "")


def _read_cost(statement: Statement, day: date, result: Fields, rates: Rates) -> None:
    charged = result.get("amount") or {}
    value, currency = result.get("amount_value"), result.get("amount_currency") or ""
    if isinstance(charged, dict) and charged:
        value, currency = charged.get("value"), charged.get("currency") or ""
    usd = rates.to_usd(amount(value), str(currency))
    item = str(result.get("line_item") or "")
    model, tier = _line_item(item)
    if item and not model:
        statement.set_aside(item, usd)
    else:
        statement.add(Line(day, model, usd=usd, tier=tier))


def _line_item(item: str) -> tuple[str, str]:
    """Model and tier of `gpt-4o-2024-08-06, batch input`; no model for another item, such as storage."""
    found = _LINE_ITEM.match(item)
    what = ((found and found["what"]) or "").lower()
    if not found or _FEE.search(what) or not (_TOKENS.search(what) or re.search(r"\d", found["model"])):
        return "", ""
    return found["model"], next((tier for word, tier in _TIERS.items() if word in what), "")
