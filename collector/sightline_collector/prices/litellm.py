"""
LiteLLM's price data -> the price list of a second source, in the shape that `genai-prices` publishes.

The package is too heavy to install for one file of it, so what the first source lacks of that file is kept in
data/litellm_prices.json. It is made again, from an unpacked wheel, by

    python -m sightline_collector.prices.litellm model_prices_and_context_window_backup.json 1.109.1

A model is taken under its exact name; a fine-tuned one with its owner's behind it, too. It has no dates: its
prices hold for ever. What is left out: fields without a unit here (images by the piece, seconds of video),
and models whose prices are all zero, which there can mean that nobody knows.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

from genai_prices.units import _get_registry

from sightline_collector.prices.marginals import UNIT_OF_PRICE, UNITS

REGISTRY = _get_registry()

NOTICE = """\
From LiteLLM, https://github.com/BerriAI/litellm. MIT License. Copyright (c) 2023 Berri AI

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without
limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of
the Software, and to permit persons to whom the Software is furnished to do so, subject to the following
conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO
EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN
AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE
OR OTHER DEALINGS IN THE SOFTWARE."""
FILE = Path(__file__).parent.parent / "data" / "litellm_prices.json"

SELLER = {
    "azure_ai": "azure", "azure_text": "azure", "bedrock": "aws", "bedrock_converse": "aws",
    "bedrock_mantle": "aws", "amazon_nova": "aws", "codestral": "mistral", "cohere_chat": "cohere",
    "fireworks_ai": "fireworks", "gemini": "google", "github_copilot": "github-copilot",
    "meta_llama": "meta", "moonshot": "moonshotai", "together_ai": "together", "voyage": "voyageai",
    "xai": "x-ai",
}  # fmt: skip
"""LiteLLM's provider -> the first source's id, where it has one of another name."""

UNIT_OF_FIELD = {
    "input_cost_per_token": ("input_mtok", 10**6),
    "output_cost_per_token": ("output_mtok", 10**6),
    "cache_read_input_token_cost": ("cache_read_mtok", 10**6),
    "cache_creation_input_token_cost": ("cache_write_mtok", 10**6),
    "cache_creation_input_token_cost_above_1hr": ("cache_write_1h_mtok", 10**6),
    "output_cost_per_reasoning_token": ("output_reasoning_mtok", 10**6),
    "input_cost_per_audio_token": ("input_audio_mtok", 10**6),
    "output_cost_per_audio_token": ("output_audio_mtok", 10**6),
    "cache_read_input_audio_token_cost": ("cache_audio_read_mtok", 10**6),
    "input_cost_per_image_token": ("input_image_mtok", 10**6),
    "output_cost_per_image_token": ("output_image_mtok", 10**6),
    "cache_read_input_image_token_cost": ("cache_image_read_mtok", 10**6),
    "input_cost_per_video_token": ("input_video_mtok", 10**6),
    "output_cost_per_video_token": ("output_video_mtok", 10**6),
    "citation_cost_per_token": ("output_citation_mtok", 10**6),
    "input_cost_per_character": ("input_mchars", 10**6),
    "ocr_cost_per_page": ("input_document_kpages", 10**3),
    "annotation_cost_per_page": ("input_annotated_document_kpages", 10**3),
    "input_cost_per_request": ("requests_kcount", 10**3),
}
"""Its field -> the price key, and for how many units that is."""

OF_MODE = {
    ("audio_transcription", "input_cost_per_second"): ("audio_hours", 3600),
    ("rerank", "input_cost_per_query"): ("rerank_searches_kcount", 10**3),
}
"""Fields that mean a unit only for models of one mode."""

CONTEXT_OF_SUFFIX = {
    "_batches": {"processing": "batch"},
    "_priority": {"service_tier": "priority"},
    "_flex": {"service_tier": "flex"},
}

_FIELD = re.compile(r"(.+?)(?:_above_(\d+)k_tokens)?(_batches|_priority|_flex)?")

Prices = dict[str, Any]


def price_list(models: Mapping[str, Mapping[str, Any]], version: str) -> dict[str, Any]:
    """The models with a price, by seller, as `genai-prices` publishes its own."""
    sellers: dict[str, dict[str, Prices]] = {}
    for key, fields in models.items():
        offer = _offer(fields)
        if offer is not None:
            provider = str(fields.get("litellm_provider", ""))
            sellers.setdefault(_seller(provider), {}).setdefault(_name(key, provider), offer)
    return {
        "source": f"litellm {version}",
        "notice": NOTICE,
        "providers": [_provider(seller, sold) for seller, sold in sorted(sellers.items())],
    }


def _seller(provider: str) -> str:
    family = re.sub(r"^(vertex_ai).*", "gemini", provider.removeprefix("text-completion-"))
    family = family.removesuffix("-embedding-models")
    return SELLER.get(family, family)


def _name(key: str, provider: str) -> str:
    """The name without the provider before it; names are compared in lower case."""
    first, _, rest = key.partition("/")
    ways = {provider, provider.partition("-")[0], provider.partition("_converse")[0]}
    return (rest if rest and first in ways else key).lower()


def _provider(seller: str, sold: Mapping[str, Prices]) -> dict[str, Any]:
    models = [{"id": name, "match": _match(name), **offer} for name, offer in sorted(sold.items())]
    return {"id": seller, "name": seller, "api_pattern": "^$", "models": models}


def _match(name: str) -> dict[str, Any]:
    """Its exact name; what is fine-tuned has its owner's behind that."""
    exact = {"equals": name}
    return {"or": [exact, {"starts_with": f"{name}:"}]} if name.startswith("ft:") else exact


def _offer(fields: Mapping[str, Any]) -> Prices | None:
    """`prices` and `price_variants` of one model; None when it has none above zero."""
    found: dict[str, dict[str, dict[int, Decimal]]] = {}
    for unit, start, suffix, usd in (*_prices(fields), *_ranges(fields)):
        found.setdefault(suffix, {}).setdefault(unit, {})[start] = usd
    by_suffix = {suffix: _with_whole_tiers(units) for suffix, units in found.items()}
    if not any(usd for tiers in found.get("", {}).values() for usd in tiers.values()):
        return None
    variants = [
        {"when": when, "prices": by_suffix[suffix]}
        for suffix, when in CONTEXT_OF_SUFFIX.items()
        if by_suffix.get(suffix)
    ]
    prices = _with_wholes(by_suffix[""])
    return {"prices": prices, **({"price_variants": variants} if variants else {})}


def _with_wholes(prices: Prices) -> Prices:
    """A whole without a price of its own costs what it is part of does: a cache written for five minutes, as
    input. One that is no part of anything costs nothing beside its parts: the text of an image model."""
    made = dict(prices)
    parts = [UNIT_OF_PRICE[key].usage_key for key in prices]
    wholes = {whole for part in parts for whole in REGISTRY.ancestor_usage_keys(part)} - set(parts)
    for whole in sorted(wholes, key=_dimensions):
        outer = [unit for unit in REGISTRY.ancestor_usage_keys(whole) if UNITS[unit].price_key in made]
        nearest = max(outer, key=_dimensions, default=None)
        made[UNITS[whole].price_key] = "0" if nearest is None else made[UNITS[nearest].price_key]
    return dict(sorted(made.items()))


def _dimensions(unit: str) -> tuple[int, str]:
    return len(UNITS[unit].dimensions), unit


def _prices(fields: Mapping[str, Any]) -> Iterator[tuple[str, int, str, Decimal]]:
    """Price key, input tokens above which it holds, suffix of its context, USD."""
    searches = fields.get("search_context_cost_per_query")
    if isinstance(searches, Mapping) and searches.get("search_context_size_medium"):
        yield "web_searches_kcount", 0, "", _usd(searches["search_context_size_medium"], 10**3)
    for field, value in fields.items():
        found = _FIELD.fullmatch(field)
        if found is None or not isinstance(value, int | float):
            continue
        name, thousands, suffix = found.groups()
        unit = UNIT_OF_FIELD.get(name) or OF_MODE.get((str(fields.get("mode")), name))
        if unit is not None:
            yield unit[0], int(thousands or 0) * 1000, suffix or "", _usd(value, unit[1])


def _ranges(fields: Mapping[str, Any]) -> Iterator[tuple[str, int, str, Decimal]]:
    """The same of models that list their tiers as ranges of input tokens."""
    for tier in fields.get("tiered_pricing") or ():
        if "range" in tier:
            for unit, _, suffix, usd in _prices(tier):
                yield unit, int(tier["range"][0]), suffix, usd


def _usd(value: float, per: int) -> Decimal:
    """Exact: the shortest digits of the number, times so many units."""
    return Decimal(repr(value)) * per


def _with_whole_tiers(units: Mapping[str, Mapping[int, Decimal]]) -> Prices:
    """A price for each unit, tiered where it changes with the size of the input."""
    whole = {unit: _tiered(tiers) for unit, tiers in units.items() if 0 in tiers}
    return dict(sorted(_with_joins(whole).items()))


def _with_joins(prices: Prices) -> Prices:
    """Audio that was read from a cache is charged as read from a cache, where the list has no price for both.

    The first source's arithmetic wants a price wherever two priced units overlap.
    """
    made = dict(prices)
    for one, other in combinations([UNIT_OF_PRICE[key] for key in prices], 2):
        join = REGISTRY.find_join(one, other) if one.is_compatible_with(other) else None
        if join is not None and join.price_key not in made:
            made[join.price_key] = made[(other if "modality" in one.dimensions else one).price_key]
    return made


def _tiered(tiers: Mapping[int, Decimal]) -> str | dict[str, Any]:
    base, *above = sorted(tiers)
    if not above:
        return _text(tiers[base])
    steps = [{"start": start, "price": _text(tiers[start])} for start in above]
    return {"base": _text(tiers[base]), "tiers": steps}


def _text(usd: Decimal) -> str:
    return f"{usd.normalize():f}"


def _without_what_the_first_sells(made: dict[str, Any]) -> dict[str, Any]:
    from genai_prices.data_snapshot import get_snapshot

    from sightline_collector.prices.catalogue import catalogue
    from sightline_collector.prices.published import Published, parsed

    first = Published(get_snapshot().providers, "")
    merged = catalogue(first, Published(parsed(made["providers"]), made["source"]))
    lacking = {
        (seller.id, model.id)
        for seller in merged.providers
        for model in seller.models
        if id(model) in merged.from_second
    }
    for provider in made["providers"]:
        provider["models"] = [m for m in provider["models"] if (provider["id"], m["id"]) in lacking]
    return {**made, "providers": [one for one in made["providers"] if one["models"]]}


def main(source: str, version: str) -> None:
    """Write the data file anew: one model a line, so that a change can be read."""
    made = price_list(json.loads(Path(source).read_text("utf8")), version)
    text = json.dumps(_without_what_the_first_sells(made), separators=(",", ":"), ensure_ascii=False)
    FILE.write_text(text.replace('{"id":', '\n{"id":') + "\n", "utf8")


if __name__ == "__main__":
    main(*sys.argv[1:])
