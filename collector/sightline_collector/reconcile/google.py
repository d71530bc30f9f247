"""Google Cloud: the billing export of a BigQuery table, as CSV, JSON or lines of JSON. Pure.

Format: "Structure of Standard data export" and "Structure of Detailed data export" in the Cloud Billing
documentation. Amounts are in the account's currency beside its rate to USD; credits are a list of their
own; model names stand in the description of the SKU, such as `Generate content input token count gemini
2.5 flash short input text` or `Gemini 2.5 Pro Text Output - Predictions`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from sightline_collector.reconcile.document import Document, Table
from sightline_collector.reconcile.line import (
    FAULTS,
    BadLine,
    Line,
    Rates,
    Statement,
    amount,
    bounded,
    count,
    utc_day,
)

Fields = Mapping[str, Any]

HOW = """\
Google Cloud, from the billing export's table (or its CSV with columns such as sku.description):
    bq query --format=json --use_legacy_sql=false 'select service, sku, usage_start_time, cost, currency,
      currency_conversion_rate, usage, credits, cost_type from DATASET.gcp_billing_export_v1_ACCOUNT
      where usage_start_time >= "2026-09-01"'"""
_MODEL = re.compile(
    r"gemini[ -]embedding(?:[ -]\d+)?|gemini[ -]\d+(?:\.\d+)?[ -]computer[ -]use"
    r"|gemini[ -]\d+(?:\.\d+)?[ -](?:pro|flash(?:[ -](?:lite|8b))?|ultra|nano)"
    r"(?:[ -](?:(?:ga|preview)[ -])?(?:tts|live|native[ -]audio|(?:native[ -])?image(?![ -]input)))?"
    r"|claude[ -](?:(?:opus|sonnet|haiku)[ -]\d+(?:\.\d+)?|\d+(?:\.\d+)?[ -](?:opus|sonnet|haiku))"
    r"|text[ -]embedding[ -]\d+|(?:imagen|veo)[ -]\d+|llama[ -]\d+(?:\.\d+)?[ -](?:\d+b|maverick|scout)"
    r"|mistral[ -]\w+|deepseek[ -][rv]\d+(?:\.\d+)?|gpt[ -]oss[ -]\d+b"
)
"""A variant is a model of its own, at its own price; but what a base model is given may be `image input`."""
_UNSAID = re.compile(r"[ -]ga\b")
_COUNTED = ("count", "tokens", "token")
"""Units of usage.amount that are tokens where the SKU says token, input or output."""


def recognises(document: Document) -> bool:
    """True for rows with a SKU, a cost, and the start of usage."""
    if isinstance(document, Table):
        return {"sku_description", "cost", "usage_start_time"} <= {_plain(name) for name in document.columns}
    rows = [row for _, row in document.values]
    return bool(rows) and all({"sku", "cost", "usage_start_time"} <= row.keys() for row in rows)


def read(document: Document, rates: Rates) -> Statement:
    """The lines of the file. Raises Unreadable for a currency without a rate."""
    statement = Statement("google", "Google Cloud billing export")
    for number, row in _rows(document):
        try:
            _read_row(statement, row, rates)
        except FAULTS as e:
            statement.refuse(number, e)
    return statement


def _rows(document: Document) -> Iterator[tuple[int, Fields]]:
    """Rows with one level of names: usage.amount is usage_amount."""
    if isinstance(document, Table):
        yield from document.renamed(_plain).rows
        return
    for number, value in document.values:
        flat = dict(value)
        for outer in ("service", "sku", "usage"):
            if isinstance(value.get(outer), dict):
                flat |= {f"{outer}_{name}": inner for name, inner in value[outer].items()}
        yield number, flat


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")


def _read_row(statement: Statement, row: Fields, rates: Rates) -> None:
    sku = " ".join(str(row.get("sku_description") or "").lower().replace("_", " ").split())
    day = utc_day(row["usage_start_time"])
    statement.days.add(day)
    usd = _usd(amount(row["cost"]), row, rates)
    credited = _usd(_credits(row.get("credits")), row, rates)
    model = _MODEL.search(sku)
    service = str(row.get("service_description") or "other services")
    if str(row.get("cost_type") or "regular") != "regular":
        statement.set_aside(str(row["cost_type"]), usd)
    elif model is None:
        statement.set_aside(service, usd)
    elif "grounding" in sku:
        statement.set_aside(f"{service}: grounding", usd)
    else:
        listed = row.get("cost_at_list")
        list_usd = _usd(amount(listed), row, rates) if listed not in (None, "") else None
        statement.add(
            _line(
                Line(day, _UNSAID.sub("", model[0]).replace(" ", "-"), usd=usd, list_usd=list_usd), sku, row
            )
        )
    if credited:
        statement.set_aside("credits" if model else f"{service}: credits", credited)


def _usd(value: Decimal, row: Fields, rates: Rates) -> Decimal:
    """The export's own rate says how much of the currency one USD is; --rate goes before it."""
    currency, rate = str(row.get("currency") or ""), row.get("currency_conversion_rate")
    if rate in (None, "") or currency.upper() in rates.usd:
        return rates.to_usd(value, currency)
    per_usd = amount(rate)
    if per_usd <= 0:
        raise BadLine(f"{rate!r} is no currency_conversion_rate")
    return bounded(value / per_usd)


def _credits(value: object) -> Decimal:
    """The sum of a list of credits, which are negative; BigQuery writes it as JSON into a CSV."""
    if isinstance(value, str):
        value = json.loads(value, parse_float=Decimal) if value.strip().startswith("[") else []
    listed = value if isinstance(value, list) else []
    return sum((amount(credit.get("amount") or 0) for credit in listed), Decimal(0))


def _line(line: Line, sku: str, row: Fields) -> Line:
    """The line with what its SKU counts: one SKU is one kind of token."""
    tier = next((tier for tier in ("batch", "flex", "priority") if tier in sku), "")
    unit = str(row.get("usage_unit") or "").lower()
    tokens = count(row.get("usage_amount")) if unit in _COUNTED and "storage" not in sku else None
    output = re.search(r"\boutput\b", sku.replace("short input", "").replace("long input", ""))
    cached = tokens if re.search(r"\bcach(?:ed|ing)\b", sku) else None
    counted = re.search(r"\b(?:input|output|token)\b", sku)
    return Line(
        line.day,
        line.model,
        usd=line.usd,
        list_usd=line.list_usd,
        input_tokens=tokens if counted and not output else None,
        output_tokens=tokens if counted and output else None,
        cache_read_tokens=cached,
        tier=tier,
    )
