"""What one more of a unit costs, and what contradicts it."""

from __future__ import annotations

from decimal import Decimal

from genai_prices.types import ModelPrice, Tier, TieredPrices

from sightline_collector.prices.marginals import Check, checks, contains, listed_prices, marginals


def test_a_part_costs_its_price_less_that_of_its_whole() -> None:
    """Cached input at 0.30 inside input at 3.00 takes 2.70 off; output has no part."""
    listed = {"input_tokens": Decimal(3), "cache_read_tokens": Decimal("0.3"), "output_tokens": Decimal(15)}
    assert marginals(listed) == {
        "input_tokens": Decimal("0.000003"),
        "cache_read_tokens": Decimal("-0.0000027"),
        "output_tokens": Decimal("0.000015"),
    }


def test_a_part_of_two_parts_gets_back_what_both_took_off() -> None:
    """Cached audio is cached and audio and input: its marginal undoes both."""
    listed = {
        "input_tokens": Decimal(4),
        "cache_read_tokens": Decimal(1),
        "input_audio_tokens": Decimal(32),
        "cache_audio_read_tokens": Decimal("0.4"),
    }
    per_unit = marginals(listed)
    assert sum(per_unit.values()) == Decimal("0.0000004")
    assert per_unit["cache_audio_read_tokens"] == Decimal("-0.0000286")


def test_an_endless_price_is_rounded_where_no_one_sees_it() -> None:
    """An hour's price over 3600 is kept to 18 decimal places: a month of audio is right to 1e-12."""
    second = marginals({"audio_seconds": Decimal("0.04")})["audio_seconds"]
    assert abs(second * 2_592_000 - Decimal("0.04") * 720) < Decimal("1e-11")


def test_the_tier_is_chosen_by_all_input_and_begins_above_its_start() -> None:
    """At 200,000 tokens the base price holds, one more pays the tier for all of them."""
    tiers = [Tier(start=200_000, price=Decimal(6)), Tier(start=400_000, price=Decimal(9))]
    price = ModelPrice(input_mtok=TieredPrices(base=Decimal(3), tiers=tiers))
    chosen = [listed_prices(price, size)["input_tokens"] for size in (0, 200_000, 200_001, 400_001)]
    assert chosen == [3, 3, 6, 9]


def test_a_free_model_lists_nothing() -> None:
    """No price at all is what the library calls free."""
    assert marginals(listed_prices(ModelPrice(), 0)) == {}


def test_a_whole_contains_its_parts_and_not_itself() -> None:
    """Input contains cached input; two different parts contain neither the other."""
    assert contains("input_tokens", "cache_read_tokens")
    assert not contains("input_tokens", "input_tokens")
    assert not contains("cache_read_tokens", "input_audio_tokens")


def test_units_with_columns_need_no_check() -> None:
    """The view compares its own columns; only the rare units are checked, each against a priced whole."""
    found = checks(frozenset({"input_tokens", "output_tokens", "cache_read_tokens"}))
    assert Check("input_audio_tokens", ({"input_tokens": 1, "input_audio_tokens": -1},), ()) in found
    assert not {"cache_read_tokens", "input_tokens", "web_searches"} & {check.part for check in found}


def test_an_overlap_must_be_reported() -> None:
    """With cached, audio and cached audio input priced, audio asks for the overlap with what was cached."""
    priced = ["input_tokens", "cache_read_tokens", "input_audio_tokens", "cache_audio_read_tokens"]
    audio = next(check for check in checks(frozenset(priced)) if check.part == "input_audio_tokens")
    assert audio.overlaps == (("cache_audio_read_tokens", "cache_read_tokens"),)
    assert {
        "input_tokens": 1,
        "cache_read_tokens": -1,
        "input_audio_tokens": -1,
        "cache_audio_read_tokens": 1,
    } in audio.sums
