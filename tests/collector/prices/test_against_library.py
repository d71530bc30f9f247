"""The engine's price of a call against the library's, for every model in its data."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from collector.prices.calls import Call, Priced, price
from collector.prices.outcomes import AMOUNTS, OUTCOMES, outcome
from collector.prices.samples import cell_calls, random_calls

from sightline_collector.store.engine import Engine

SHARE_OF_NAMES = float(os.environ.get("SIGHTLINE_PRICE_SHARE", "0.4"))
CALLS_A_NAME = int(os.environ.get("SIGHTLINE_PRICE_CALLS", "1"))
"""A larger sample: SIGHTLINE_PRICE_SHARE=1 SIGHTLINE_PRICE_CALLS=8 takes a minute."""


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
    assert counts["equal, priced"] + counts["equal, assumed"] > 0.6 * len(calls)
