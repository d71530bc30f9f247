"""The engine's price of a call against the library's, for every model in its data."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from collector.prices.calls import Call, Priced, price, same
from collector.prices.samples import cell_calls, random_calls

from sightline_collector.prices.marginals import wholes_of
from sightline_collector.store.engine import Engine

SHARE_OF_NAMES = float(os.environ.get("SIGHTLINE_PRICE_SHARE", "0.4"))
CALLS_A_NAME = int(os.environ.get("SIGHTLINE_PRICE_CALLS", "1"))
"""A larger sample: SIGHTLINE_PRICE_SHARE=1 SIGHTLINE_PRICE_CALLS=8 takes a minute."""

AMOUNTS = {"priced", "assumed", "free", "estimated_tokens"}

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
    "library LookupError, engine no_model",
    "library LookupError, engine no_provider",
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


def outcomes(calls: Sequence[Call], priced: Sequence[Priced]) -> Counter[str]:
    """Counts of each class; asserts that the two money rules hold."""
    counts: Counter[str] = Counter()
    for call, got in zip(calls, priced, strict=True):
        expected = call.library_usd()
        counts[outcome(call, expected, got)] += 1
        assert (got.usd is not None) == (got.status in AMOUNTS), (call, got)
        if got.status == "no_usage":
            assert not isinstance(expected, Decimal) or expected == 0, (call, expected)
    return counts


def test_every_cell_of_every_model_costs_what_the_library_says(pricer: Engine) -> None:
    """One call in each cell of each model's prices equals the library to 1e-12, or is unknown for it too."""
    calls = list(cell_calls())
    counts = outcomes(calls, price(pricer, calls))
    assert len(calls) > 4000
    assert set(counts) <= {"equal, priced", "equal, free", "library prices, engine no_usage"}, counts
    assert counts["equal, priced"] > 0.9 * len(calls)


def test_random_usage_over_every_model_costs_what_the_library_says(pricer: Engine) -> None:
    """No amount differs, and each refusal that is only ours or only the library's has its known reason."""
    calls = list(random_calls(11, each=CALLS_A_NAME, share=SHARE_OF_NAMES))
    counts = outcomes(calls, price(pricer, calls))
    assert set(counts) <= OUTCOMES, counts
    assert counts["equal, priced"] > 0.6 * len(calls)
