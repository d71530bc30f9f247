"""Amounts that must come out, to the last digit: known cases, and both sides of every kind of edge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from collector.prices.calls import Call, price, same
from collector.prices.samples import PROVIDERS
from genai_prices.types import ModelInfo, Provider

from sightline_collector.prices.cells import Cube, cube
from sightline_collector.store.engine import Engine

MILLION = 10**6


def tokens(read_in: int, written: int, **parts: int) -> dict[str, int]:
    """Usage of so much input and output, with the parts named after the library's keys."""
    return {"input_tokens": read_in, "output_tokens": written, **parts}


SONNET_READ = {"cache_read_tokens": 16399, "cache_write_tokens": 2089}
REALTIME = {"input_audio_tokens": 800, "output_audio_tokens": 600}
FLEX, BATCH, PRIORITY = {"service_tier": "flex"}, {"processing": "batch"}, {"service_tier": "priority"}

KNOWN = [
    ("openai", "gpt-4o-2024-08-06", tokens(2006, 300, cache_read_tokens=1920), {}, "0.005615"),
    ("anthropic", "claude-sonnet-4-5", tokens(18495, 445, **SONNET_READ), {}, "0.01944945"),
    (
        "anthropic",
        "claude-sonnet-4-5",
        tokens(18495, 445, **SONNET_READ, cache_write_1h_tokens=89),
        {},
        "0.0196497",
    ),
    ("openai", "o3", tokens(75, 1186, output_reasoning_tokens=1024), {}, "0.009638"),
    ("gcp.gemini", "gemini-2.5-flash", tokens(5000, 100, cache_read_tokens=4000), {}, "0.00067"),
    ("gcp.gemini", "gemini-2.5-pro", tokens(199000, 1000), {}, "0.25875"),
    ("gcp.gemini", "gemini-2.5-pro", tokens(201000, 1000), {}, "0.5175"),
    ("openai", "o3", tokens(MILLION, MILLION), {}, "10"),
    ("openai", "o3", tokens(MILLION, MILLION), FLEX, "5"),
    ("openai", "o3", tokens(MILLION, MILLION), BATCH, "5"),
    ("openai", "o3", tokens(1000, 1000), PRIORITY, "0.0175"),
    ("openai", "gpt-realtime", tokens(1000, 1000, **REALTIME), {}, "0.0712"),
]


@pytest.mark.parametrize(("provider", "model", "usage", "context", "usd"), KNOWN)
def test_a_known_case_costs_what_it_must(
    pricer: Engine, provider: str, model: str, usage: dict[str, int], context: dict[str, str], usd: str
) -> None:
    """Cached, written, reasoning, audio, tiered, batch, flex and priority tokens are each paid once."""
    got = price(pricer, [Call(provider, model, usage, context=context)])[0]
    assert (got.usd, got.status) == (Decimal(usd), "priced")


@pytest.mark.parametrize(
    ("provider", "model", "seller"),
    [
        ("x_ai", "grok-4.3", "x-ai"),
        ("gcp.gen_ai", "gemini-2.5-pro", "google"),
        ("gcp.gemini", "gemini-2.5-pro", "google"),
        ("gcp.vertex_ai", "gemini-2.5-pro", "google"),
        ("azure.ai.openai", "gpt-4o", "azure"),
        ("az.ai.openai", "gpt-4o", "azure"),
        ("azure.ai.inference", "deepseek-chat", "azure"),
        ("az.ai.inference", "gpt-4o", "azure"),
        ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws"),
        ("mistral_ai", "mistral-large-latest", "mistral"),
        ("moonshot_ai", "kimi-k2-thinking", "moonshotai"),
        ("perplexity", "sonar", "perplexity"),
        ("cohere", "command-r", "cohere"),
        (" OpenAI ", "GPT-4o", "openai"),
        ("litellm", "openai/gpt-4o", "openai"),
    ],
)
def test_an_opentelemetry_provider_is_billed_as_its_seller(
    pricer: Engine, provider: str, model: str, seller: str
) -> None:
    """Every spelling of `gen_ai.provider.name` finds the seller whose price list it means."""
    usage = tokens(1000, 100)
    got = price(pricer, [Call(provider, model, usage)])[0]
    bare = model.rsplit("/", 1)[-1].lower()
    assert got.status == "priced"
    assert same(got.usd, Call(seller, bare, usage).library_usd())
    sold = pricer.value(f"select distinct provider from price_history where price_id = {got.price_id}")
    assert sold == seller


def edges() -> list[tuple[Provider, ModelInfo, Cube]]:
    """Every model whose price changes with the day, the time of day, or the size of the input."""
    cubes = [(provider, model, cube(model)) for provider in PROVIDERS for model in provider.models]
    return [(p, m, c) for p, m, c in cubes if c.days or c.seconds or c.starts]


def test_both_sides_of_every_edge_cost_what_the_library_says(pricer: Engine) -> None:
    """A second before a price starts and the second it does; the last token of a tier and the one above."""
    calls = []
    for provider, model, prices in edges():
        midnights = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in prices.days]
        noon = [datetime(2026, 10, 20, tzinfo=UTC) + timedelta(seconds=second) for second in prices.seconds]
        moments = [edge + timedelta(microseconds=step) for edge in (*midnights, *noon) for step in (-1, 0, 1)]
        for moment in moments or [datetime(2026, 10, 20, tzinfo=UTC)]:
            sizes = [start + step for start in prices.starts for step in (0, 1)]
            calls += [Call(provider.id, model.id, tokens(size, 7), moment) for size in sizes or [1000]]
    wrong = [
        (call, expected, got)
        for call, got in zip(calls, price(pricer, calls), strict=True)
        if isinstance(expected := call.library_usd(), Decimal) and not same(got.usd, expected)
    ]
    assert len(calls) > 1000
    assert [got.status for _, _, got in wrong if got.status != "no_usage"] == []


def test_groq_bills_ten_seconds_of_audio(pricer: Engine) -> None:
    """A shorter recording costs as much as ten seconds of it, a longer one its length."""
    calls = [
        Call("groq", "whisper-large-v3", {"audio_seconds": seconds, "input_audio_seconds": seconds})
        for seconds in (1, 9, 10, 11, 3600)
    ]
    for call, got in zip(calls, price(pricer, calls), strict=True):
        assert same(got.usd, call.library_usd()), (call, got)


def test_a_request_fee_is_paid_once_a_call(pricer: Engine) -> None:
    """A model with a fee for each request costs it whatever the number of tokens."""
    call = Call("perplexity", "sonar", tokens(0, 0))
    fee = call.library_usd()
    got = price(pricer, [call, Call("perplexity", "sonar", tokens(MILLION, 0))])
    assert same(got[0].usd, fee)
    assert got[1].usd is not None and got[0].usd is not None and got[1].usd > got[0].usd
