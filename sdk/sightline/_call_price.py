"""The price of a finished model call, by its span's attributes."""

import importlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from sightline import attributes
from sightline._fork import importing
from sightline.pricing import Price, price
from sightline.usage import from_attributes, normalised

# All that its first price would import by itself: a child may be forked right then; see `_fork`.
_PRICES: Final = ("genai_prices", "genai_prices.data", "genai_prices.data_units")
_NS_PER_S: Final = 1_000_000_000
_loaded = False


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
    at = _time_of(at_ns // _NS_PER_S)
    provider, tier = values.get(attributes.GEN_AI_PROVIDER), values.get(attributes.SERVICE_TIER)
    model = values.get(attributes.RESPONSE_MODEL)
    result = price(usage, provider=provider, model=model, at=at, service_tier=tier)
    if result.usd is not None:
        return result
    model = values.get(attributes.REQUEST_MODEL)
    return price(usage, provider=provider, model=model, at=at, service_tier=tier)


@lru_cache(maxsize=16)
def _time_of(seconds: int) -> datetime:
    """Calls of one second have one time: making it takes as long as a quarter of a price."""
    return datetime.fromtimestamp(seconds, UTC)


def load_prices() -> None:
    """Import the list of prices, if it is not there yet: that takes a third of a second."""
    global _loaded
    if not _loaded:
        with importing:
            for name in _PRICES:
                importlib.import_module(name)
        _loaded = True


# What OpenInference calls it, in OpenTelemetry's words.
_FOREIGN_KIND: Final = "openinference.span.kind"
_FOREIGN_CALLS: Final = {"LLM": "chat", "EMBEDDING": "embeddings"}
_FOREIGN: Final = {
    "llm.provider": attributes.GEN_AI_PROVIDER,
    "llm.model_name": attributes.RESPONSE_MODEL,
    "embedding.model_name": attributes.RESPONSE_MODEL,
    "llm.token_count.prompt": attributes.INPUT_TOKENS,
    "llm.token_count.completion": attributes.OUTPUT_TOKENS,
    "llm.token_count.prompt_details.cache_read": attributes.CACHE_READ_TOKENS,
    "llm.token_count.prompt_details.cache_write": attributes.CACHE_WRITE_TOKENS,
    "llm.token_count.completion_details.reasoning": attributes.REASONING_TOKENS,
}


def in_our_words(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same attributes, with a model call of OpenInference's dialect as OpenTelemetry would tell it."""
    operation = _FOREIGN_CALLS.get(values.get(_FOREIGN_KIND, ""))
    if operation is None or attributes.GEN_AI_OPERATION in values:
        return values
    told = {ours: values[theirs] for theirs, ours in _FOREIGN.items() if theirs in values}
    return {**values, **told, attributes.GEN_AI_OPERATION: operation}
