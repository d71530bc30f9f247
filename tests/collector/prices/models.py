"""Models made up for a test."""

from __future__ import annotations

from decimal import Decimal

from genai_prices.types import ClauseEquals, ConditionalPrice, ModelInfo, ModelPrice, PriceVariant


def model(prices: ModelPrice | list[ConditionalPrice], *variants: PriceVariant) -> ModelInfo:
    """A model called m."""
    return ModelInfo("m", ClauseEquals("m"), prices=prices, price_variants=list(variants) or None)


def mtok(usd: int) -> ModelPrice:
    """So much for a million input tokens."""
    return ModelPrice(input_mtok=Decimal(usd))
