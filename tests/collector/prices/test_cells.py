"""One model's prices as cells: where they begin, and how one is found by addition."""

from __future__ import annotations

from datetime import date, time, timedelta, timezone
from decimal import Decimal
from itertools import product

import pytest
from collector.prices.models import model, mtok
from collector.prices.samples import PROVIDERS
from genai_prices.types import (
    ConditionalPrice,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from sightline_collector.prices.cells import Cube, cube
from sightline_collector.prices.residency import with_residency


def inputs(prices: Cube) -> list[Decimal]:
    """The input price of each cell, in order."""
    return [(cell.listed or {})["input_tokens"] for cell in prices.cells]


def test_a_plain_price_is_one_cell() -> None:
    """Without dates, times, sizes and contexts there is nothing to choose."""
    plain = cube(model(mtok(3)))
    assert inputs(plain) == [3]
    assert (plain.days, plain.seconds, plain.starts, plain.offsets) == ((), (), (), {})


def test_a_dated_price_holds_from_its_utc_day() -> None:
    """The first cell is before the day, the second from it on."""
    later = ConditionalPrice(StartDateConstraint(date(2026, 3, 1)), prices=mtok(2))
    dated = cube(model([ConditionalPrice(prices=mtok(3)), later]))
    assert dated.days == (date(2026, 3, 1),)
    assert [cell.valid_from for cell in dated.cells] == [None, date(2026, 3, 1)]
    assert inputs(dated) == [3, 2]


def test_a_night_price_holds_over_midnight() -> None:
    """From 16:30 to 00:30 UTC is two cells of the day, with the day's price between them."""
    night = ConditionalPrice(TimeOfDateConstraint(time(16, 30), time(0, 30)), prices=mtok(1))
    prices = cube(model([ConditionalPrice(prices=mtok(2)), night]))
    assert prices.seconds == (1800, 59400)
    assert inputs(prices) == [1, 2, 1]


def test_a_time_with_a_zone_is_moved_to_utc() -> None:
    """Eight in the morning in Shanghai is midnight, which needs no edge of its own."""
    shanghai = timezone(timedelta(hours=8))
    day = TimeOfDateConstraint(time(8, tzinfo=shanghai), time(20, tzinfo=shanghai))
    prices = cube(model([ConditionalPrice(prices=mtok(2)), ConditionalPrice(day, prices=mtok(1))]))
    assert prices.seconds == (43200,)
    assert inputs(prices) == [1, 2]


def test_tiers_of_all_units_share_one_axis() -> None:
    """A cell begins wherever any unit's tier does."""
    both = ModelPrice(
        input_mtok=TieredPrices(Decimal(1), [Tier(100, Decimal(2))]),
        output_mtok=TieredPrices(Decimal(5), [Tier(200, Decimal(6))]),
    )
    prices = cube(model(both))
    assert prices.starts == (100, 200)
    assert inputs(prices) == [1, 2, 2]
    assert [cell.above_input_tokens for cell in prices.cells] == [None, 100, 200]


def test_a_context_adds_its_offset() -> None:
    """Each key is an axis; the cell of two values is found by adding both offsets."""
    batch = PriceVariant({"processing": "batch"}, mtok(2))
    flex = PriceVariant({"service_tier": "flex"}, mtok(1))
    prices = cube(model(mtok(4), batch, flex))
    assert inputs(prices)[prices.offsets["processing=batch"]] == 2
    assert inputs(prices)[prices.offsets["service_tier=flex"]] == 1
    both = prices.offsets["processing=batch"] + prices.offsets["service_tier=flex"]
    assert prices.cells[both].context == {"processing": "batch", "service_tier": "flex"}
    assert inputs(prices)[both] == 2, "the variant that comes first wins"


def test_a_fallback_ignores_contexts() -> None:
    """A model reached through another provider has its plain prices only."""
    variant = PriceVariant({"processing": "batch"}, mtok(2))
    assert inputs(cube(model(mtok(4), variant), with_contexts=False)) == [4]


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.id)
def test_every_cell_is_where_addition_looks_for_it(provider: Provider) -> None:
    """For each model in the data, first cell plus offsets plus strides is the cell of that name."""
    for one in provider.models:
        prices = cube(one)
        for pair, day, second, start in product(
            ["", *prices.offsets],
            range(len(prices.days) + 1),
            range(len(prices.seconds) + 1),
            range(len(prices.starts) + 1),
        ):
            place = (
                prices.offsets.get(pair, 0) + day * prices.day_stride + second * prices.second_stride + start
            )
            cell = prices.cells[place]
            assert cell.context == (dict([pair.split("=", 1)]) if pair else {})
            assert cell.valid_from == (None, *prices.days)[day]
            assert cell.from_second == (0, *prices.seconds)[second]
            assert cell.above_input_tokens == (None, *prices.starts)[start]


def test_an_answer_made_in_one_country_costs_a_tenth_more() -> None:
    """Each token of it does, whatever else it is priced by; a search does not."""
    anthropic = next(provider for provider in PROVIDERS if provider.id == "anthropic")
    opus, older = (next(m for m in anthropic.models if m.id == f"claude-opus-4-{n}") for n in (8, 5))
    made = with_residency(cube(opus), anthropic, opus)
    both = made.cells[made.offsets["inference_geo=us"] + made.offsets["speed=fast"]]
    fast = made.cells[made.offsets["speed=fast"]]
    assert both.context == {"speed": "fast", "inference_geo": "us"}
    assert fast.listed is not None
    assert both.listed == {
        unit: usd if unit == "web_searches" else usd * Decimal("1.1") for unit, usd in fast.listed.items()
    }
    assert with_residency(cube(older), anthropic, older) == cube(older)
