"""The price list that people read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from collector.prices.models import model, mtok
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    Tier,
    TieredPrices,
)

from sightline_collector.prices.cells import cube
from sightline_collector.prices.listing import FREE_UNIT, lines

MARCH, MAY = date(2026, 3, 1), date(2026, 5, 1)


def news(one: ModelInfo) -> list[tuple[str, date | None, int | None, int]]:
    """The lines that say something new: context, day, size, price of the input."""
    return [
        (
            ",".join(line.cell.context.values()),
            line.cell.valid_from,
            line.cell.above_input_tokens,
            int(line.usd),
        )
        for line in lines(cube(one))
        if not line.repeats and line.unit in ("input_tokens", FREE_UNIT)
    ]


def since(day: date, usd: int) -> ConditionalPrice:
    """A price from a day on."""
    return ConditionalPrice(StartDateConstraint(day), prices=mtok(usd))


def test_a_day_that_changes_nothing_is_no_news() -> None:
    """Only the day on which a price changes is listed."""
    dated = model([ConditionalPrice(prices=mtok(3)), since(MARCH, 3), since(MAY, 2)])
    assert news(dated) == [("", None, None, 3), ("", MAY, None, 2)]


def test_a_context_that_costs_the_same_is_no_news() -> None:
    """The default service tier at the default price is not listed, the cheap one is."""
    tiers = [PriceVariant({"tier": "default"}, mtok(3)), PriceVariant({"tier": "flex"}, mtok(1))]
    assert news(model(mtok(3), *tiers)) == [("", None, None, 3), ("flex", None, None, 1)]


def test_a_price_that_comes_back_is_news() -> None:
    """After a sale the old price is listed again, though it equals the first line."""
    sale = model([ConditionalPrice(prices=mtok(3)), since(MARCH, 1), since(MAY, 3)])
    assert news(sale) == [("", None, None, 3), ("", MARCH, None, 1), ("", MAY, None, 3)]


def test_a_context_that_begins_later_says_what_held_before() -> None:
    """A context with any news is listed from the start, so its lines can be read without the others."""
    batch = PriceVariant({"tier": "batch"}, mtok(1), StartDateConstraint(MARCH))
    assert news(model(mtok(3), batch)) == [
        ("", None, None, 3),
        ("batch", None, None, 3),
        ("batch", MARCH, None, 1),
    ]


def test_a_tier_is_listed_by_where_it_begins() -> None:
    """The price above 200,000 tokens stands below the one up to there."""
    tiered = ModelPrice(input_mtok=TieredPrices(Decimal(3), [Tier(200_000, Decimal(6))]))
    assert news(model(tiered)) == [("", None, None, 3), ("", None, 200_000, 6)]


def test_a_free_model_is_listed() -> None:
    """A model without any price has one line that says so."""
    assert news(model(ModelPrice())) == [("", None, None, 0)]
