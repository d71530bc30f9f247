"""Price lists: the library's, a file of it, and the second source, which only fills gaps."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from collector.prices.calls import EXACT, Call, price
from collector.prices.samples import PROVIDERS
from collector.prices.shop import shop
from genai_prices import Usage
from genai_prices.types import ModelInfo

from sightline_collector.errors import BadConfiguration
from sightline_collector.prices.catalogue import catalogue
from sightline_collector.prices.litellm import price_list
from sightline_collector.prices.published import Published, as_text, from_file, installed, parsed, second
from sightline_collector.store.engine import Engine

DAY = datetime(2026, 11, 1, tzinfo=UTC)
PLAIN = {"input_tokens": 1000, "output_tokens": 100}


def test_the_second_source_only_fills_gaps() -> None:
    """A model that the first source sells, under any of its names, keeps the first source's price."""
    entries = {
        "corner/big-1-preview": {"litellm_provider": "corner", "input_cost_per_token": 1e-6},
        "corner/new-1": {"litellm_provider": "corner", "input_cost_per_token": 2e-6},
        "kiosk/big-1": {"litellm_provider": "kiosk", "input_cost_per_token": 3e-6},
    }
    added = Published(parsed(price_list(entries, "1")["providers"]), "litellm 1")
    made = catalogue(shop(), added)
    sold = {(seller.id, m.id): made.source_of(m) for seller in made.providers for m in seller.models}
    assert sold == {
        ("corner", "big-1"): "list 1",
        ("corner", "little-1"): "list 1",
        ("corner", "new-1"): "litellm 1",
        ("depot", "huge"): "list 1",
        ("kiosk", "big-1"): "litellm 1",
    }


def test_the_second_source_is_in_force_and_marked(pricer: Engine) -> None:
    """Each of its models is priced by it, as the library prices such a list, and its rows name it."""
    made = catalogue(installed(), second())
    sold = [(seller.id, model) for seller in made.providers for model in seller.models]
    models = [(seller, model) for seller, model in sold if id(model) in made.from_second]
    calls = [Call(seller, model.id, PLAIN, DAY) for seller, model in models]
    got = price(pricer, calls)
    assert len(models) > 2000
    assert {one.source for one in got} == {"litellm 1.109.1"}
    differing = [
        (call, one) for call, one, (_, model) in zip(calls, got, models, strict=True)
        if one.status == "priced" and abs((one.usd or 0) - _library_usd(model)) > EXACT
    ]  # fmt: skip
    assert differing == []
    assert {one.status for one in got} <= {"priced", "no_usage"}


def _library_usd(model: ModelInfo) -> Decimal:
    return Decimal(model.get_prices(DAY).calc_price(Usage(**PLAIN))["total_price"])


def test_litellms_fields_become_units() -> None:
    """Tiers, batches, priority, cache, audio, searches and pages each find their unit; others are left."""
    fields = {
        "litellm_provider": "azure_ai",
        "mode": "chat",
        "input_cost_per_token": 1.25e-06,
        "input_cost_per_token_above_200k_tokens": 2.5e-06,
        "input_cost_per_token_batches": 6.25e-07,
        "output_cost_per_token": 1e-05,
        "output_cost_per_token_priority": 2e-05,
        "cache_creation_input_token_cost_above_1hr": 6e-06,
        "input_cost_per_audio_token": 3e-06,
        "search_context_cost_per_query": {"search_context_size_medium": 0.01},
        "output_cost_per_image": 0.04,
    }
    tiered = {"base": "1.25", "tiers": [{"start": 200000, "price": "2.5"}]}
    provider = price_list({"azure_ai/Some-Model": fields}, "1")["providers"][0]
    assert (provider["id"], provider["models"]) == (
        "azure",
        [
            {
                "id": "some-model",
                "match": {"equals": "some-model"},
                "prices": {
                    "cache_audio_write_1h_mtok": "6",
                    "cache_audio_write_mtok": "3",
                    "cache_write_1h_mtok": "6",
                    "cache_write_mtok": tiered,
                    "input_audio_mtok": "3",
                    "input_mtok": tiered,
                    "output_mtok": "10",
                    "web_searches_kcount": "10",
                },
                "price_variants": [
                    {"when": {"processing": "batch"}, "prices": {"input_mtok": "0.625"}},
                    {"when": {"service_tier": "priority"}, "prices": {"output_mtok": "20"}},
                ],
            }
        ],
    )


def test_ranges_of_input_tokens_are_tiers() -> None:
    """A model that lists its tiers as ranges is charged by the range that its input falls into."""
    tiers = [
        {"input_cost_per_token": 5e-08, "range": [0, 256000.0]},
        {"input_cost_per_token": 2.5e-07, "range": [256000.0, 1000000.0]},
    ]
    made = price_list({"m": {"litellm_provider": "p", "tiered_pricing": tiers}}, "1")
    assert made["providers"][0]["models"][0]["prices"] == {
        "input_mtok": {"base": "0.05", "tiers": [{"start": 256000, "price": "0.25"}]}
    }


@pytest.mark.parametrize("fields", [{"input_cost_per_token": 0.0}, {"output_cost_per_image": 0.1}, {}])
def test_a_zero_of_the_second_source_is_not_free(fields: dict[str, Any]) -> None:
    """Nobody's word that it is free: the model stays without a price."""
    assert price_list({"m": {"litellm_provider": "p", **fields}}, "1")["providers"] == []


def test_the_installed_list_survives_its_file() -> None:
    """What the command sends of the installed library is what the library prices by, to the last rule."""
    read = from_file(as_text(installed()), "the same")
    assert list(read.providers) == [replace(provider, extractors=None) for provider in PROVIDERS]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no price list"),
        ("{}", "no whole price list: it has 0 providers"),
        ("[]", "no whole price list"),
        ('[{"id": 1}]', "no price list"),
        (json.dumps([{"id": "a", "name": "A", "api_pattern": "", "models": []}]), "no whole price list"),
        ('[{"id": "a", "name": "A", "api_pattern": "", "models": [{"id": "m"}]}]', "no price list"),
    ],
)
def test_a_file_that_is_no_price_list_is_refused(text: str, says: str) -> None:
    """It says what it is not, and which file to take."""
    with pytest.raises(BadConfiguration, match=says) as refused:
        from_file(text, "x")
    assert "data.json" in refused.value.hint


@pytest.mark.parametrize(
    "usd", ["-5", 1e30, "NaN", "free", {"base": 1, "tiers": [{"start": 9, "price": -1}]}]
)
def test_a_price_that_nobody_can_ask_is_refused(usd: Any) -> None:
    """A price below 0, beyond all money or without a number is refused, with the model that has it."""
    odd = {"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": usd}}
    sellers = [{"id": f"s{n}", "name": "S", "api_pattern": "s", "models": [odd]} for n in range(10)]
    with pytest.raises(BadConfiguration, match=r"s0's m|no price list"):
        from_file(json.dumps(sellers), "x")
