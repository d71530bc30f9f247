"""
What it costs more that a call is answered in one country: as a context of the models' prices. Pure.

Anthropic charges a tenth more for each token of a call that may be answered in the United States only, since
its models 4.6, and says of each answer where it was made: `inference_geo`. The price lists lack it.
"""

import re
from dataclasses import replace
from decimal import Decimal

from genai_prices.types import ModelInfo, Provider

from sightline_collector.prices.cells import Cell, Cube

US_ONLY = "inference_geo", "us"
TIMES = Decimal("1.1")

_VERSION = re.compile(r"claude-[a-z]+-(\d+)(?:-(\d+))?")
SINCE = (4, 6)


def with_residency(prices: Cube, provider: Provider, model: ModelInfo) -> Cube:
    """The model's cells, and behind them those of calls that were answered in the United States only."""
    if not _charges_for_it(provider, model):
        return prices
    key, place = US_ONLY
    return replace(
        prices,
        cells=(*prices.cells, *(_there(cell, key, place) for cell in prices.cells)),
        offsets={**prices.offsets, f"{key}={place}": len(prices.cells)},
    )


def _charges_for_it(provider: Provider, model: ModelInfo) -> bool:
    found = _VERSION.fullmatch(model.id)
    return provider.id == "anthropic" and bool(found and (int(found[1]), int(found[2] or 0)) >= SINCE)


def _there(cell: Cell, key: str, place: str) -> Cell:
    listed = cell.listed
    if listed is not None:
        listed = {unit: usd * TIMES if unit.endswith("_tokens") else usd for unit, usd in listed.items()}
    return replace(cell, context={**cell.context, key: place}, listed=listed)
