"""The price of a finished model call, by its span's attributes."""

import importlib
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sightline import attributes
from sightline._fork import importing
from sightline.pricing import Price, price
from sightline.usage import from_attributes, normalised

_NS_PER_S: Final = 1_000_000_000


def call_price(values: Mapping[str, Any], at_ns: int) -> Price | None:
    """What the call that started at `at_ns` (since 1970, UTC) cost, or the reason why there is no amount.

    None for what is no model call, for one whose tokens are those of a call below it, and for a refused one:
    without usage it costs nothing, and there is no question to answer.
    """
    if values.get(attributes.GEN_AI_OPERATION) not in attributes.MODEL_OPERATIONS:
        return None
    if attributes.USAGE_AGGREGATED in values:
        return None
    usage = normalised(from_attributes(values))
    if not usage and attributes.ERROR_TYPE in values:
        return None
    load_prices()
    at = datetime.fromtimestamp(at_ns // _NS_PER_S, UTC)
    provider = values.get(attributes.GEN_AI_PROVIDER)
    result = Price(None, "no_model_name")
    for name in (attributes.RESPONSE_MODEL, attributes.REQUEST_MODEL):
        result = price(usage, provider=provider, model=values.get(name), at=at)
        if result.usd is not None:
            break
    return result


def load_prices() -> None:
    """Import the list of prices, if it is not there yet: that takes a third of a second."""
    if "genai_prices" not in sys.modules:
        with importing:
            importlib.import_module("genai_prices")
