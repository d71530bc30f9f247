"""What a priced span says: an amount, or a named reason for having none."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from collector.prices.calls import Call, Priced, price, price_rows, same

from sightline_collector.store.engine import Engine

PLAIN = {"input_tokens": 1000, "output_tokens": 100}
GPT_4O = Decimal("0.0035")
LARGEST = 2**64 - 1


def one(pricer: Engine, call: Call) -> Priced:
    """What the engine says of a single call."""
    return price(pricer, [call])[0]


@pytest.mark.parametrize("operation", ["llm", "embedding", "rerank"])
def test_a_model_call_is_priced(pricer: Engine, operation: str) -> None:
    """Each kind of model call gets an amount, the price's id and where the price comes from."""
    got = one(pricer, Call(operation=operation))
    assert (got.usd, got.status) == (GPT_4O, "priced")
    assert got.price_id > 0
    assert got.source.startswith("genai-prices ")


@pytest.mark.parametrize("operation", ["agent", "tool", "chain", ""])
def test_another_span_is_not_a_call(pricer: Engine, operation: str) -> None:
    """An agent's span that repeats its calls' usage adds nothing to the bill, and says what it is worth."""
    got = one(pricer, Call(operation=operation))
    assert (got.usd, got.status, got.own_usd) == (None, "not_a_call", GPT_4O)
    assert got.price_id > 0


@pytest.mark.parametrize(
    "call",
    [
        Call(operation="token_count"),
        Call(operation="fetch_response"),
        Call("", "", operation="agent"),
        Call(operation="agent", usage={}),
        Call("unheard-of", "unheard-of", operation="agent"),
    ],
)
def test_what_nobody_bills_has_no_cost_of_its_own(pricer: Engine, call: Call) -> None:
    """A count, an answer fetched again, and a span without usage or a known model cost nothing known."""
    got = one(pricer, call)
    assert (got.usd, got.status, got.own_usd) == (None, "not_a_call", None)


def test_an_answer_from_a_gateways_cache_costs_nothing(pricer: Engine) -> None:
    """Whatever its usage, priced or not, the provider was not asked: 0 USD, and the status says why."""
    calls = [Call(cached=True), Call("unheard-of", "unheard-of", cached=True), Call(usage={}, cached=True)]
    for got in price(pricer, calls):
        assert (got.usd, got.status, got.own_usd) == (Decimal(0), "cached_by_gateway", Decimal(0))


@pytest.mark.parametrize(
    "call",
    [
        Call("unheard-of", "unheard-of", reported_usd="0.25"),
        Call("openai", "my-own-model", reported_usd="0.25"),
        Call(usage={}, reported_usd="0.25"),
        Call("openai", "whisper-1", PLAIN, reported_usd="0.25"),
    ],
)
def test_a_reported_cost_stands_in_for_a_price(pricer: Engine, call: Call) -> None:
    """Where we have no amount of our own, the span's own is taken, and said to be reported."""
    got = one(pricer, call)
    assert (got.usd, got.status, got.own_usd) == (Decimal("0.25"), "reported", Decimal("0.25"))


def test_a_price_of_ours_comes_before_a_reported_cost(pricer: Engine) -> None:
    """A reported cost is kept beside the computed one and changes nothing where there is a price."""
    got = one(pricer, Call(reported_usd="9"))
    assert (got.usd, got.status) == (GPT_4O, "priced")


@pytest.mark.parametrize("reported", ["0", "-1", "999999.5"])
def test_an_absurd_reported_cost_is_none(pricer: Engine, reported: str) -> None:
    """Nothing, less than nothing, or about a million dollars, is no cost of a call."""
    assert one(pricer, Call("unheard-of", "unheard-of", reported_usd=reported)).status == "unpriced_model"


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("my-gateway", "gpt-4o"),
        ("my-gateway", "openai/gpt-4o"),
        ("", "gpt-4o"),
        ("groq", "gpt-4o"),
        ("my-gateway", "gpt-4o-20240806"),
    ],
)
def test_a_known_model_of_an_unknown_seller_is_assumed(pricer: Engine, provider: str, model: str) -> None:
    """When only the model's name is known, its maker's price is taken, and said to be an assumption."""
    got = one(pricer, Call(provider, model))
    assert (got.usd, got.status) == (GPT_4O, "assumed")


@pytest.mark.parametrize(("area", "usd"), [("us", "0.0198"), ("global", "0.018")])
@pytest.mark.parametrize("before", ["", "arn:aws:bedrock:us-east-1:1:inference-profile/"])
@pytest.mark.parametrize(
    "answered", ["", "claude-sonnet-4-5-20250929", "anthropic.claude-sonnet-4-5-20250929-v1:0"]
)
def test_what_was_asked_says_where_it_was_answered(
    pricer: Engine, answered: str, before: str, area: str, usd: str
) -> None:
    """Bedrock's request names the area, by which the price goes, and the model with it; the answer may name
    the model alone."""
    asked = f"{before}{area}.anthropic.claude-sonnet-4-5-20250929-v1:0"
    used = {"input_tokens": 1000, "output_tokens": 1000}
    got = one(pricer, Call("aws.bedrock", answered or asked, used, asked=asked))
    assert (got.usd, got.status) == (Decimal(usd), "priced")


@pytest.mark.parametrize(
    "provider",
    [
        "ollama", "ollama_chat", "ollama-ai-provider", "vllm", "hosted_vllm", "vllm-openai", "llama.cpp",
        "llama-cpp", "text-generation-inference", "openai-compatible", "openai_like", "triton", "lemonade",
        "huggingface_hub",
    ],
)  # fmt: skip
def test_a_model_that_one_serves_oneself_has_no_price_of_its_makers(pricer: Engine, provider: str) -> None:
    """What the same model costs elsewhere is nobody's bill: an override says what one's own machine costs."""
    got = one(pricer, Call(provider, "deepseek-chat"))
    assert (got.usd, got.status) == (None, "unpriced_model")


def test_estimated_tokens_give_an_estimate(pricer: Engine) -> None:
    """An amount that rests on counted instead of reported tokens says so."""
    got = one(pricer, Call(estimated=True))
    assert (got.usd, got.status) == (GPT_4O, "estimated_tokens")


def test_a_free_model_costs_zero(pricer: Engine) -> None:
    """A model whose price is zero in the data costs 0 USD, which is not the same as unknown."""
    got = one(pricer, Call("google", "gemma-3"))
    assert (got.usd, got.status) == (Decimal(0), "free")
    assert got.price_id > 0


def test_zero_tokens_cost_zero(pricer: Engine) -> None:
    """A call that reports that it used nothing costs nothing, at a known price."""
    got = one(pricer, Call(usage={"input_tokens": 0, "output_tokens": 0}))
    assert (got.usd, got.status) == (Decimal(0), "priced")


@pytest.mark.parametrize(
    "call",
    [
        Call(usage={}),
        Call(usage={"cache_read_tokens": 5}),
        Call("unheard-of", "unheard-of", {}),
        Call("openai", "whisper-1", PLAIN),
        Call("openai", "tts-1", {"input_tokens": 0, "output_tokens": 0}),
    ],
)
def test_no_usage_that_the_price_counts_is_unknown(pricer: Engine, call: Call) -> None:
    """Without a count that its price is for, a call has no amount, though the library would say zero."""
    got = one(pricer, call)
    assert (got.usd, got.status) == (None, "no_usage")


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("unheard-of", "unheard-of"),
        ("", "unheard-of"),
        ("ibm.watsonx.ai", "granite-3"),
        ("openai", "my-own-model"),
        ("openai", ""),
        ("", ""),
        ("open\nai", "gpt|4o'\\\""),
    ],
)
def test_an_unknown_name_is_unpriced(pricer: Engine, provider: str, model: str) -> None:
    """A name without a price gives no amount, and names no price."""
    assert one(pricer, Call(provider, model)) == Priced(None, "unpriced_model", 0, "")


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": 10, "cache_read_tokens": 11},
        {"input_tokens": 10, "cache_read_tokens": 6, "cache_write_tokens": 6},
        {"input_tokens": 10, "cache_write_tokens": 5, "cache_write_1h_tokens": 6},
        {"input_tokens": 10, "output_tokens": 5, "output_reasoning_tokens": 6},
        {"output_tokens": 5, "cache_read_tokens": 1},
        {"input_tokens": 10, "output_tokens": 1, "input_audio_tokens": 11},
        {"output_tokens": 1, "input_audio_tokens": 1},
    ],
)
def test_usage_that_contradicts_itself_is_refused(pricer: Engine, usage: dict[str, int]) -> None:
    """Parts that exceed their whole give no amount; the price is still named."""
    got = one(pricer, Call(usage=usage))
    assert (got.usd, got.status) == (None, "bad_usage")
    assert got.price_id > 0


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": 1000, "cache_read_tokens": 100, "input_audio_tokens": 800},
        {"input_tokens": 1000, "cache_read_tokens": 100, "cache_audio_read_tokens": 50},
        {
            "input_tokens": 1000,
            "input_audio_tokens": 40,
            "cache_read_tokens": 50,
            "cache_audio_read_tokens": 50,
        },
    ],
)
def test_an_overlap_that_was_not_reported_is_refused(pricer: Engine, usage: dict[str, int]) -> None:
    """Cached and audio input have a price each and one together: how much is both must be known."""
    call = Call("openai", "gpt-realtime", usage)
    assert call.library_usd() == "ValueError"
    assert one(pricer, call).status == "bad_usage"


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": 10**12 + 1, "output_tokens": 0},
        {"input_tokens": LARGEST, "cache_read_tokens": 2**63, "cache_write_tokens": 2**63},
        {"input_tokens": 10, "output_tokens": 1, "web_searches": LARGEST},
        {"input_tokens": 10**12, "output_tokens": 10**12},
    ],
)
def test_absurd_counts_and_amounts_are_refused(pricer: Engine, usage: dict[str, int]) -> None:
    """More than 10^12 of anything, or a million dollars, is no amount, and fails no insert."""
    got = one(pricer, Call(usage=usage))
    assert (got.usd, got.status) == (None, "too_large")


def test_the_first_of_two_values_of_a_context_key_wins(pricer: Engine) -> None:
    """A span that names two service tiers is charged by the first, never by a cell of another model."""
    call = Call("openai", "gpt-4o", PLAIN, datetime(2026, 11, 1, tzinfo=UTC))
    tiers = ["service_tier=priority", "service_tier=flex", "service_tier=priority", "service_tier=fast"]
    got = price_rows(pricer, [call.row(0) | {"price_context": tiers}])[0]
    single = Call("openai", "gpt-4o", PLAIN, call.at, {"service_tier": "priority"})
    assert same(got.usd, single.library_usd())


def test_a_hostile_moment_does_not_fail_the_insert(pricer: Engine) -> None:
    """The first and the last moment that a column can hold are priced like any other."""
    rows = [
        Call().row(number) | {"started_at": moment}
        for number, moment in enumerate(["1900-01-01 00:00:00", "1970-01-01 00:00:00", "2262-04-11 23:47:16"])
    ]
    assert {got.usd for got in price_rows(pricer, rows)} == {GPT_4O}


def test_a_name_beyond_all_bounds_is_unknown(pricer: Engine) -> None:
    """A megabyte of model name costs no more than its first bytes to look up."""
    assert one(pricer, Call("openai", "gpt-4o" * 200_000)).status in ("unpriced_model", "priced")


def test_a_price_id_explains_the_amount(pricer: Engine) -> None:
    """The price list has, under the span's price id, the prices that add up to its cost."""
    usage = {"input_tokens": 2_000_000, "cache_read_tokens": 500_000, "output_tokens": 1_000_000}
    got = one(pricer, Call("openai", "gpt-4o", usage))
    listed = {
        row["unit"]: row["usd"]
        for row in pricer.rows(f"select unit, usd from price_history where price_id = {got.price_id}")
    }
    fresh = listed["input_tokens"] * Decimal("1.5")
    assert got.usd == fresh + listed["cache_read_tokens"] / 2 + listed["output_tokens"]
