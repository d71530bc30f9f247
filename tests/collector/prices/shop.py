"""A small price list, published as the library's: two models of one seller and one of another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import pytest
from genai_prices.types import (
    ClauseContains,
    ClauseEquals,
    ClauseOr,
    ClauseStartsWith,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
)

from sightline_collector.prices import api
from sightline_collector.prices import load as loading
from sightline_collector.prices.published import Published


def usd(read: str, written: str) -> ModelPrice:
    """So much for a million tokens read, and written."""
    return ModelPrice(input_mtok=Decimal(read), output_mtok=Decimal(written))


def shop() -> Published:
    """big-1 costs 4 and 8 USD from March on, as a batch half; little-1 costs 1 and 2; huge has a tier."""
    march = StartDateConstraint(date(2026, 3, 1))
    big = ModelInfo(
        "big-1",
        ClauseOr([ClauseEquals("big-1"), ClauseStartsWith("big-1-")]),
        prices=[ConditionalPrice(prices=usd("2", "4")), ConditionalPrice(march, prices=usd("4", "8"))],
        price_variants=[PriceVariant({"processing": "batch"}, usd("2", "4"), march)],
    )
    little = ModelInfo("little-1", ClauseEquals("little-1"), prices=usd("1", "2"))
    tiered = TieredPrices(Decimal(1), [Tier(1000, Decimal(3))])
    huge = ModelInfo("huge", ClauseEquals("huge"), prices=ModelPrice(input_mtok=tiered))
    corner = Provider("corner", "Corner", "", model_match=ClauseStartsWith("big-"), models=[big, little])
    depot = Provider(
        "depot", "Depot", "", provider_match=ClauseContains("depot"), models=[huge],
        fallback_model_providers=["corner"],
    )  # fmt: skip
    return Published([corner, depot], "list 1")


@contextmanager
def open_shop() -> Iterator[None]:
    """Inside the block the small list is what is published, and there is no second source."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (loading, api):
            patch.setattr(module, "second", lambda: Published([], ""))
        patch.setattr(loading, "installed", shop)
        yield
