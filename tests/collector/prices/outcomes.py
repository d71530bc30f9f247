"""How the engine's price of a call compares with the library's."""

from __future__ import annotations

from decimal import Decimal

from collector.prices.calls import Call, Priced, same

from sightline_collector.prices.marginals import wholes_of

AMOUNTS = {"priced", "assumed", "reported", "estimated_tokens", "free", "cached_by_gateway"}

OUTCOMES = {
    "equal, priced",
    "equal, assumed",  # no provider named: the library guesses without saying so
    "equal, free",
    "library prices, engine bad_usage, a part exceeds its whole",  # a part that the model does not price
    "library prices, engine no_usage",  # 0 USD, as nothing was reported that the price counts
    "library prices, engine no_usage, a part exceeds its whole",
    "library ValueError, engine bad_usage",
    "library ValueError, engine bad_usage, a part exceeds its whole",
    "library LookupError, engine assumed",
    "library LookupError, engine unpriced_model",
    "library LookupError, engine priced",  # by the second source
    "library LookupError, engine free",  # a name that says so
    "library LookupError, engine bad_usage",  # assumed, were it not for its usage
    "library LookupError, engine no_usage",
}
"""Every way in which the two sides may compare."""


def outcome(call: Call, expected: Decimal | str, got: Priced) -> str:
    """How the two sides compare, as a class of the table below."""
    library = "prices" if isinstance(expected, Decimal) else expected
    if same(got.usd, expected):
        return f"equal, {got.status}"
    if got.usd is not None and isinstance(expected, Decimal):
        return f"DIFFERENT: {call} {expected} {got}"
    contradicts = ", a part exceeds its whole" if exceeds(call) and library != "LookupError" else ""
    return f"library {library}, engine {got.status}{contradicts}"


def exceeds(call: Call) -> bool:
    """Whether a part is larger than a whole, or the parts of the input together are."""
    usage = call.usage
    cached = usage.get("cache_read_tokens", 0) + usage.get("cache_write_tokens", 0)
    return cached > usage.get("input_tokens", 0) or any(
        count > usage.get(whole, 0) for part, count in usage.items() for whole in wholes_of(part)
    )
