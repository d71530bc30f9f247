"""Laws of pricing, over whatever hypothesis finds."""

from __future__ import annotations

from decimal import Decimal

from collector.prices.calls import EXACT, Call, price
from collector.prices.outcomes import AMOUNTS, OUTCOMES, outcome
from collector.prices.samples import PROVIDERS
from genai_prices import Usage
from genai_prices.types import ModelInfo, Provider
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sightline_collector.prices.cells import cube
from sightline_collector.prices.marginals import UNITS, listed_prices, marginals
from sightline_collector.store.engine import Engine

MODELS = [(provider, model) for provider in PROVIDERS for model in provider.models]
REPORTED = [unit for unit in UNITS if unit != "requests"]
ANY_COUNT = st.one_of(st.integers(0, 5), st.integers(0, 10**6), st.integers(0, 2**64 - 1))

ENGINE_BOUND = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
"""Each example is an insert of many calls, so a few examples are thousands of calls."""


@st.composite
def small_calls(draw: st.DrawFn) -> Call:
    """Plain and rare counts in any mix for any model, contradictions included."""
    provider, model = draw(st.sampled_from(MODELS))
    units = draw(st.lists(st.sampled_from(REPORTED), max_size=6, unique=True))
    counts = {unit: draw(st.integers(0, 3000)) for unit in ["input_tokens", "output_tokens", *units]}
    return Call(provider.id, model.id, counts)


@ENGINE_BOUND
@given(calls=st.lists(small_calls(), min_size=1, max_size=60))
def test_any_mix_of_units_costs_what_the_library_says(pricer: Engine, calls: list[Call]) -> None:
    """Whatever units a call reports, the amounts are equal or the refusal has a known reason."""
    for call, got in zip(calls, price(pricer, calls), strict=True):
        assert outcome(call, call.library_usd(), got) in OUTCOMES


@ENGINE_BOUND
@given(usages=st.lists(st.dictionaries(st.sampled_from(REPORTED), ANY_COUNT, max_size=8), min_size=1))
def test_no_count_fails_an_insert(pricer: Engine, usages: list[dict[str, int]]) -> None:
    """Any 64-bit count in any unit gives an amount below a million dollars, or a reason for none."""
    calls = [Call("openai", "gpt-realtime", usage) for usage in usages]
    for got in price(pricer, calls):
        assert (got.usd is not None) == (got.status in AMOUNTS)
        assert got.usd is None or 0 <= got.usd < 10**6


@ENGINE_BOUND
@given(names=st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_no_name_fails_an_insert(pricer: Engine, names: list[tuple[str, str]]) -> None:
    """Any text as provider and model is priced or refused, and a refusal names no price."""
    calls = [Call(provider, model) for provider, model in names]
    for got in price(pricer, calls):
        assert (got.price_id == 0) == (got.status == "unpriced_model")


@settings(max_examples=300, deadline=None)
@given(seller=st.sampled_from(MODELS), data=st.data())
def test_marginals_add_up_to_the_librarys_price(
    seller: tuple[Provider, ModelInfo], data: st.DataObject
) -> None:
    """Counts times marginals is the library's price, for every consistent usage of a model's units."""
    _, model = seller
    cell = data.draw(st.sampled_from(cube(model).cells))
    assert cell.listed is not None
    usage = {unit: data.draw(st.integers(0, 10**6)) for unit in cell.listed if unit != "requests"}
    at = cell.above_input_tokens or 0
    usage["input_tokens"] = usage.get("input_tokens", 0) + at + 1
    try:
        expected = model.prices if not isinstance(model.prices, list) else model.prices[0].prices
        expected_usd = expected.calc_price(Usage(**usage))["total_price"]
    except ValueError:
        return
    per_unit = marginals(listed_prices(expected, usage["input_tokens"]))
    total = sum((usd * usage.get(unit, 1) for unit, usd in per_unit.items()), Decimal(0))
    assert abs(total - expected_usd) <= EXACT
