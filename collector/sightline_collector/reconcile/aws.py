"""AWS: Bedrock in the Cost and Usage Report (legacy and 2.0, CSV) and in Cost Explorer's JSON. Pure.

Formats: "Understanding your Amazon Bedrock Cost and Usage Report data" in the Bedrock user guide, "Line item
details" in the Data Exports user guide, and GetCostAndUsage in the Cost Explorer API reference. A usage type
names region, model, kind of token and tier: `USE1-Claude4.5Sonnet-input-tokens`,
`USE1-Nova2.0Lite-cache-read-input-token-count-batch`; models sold through the marketplace leave their name
to the product: `USE1-MP:USE1_InputTokenCount-Units` of `Claude Sonnet 4.5 (Amazon Bedrock Edition)`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sightline_collector.reconcile.document import Document, Table, Values
from sightline_collector.reconcile.line import (
    FAULTS,
    BadLine,
    Line,
    Rates,
    Statement,
    Unreadable,
    amount,
    bounded,
    utc_day,
)

HOW = """\
AWS, from Cost Explorer (or the CSV of a Cost and Usage Report):
    aws ce get-cost-and-usage --time-period Start=2026-09-01,End=2026-10-01 --granularity DAILY \\
      --metrics UnblendedCost UsageQuantity \\
      --group-by Type=DIMENSION,Key=SERVICE Type=DIMENSION,Key=USAGE_TYPE"""
_BEDROCK = re.compile(r"bedrock", re.I)
_REGION = re.compile(r"^[A-Z]{2,5}\d?-(?=[A-Za-z])")
_MARKETPLACE = re.compile(r"^(?:[A-Z]{2,5}\d-)?MP:")
_KIND = re.compile(
    r"[-_]?(?P<cache>cache[-_ ]?(?P<way>read|write)\w*?)?[-_]?(?:mantle-)?"
    r"(?P<side>input|output|response)[-_]?(?:text-)?tokens?(?:[-_]?count)?",
    re.I,
)
_UNITS = {"1k tokens": 1_000, "1m tokens": 1_000_000, "tokens": 1, "token": 1, "units": 1_000_000}
"""Tokens in one of the quantity's unit; the marketplace's Units are millions."""
_USAGE = ("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage", "")
_UNNAMED_UNIT = 1_000
"""What a usage type of Bedrock's own counts in where the report has no unit."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A line item of either report, in one spelling."""

    start: str
    service: str
    usage_type: str
    kind: str
    cost: object
    currency: str
    quantity: object
    unit: str
    list_cost: object = None


def recognises(document: Document) -> bool:
    """True for a table of line items, and for Cost Explorer's ResultsByTime."""
    if isinstance(document, Table):
        return {"line_item_usage_type", "line_item_unblended_cost"} <= {_plain(c) for c in document.columns}
    return bool(document.values) and all("ResultsByTime" in value for _, value in document.values)


def read(document: Document, rates: Rates) -> Statement:
    """The lines of the file. Raises Unreadable for a currency without a rate, and for months as a whole."""
    statement = Statement("aws", "AWS cost and usage")
    items = _line_items(document) if isinstance(document, Table) else _groups(document, statement)
    for number, item in items:
        try:
            _read_item(statement, item, rates)
        except FAULTS as e:
            statement.refuse(number, e)
    return statement


def _plain(name: str) -> str:
    """lineItem/UsageType, as 2.0 spells it: line_item_usage_type."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip()).replace("/", "_").lower()


def _line_items(table: Table) -> Iterator[tuple[int, _Item]]:
    for number, row in table.renamed(_plain).rows:
        get = row.get
        service = _product(row) or get("product_servicename") or get("line_item_product_code")
        yield (
            number,
            _Item(
                get("line_item_usage_start_date", ""),
                f"{service or ''} {get('line_item_line_item_description', '')}",
                get("line_item_usage_type", ""),
                get("line_item_line_item_type", ""),
                get("line_item_unblended_cost", ""),
                get("line_item_currency_code", ""),
                get("line_item_usage_amount", ""),
                get("pricing_unit", ""),
                get("pricing_public_on_demand_cost"),
            ),
        )


def _product(row: Mapping[str, str]) -> str:
    """The product's name: a column, or in 2.0 a member of the column `product`, which is a map."""
    if row.get("product_product_name"):
        return row["product_product_name"]
    try:
        product = json.loads(row.get("product") or "{}")
    except ValueError:
        return ""
    return str(product.get("product_name") or "") if isinstance(product, dict) else ""


def _groups(document: Values, statement: Statement) -> Iterator[tuple[int, _Item]]:
    for number, value in document.values:
        if value.get("NextPageToken"):
            statement.note(
                "the file is one page of several: the next one is asked for with its NextPageToken"
            )
        dimensions = [group.get("Key", "") for group in value.get("GroupDefinitions", [])]
        for period in value["ResultsByTime"]:
            start = _day_of(period.get("TimePeriod", {}))
            statement.days.add(utc_day(start))
            for group in period.get("Groups", []):
                named = dict(zip(dimensions, group.get("Keys", []), strict=False))
                yield number, _explored(start, named, group.get("Metrics", {}))


def _day_of(period: Mapping[str, str]) -> str:
    start, end = str(period.get("Start", "")), str(period.get("End", ""))
    try:
        one_day = (utc_day(end) - utc_day(start)).days <= 1
    except BadLine as e:
        raise Unreadable(f"a TimePeriod of the answer is none: {e}", "ask Cost Explorer again") from None
    if not one_day:
        raise Unreadable(
            f"the answer's periods are longer than a day: {start} to {end}",
            "ask Cost Explorer with --granularity DAILY",
        )
    return start


def _explored(start: str, named: Mapping[str, str], metrics: Mapping[str, Any]) -> _Item:
    cost = metrics.get("UnblendedCost") or metrics.get("NetUnblendedCost") or {}
    quantity = metrics.get("UsageQuantity") or {}
    return _Item(
        start,
        named.get("SERVICE", ""),
        named.get("USAGE_TYPE", ""),
        named.get("RECORD_TYPE", ""),
        cost.get("Amount", ""),
        cost.get("Unit", ""),
        quantity.get("Amount", ""),
        "" if quantity.get("Unit") == "N/A" else str(quantity.get("Unit", "")),
    )


def _read_item(statement: Statement, item: _Item, rates: Rates) -> None:
    day = utc_day(item.start)
    statement.days.add(day)
    usd = rates.to_usd(amount(item.cost), item.currency)
    kind = _KIND.search(item.usage_type)
    if not _BEDROCK.search(item.service) and not (kind and _MARKETPLACE.match(item.usage_type)):
        statement.set_aside("other services", usd)
    elif item.kind not in _USAGE:
        statement.set_aside(item.kind, usd)
    elif kind is None:
        statement.set_aside(f"Bedrock: {item.usage_type or 'not by usage type'}", usd)
    else:
        listed = amount(item.list_cost) if item.list_cost else None
        list_usd = rates.to_usd(listed, item.currency) if listed is not None else None
        statement.add(_counted(Line(day, _model(item, kind), usd=usd, list_usd=list_usd), item, kind))


def _model(item: _Item, kind: re.Match[str]) -> str:
    if _MARKETPLACE.match(item.usage_type):
        return re.sub(r"\s*\(.*", "", item.service).strip()
    return _REGION.sub("", item.usage_type)[: kind.start() - len(item.usage_type)].strip("-_")


def _counted(line: Line, item: _Item, kind: re.Match[str]) -> Line:
    unit = item.unit.lower() or ("units" if item.usage_type.lower().endswith("units") else "")
    size = _UNITS.get(unit, _UNNAMED_UNIT if not unit else 0)
    counted = bounded(amount(item.quantity) * size) if size and item.quantity != "" else None
    tokens = None if counted is None else int(counted.to_integral_value())
    way, output = (kind["way"] or "").lower(), kind["side"].lower() != "input"
    after = item.usage_type[kind.end() :].lower()
    return Line(
        line.day,
        line.model,
        usd=line.usd,
        list_usd=line.list_usd,
        input_tokens=None if output else tokens,
        output_tokens=tokens if output else None,
        cache_read_tokens=tokens if way == "read" else None,
        cache_write_tokens=tokens if way == "write" else None,
        tier=next((tier for tier in ("batch", "flex", "priority") if tier in after), ""),
    )
