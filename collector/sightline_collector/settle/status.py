"""What is said of the price of a span that is paid though its operation is no model call's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sightline_collector.settle.claim import PAID

TOKENS_MAX = 10**12
"""No call is larger."""
PARTS = ("cache_read", "cache_write", "reasoning")


def own_status(row: Mapping[str, Any]) -> str:
    """The cost_status of a span's own usage, whatever its operation. As it came only model calls have one, so
    that of others is read from what was found: a price, a usage that it fits, a cost."""
    if row["operation"] in PAID:
        return str(row["cost_status"])
    if row["own_cost_usd"] is not None:
        return _priced(row)
    return _without_price(row)


def _without_price(row: Mapping[str, Any]) -> str:
    given = {name: row[f"{name}_tokens"] or 0 for name in ("input", "output", *PARTS)}
    if max(given.values()) > TOKENS_MAX:
        return "too_large"
    cached = given["cache_read"] + given["cache_write"]
    possible = cached <= given["input"] and given["reasoning"] <= given["output"]
    return "unpriced_model" if possible else "bad_usage"


def _priced(row: Mapping[str, Any]) -> str:
    if row["gateway_cached"]:
        return "cached_by_gateway"
    if not row["price_id"] and row["reported"]:
        return "reported"
    if not row["provider"]:
        return "assumed"
    if not row["own_cost_usd"]:
        return "free"
    return "estimated_tokens" if row["tokens_estimated"] else "priced"
