"""Prices of one's own: discounts, prices for each unit, GPUs by the hour; dated, and never forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from collector.prices.calls import Call, make_store, price
from collector.prices.shop import open_shop
from conftest import fresh_database
from pydantic import ValidationError

from sightline_collector.errors import BadConfiguration
from sightline_collector.prices.api import end_override, set_override
from sightline_collector.prices.load import load
from sightline_collector.prices.override import Override
from sightline_collector.store.engine import Engine

MILLION = {"input_tokens": 10**6, "output_tokens": 0}
FEBRUARY, APRIL, JUNE = (datetime(2026, month, 10, tzinfo=UTC) for month in (2, 4, 6))
MAY_1 = date(2026, 5, 1)
OWN_SERVERS = (
    "vllm", "hosted_vllm", "ollama", "sglang", "lm_studio", "llamacpp", "huggingface_hub", "openai_like",
    "openai-compatible",
)  # fmt: skip


@pytest.fixture(scope="module")
def opened(engine_folder: Path) -> Iterator[Engine]:
    """A store that is priced by a small list."""
    with open_shop(), fresh_database(engine_folder, "overrides_of_a_small_list") as engine:
        make_store(engine)
        yield engine


@pytest.fixture
def store(opened: Engine) -> Engine:
    """The store without overrides."""
    opened.command("truncate table price_overrides_v1")
    load(opened)
    return opened


def override(**fields: Any) -> Override:
    """An override from the first of May on, of the corner's models."""
    return Override.model_validate({"provider": "corner", "valid_from": MAY_1, **fields})


def charged(store: Engine, model: str, at: datetime = JUNE, provider: str = "corner", **context: str) -> str:
    """What a million input tokens cost, to the cent, and the status."""
    got = price(store, [Call(provider, model, MILLION, at, context)])[0]
    return f"{got.usd:.2f} {got.status}" if got.usd is not None else got.status


def test_a_discount_holds_from_its_day_on(store: Engine) -> None:
    """A call before the day keeps the published price of its own time; one after it is charged less."""
    made = set_override(store, override(model="big-1", discount_pct=25))
    assert (made.charge, made.replaced) == ("25 % off the published price", None)
    assert charged(store, "big-1", FEBRUARY) == "2.00 priced"
    assert charged(store, "big-1", APRIL) == "4.00 priced"
    assert charged(store, "big-1", JUNE) == "3.00 priced"
    assert charged(store, "little-1") == "1.00 priced"


def test_a_discount_is_taken_off_each_price(store: Engine) -> None:
    """Batches, tiers of the input and models reached by a pattern or a fallback are all less by the share."""
    set_override(store, override(model="*", discount_pct=50))
    set_override(store, override(provider="depot", model="*", discount_pct=10))
    assert charged(store, "big-1", processing="batch") == "1.00 priced"
    assert charged(store, "big-1-preview") == "2.00 priced"
    assert charged(store, "huge", provider="depot") == "2.70 priced"
    assert charged(store, "little-1", provider="depot") == "0.90 priced"
    assert charged(store, "unheard-of") == "unpriced_model"


def test_the_narrowest_pattern_counts_on_its_days(store: Engine) -> None:
    """A name's own override comes before one for many names; before its first day, theirs holds."""
    set_override(store, override(model="*", discount_pct=50, valid_from=date(2026, 1, 1)))
    set_override(store, override(model="big-*", discount_pct=20, valid_until=date(2026, 7, 1)))
    assert charged(store, "big-1", APRIL) == "2.00 priced"
    assert charged(store, "big-1", JUNE) == "3.20 priced"
    assert charged(store, "big-1", datetime(2026, 7, 1, tzinfo=UTC)) == "2.00 priced"
    assert charged(store, "little-1", JUNE) == "0.50 priced"


def test_prices_of_ones_own_replace_the_published_ones(store: Engine) -> None:
    """Only the units that they name are charged, in every context; the row says whose price it is."""
    set_override(
        store,
        override(model="big-1", prices={"input_tokens": "0.5", "output_tokens": 0, "web_searches": "10"}),
    )
    got = price(store, [Call("corner", "big-1", {**MILLION, "web_searches": 2}, JUNE)])[0]
    assert (got.usd, got.source) == (Decimal("0.52"), "override corner/big-1@2026-05-01 of list 1")
    assert charged(store, "big-1", processing="batch") == "0.50 priced"
    assert charged(store, "big-1", APRIL) == "4.00 priced"


def test_what_is_agreed_for_the_name_that_was_asked_holds(store: Engine) -> None:
    """Where the answer's name is the end of it; whoever answers by another name is paid as that one."""
    prices = {"input_tokens": "0.5", "output_tokens": 0}
    set_override(store, override(model="us.*", prices=prices))
    answered = [
        price(store, [Call("corner", "big-1", MILLION, JUNE, asked=asked)])[0].usd
        for asked in ("us.big-1-v1:0", "eu.big-1-v1:0", "us.little-1")
    ]
    assert answered == [Decimal("0.5"), 4, 4]


def test_a_model_that_nobody_publishes_gets_a_price(store: Engine) -> None:
    """From its first day on a model of one's own is priced; before it, it is unpriced and never free."""
    set_override(
        store, override(provider="vllm", model="llama-*", prices={"input_tokens": "0.2", "output_tokens": 0})
    )
    assert charged(store, "llama-70b", provider="vllm") == "0.20 priced"
    assert charged(store, "llama-70b", APRIL, provider="vllm") == "unpriced_model"
    assert charged(store, "qwen", provider="vllm") == "unpriced_model"


def test_gpus_by_the_hour_are_charged_by_the_token(store: Engine) -> None:
    """The tokens that the GPUs serve in an hour, read or written, cost together what the GPUs cost."""
    gpus = {"usd_per_gpu_hour": "2.5", "gpus": 4, "tokens_per_second": 1000}
    set_override(store, override(provider="vllm", model="llama-70b", **gpus))
    hour = {"input_tokens": 3_000_000, "output_tokens": 600_000}
    got = price(store, [Call("vllm", "llama-70b", hour, JUNE)])[0]
    assert got.usd is not None and abs(got.usd - 10) < Decimal("0.00001")
    assert got.status == "priced"


def test_a_price_without_a_seller_is_for_whom_nobody_sells_it_to(store: Engine) -> None:
    """Calls of an unknown provider, or of none, are charged it; those of a provider that sells it are not."""
    set_override(
        store, override(provider="", model="big-1", prices={"input_tokens": "0.3", "output_tokens": 0})
    )
    assert charged(store, "big-1", provider="my-gateway") == "0.30 assumed"
    assert charged(store, "big-1", provider="") == "0.30 assumed"
    assert charged(store, "big-1", APRIL, provider="") == "4.00 assumed"
    assert charged(store, "big-1") == "4.00 priced"


def test_a_price_without_a_seller_is_for_what_one_serves_oneself(store: Engine) -> None:
    """Calls of one's own servers, whoever names them, are charged it; on other days, and for other models,
    what a seller takes for a model of that name is nobody's bill."""
    named = [("", "ollama_chat/"), ("litellm", "hosted_vllm/"), ("litellm", "litellm_proxy/lm_studio/")]
    served = [*named, ("openai", "ollama/"), *((name, "") for name in OWN_SERVERS)]

    def all_charged(model: str, at: datetime = JUNE) -> set[str]:
        calls = [Call(provider, f"{before}{model}", MILLION, at) for provider, before in served]
        return {f"{got.usd} {got.status}" for got in price(store, calls)}

    assert all_charged("big-1") == {"None unpriced_model"}
    gpus = {"usd_per_gpu_hour": 9, "tokens_per_second": 10**4}
    listed = {"input_tokens": "0.3", "output_tokens": 0}
    set_override(store, override(provider="", model="big-*", **gpus))
    set_override(store, override(provider="", model="big-1", prices=listed))
    assert all_charged("big-1") == {"0.300000000000 assumed"}
    assert all_charged("big-1-preview") == {"0.250000000000 assumed"}
    assert all_charged("little-1") == all_charged("big-1", APRIL) == {"None unpriced_model"}


def test_a_price_of_zero_is_free(store: Engine) -> None:
    """A model that costs nothing by one's own word is free, which is known, not unknown."""
    set_override(
        store, override(provider="depot", model="huge", prices={"input_tokens": 0, "output_tokens": 0})
    )
    assert charged(store, "huge", provider="depot") == "0.00 free"


def test_an_override_ends_on_a_day(store: Engine) -> None:
    """Before that day it holds, and goes on to for calls of then; from it on the published price does. Ended
    once more it holds no longer than before."""
    made = set_override(store, override(model="big-1", discount_pct=25))
    end_override(store, made.id, date(2026, 6, 15))
    assert charged(store, "big-1", JUNE) == "3.00 priced"
    assert charged(store, "big-1", datetime(2026, 6, 15, tzinfo=UTC)) == "4.00 priced"
    assert end_override(store, made.id, date(2026, 7, 1)).until == "2026-06-15"
    assert charged(store, "big-1", datetime(2026, 6, 15, tzinfo=UTC)) == "4.00 priced"


def test_settings_are_kept_with_who_and_when(store: Engine) -> None:
    """Setting an override again overwrites nothing: all settings are listed, and their prices."""
    first = price(store, [Call("corner", "little-1", MILLION, JUNE)])[0]
    set_override(store, override(model="little-1", discount_pct=10, set_by="ann"))
    again = set_override(store, override(model="little-1", discount_pct=20, set_by="bob", note="agreed"))
    assert (again.charge, again.replaced) == ("20 % off the published price", "10 % off the published price")
    told = store.rows("select charge, set_by, note, isNull(replaced_at) as holds from price_overrides")
    assert told == [
        {"charge": "10 % off the published price", "set_by": "ann", "note": "", "holds": 0},
        {"charge": "20 % off the published price", "set_by": "bob", "note": "agreed", "holds": 1},
    ]
    history = store.rows(
        "select usd, set_by from price_history"
        f" where override = '{again.id}' and unit = 'input_tokens' order by price_id"
    )
    assert [(row["usd"], row["set_by"]) for row in history] == [
        (Decimal("0.9"), "bob"),
        (Decimal("0.8"), "bob"),
    ]
    assert store.value(f"select usd from price_history where price_id = {first.price_id} limit 1") == 1


def test_only_what_changes_gets_new_numbers(store: Engine) -> None:
    """Models that an override leaves alone keep the numbers of their prices."""
    before = price(store, [Call("depot", "huge", MILLION, JUNE)])[0]
    set_override(store, override(model="little-1", discount_pct=10))
    assert price(store, [Call("depot", "huge", MILLION, JUNE)])[0] == before


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"model": "huge", "discount_pct": 10}, "corner publishes no price of a model called 'huge'"),
        ({"provider": "nobody", "model": "*", "discount_pct": 10}, "nobody publishes no price"),
        ({"provider": "my-depot", "model": "*", "discount_pct": 10}, "priced as those of depot"),
    ],
)
def test_an_override_of_nothing_is_refused(store: Engine, fields: dict[str, Any], says: str) -> None:
    """A discount on nothing, or for a name that means another seller, changes nothing and says what to do."""
    with pytest.raises(BadConfiguration, match=says):
        set_override(store, override(**fields))
    assert store.rows("select * from price_overrides") == []
    assert charged(store, "big-1") == "4.00 priced"


def test_an_override_that_is_none_cannot_end(store: Engine) -> None:
    """The refusal lists those there are."""
    made = set_override(store, override(model="big-1", discount_pct=25))
    with pytest.raises(BadConfiguration, match="there is no override 'x'") as refused:
        end_override(store, "x", MAY_1)
    assert refused.value.hint == f"there are: {made.id}"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"discount_pct": 10, "prices": {"requests": 1}}, "say one of"),
        ({}, "say one of"),
        ({"discount_pct": 101}, "less than or equal to 100"),
        ({"discount_pct": 10, "provider": ""}, "say which provider"),
        ({"prices": {"words": 1}}, "no unit is called 'words'"),
        ({"prices": {"input_tokens": -1}}, "greater than or equal to 0"),
        ({"prices": {}}, "names no unit"),
        ({"prices": {"input_tokens": 1}}, "output_tokens would cost nothing"),
        ({"prices": {"requests": "1e-10"}}, "more than nine digits"),
        ({"discount_pct": 1, "valid_until": "2200-01-01"}, "less than or equal to 2149"),
        ({"usd_per_gpu_hour": 2}, "needs tokens_per_second"),
        ({"usd_per_gpu_hour": 99, "tokens_per_second": "1e-9"}, "more than 1e8 USD a million"),
        ({"valid_from": "0001-01-01", "discount_pct": 1}, "greater than or equal to 1970"),
        ({"discount_pct": 10, "valid_until": "2026-04-01"}, "lies before"),
        ({"discount_pct": 10, "model": "a*b"}, "at its end"),
        ({"discount_pct": 10, "model": "a|b"}, "control character or a"),
    ],
)
def test_an_override_says_one_thing_clearly(fields: dict[str, Any], says: str) -> None:
    """What cannot be meant is refused in words."""
    with pytest.raises(ValidationError, match=says):
        override(**{"model": "big-1", **fields})
