"""Money: the price of the day, in Decimal, or a named reason."""

from datetime import UTC, datetime
from decimal import Decimal
from random import Random

import pytest
from genai_prices import Usage as LibraryUsage
from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot

from sightline.pricing import PROVIDER_ALIASES, Price, price
from sightline.usage import Usage

DAY = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("provider", "model", "usage", "usd"),
    [
        ("openai", "gpt-4o-2024-08-06", Usage(2006, 300, 1920), "0.005615"),
        ("anthropic", "claude-sonnet-4-5", Usage(18495, 445, 16399, 2089), "0.01944945"),
        ("openai", "o3", Usage(75, 1186, reasoning_tokens=1024), "0.009638"),
        ("gcp.gemini", "gemini-2.5-pro", Usage(199_000, 1_000), "0.25875"),
        ("gcp.gemini", "gemini-2.5-pro", Usage(201_000, 1_000), "0.5175"),
        ("gcp.gen_ai", "gemini-2.5-flash", Usage(5000, 100, 4000), "0.00067"),
        (
            "openai",
            "gpt-realtime",
            Usage(1000, 1000, audio_input_tokens=800, audio_output_tokens=600),
            "0.0712",
        ),
        (
            "anthropic",
            "claude-sonnet-4-5",
            Usage(18495, 445, 16399, 2089, cache_write_1h_tokens=89),
            "0.0196497",
        ),
        ("anthropic", "claude-sonnet-4-5", Usage(10, 1, web_searches=2), "0.020045"),
    ],
)
def test_known_calls_have_their_exact_price(provider: str, model: str, usage: Usage, usd: str) -> None:
    """Cache, reasoning, audio and long-context prices are those of the provider's list."""
    assert price(usage, provider=provider, model=model, at=DAY) == Price(Decimal(usd))


@pytest.mark.parametrize(
    ("tier", "usd"),
    [
        (None, "10"),
        ("default", "10"),
        ("standard", "10"),
        ("quite_new", "10"),
        ("flex", "5"),
        ("priority", "17.5"),
        ("batch", "5"),
    ],
)
def test_the_tier_that_was_billed_decides(tier: str | None, usd: str) -> None:
    """Flex and priority have prices of their own; a tier that has none costs what others do."""
    usage = Usage(1_000_000, 1_000_000)
    assert price(usage, provider="openai", model="o3", at=DAY, service_tier=tier) == Price(Decimal(usd))


@pytest.mark.parametrize(("tier", "usd"), [(None, "30"), ("standard", "30"), ("fast", "60"), ("batch", "15")])
def test_anthropics_fast_mode_and_batches_have_their_own_prices(tier: str | None, usd: str) -> None:
    """Fast mode costs twice as much, a batch half."""
    usage = Usage(1_000_000, 1_000_000)
    found = price(usage, provider="anthropic", model="claude-opus-4-8", at=DAY, service_tier=tier)
    assert found == Price(Decimal(usd))


@pytest.mark.parametrize("provider", [None, "openai", "litellm"])
@pytest.mark.parametrize(
    ("prefixed", "own", "bare"),
    [
        ("openai/gpt-4o-mini", "openai", "gpt-4o-mini"),
        ("anthropic/claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"),
        ("vertex_ai/gemini-2.5-pro", "google", "gemini-2.5-pro"),
        ("gemini/gemini-2.5-pro", "google", "gemini-2.5-pro"),
        (
            "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        ("groq/llama-3.3-70b-versatile", "groq", "llama-3.3-70b-versatile"),
        ("azure/gpt-4o", "azure", "gpt-4o"),
        ("azure/eu/gpt-4o", "azure", "gpt-4o"),
    ],
)
def test_a_model_named_with_its_provider_costs_what_that_provider_takes(
    provider: str | None, prefixed: str, own: str, bare: str
) -> None:
    """LiteLLM writes the provider before the model: the price is that provider's."""
    expected = price(Usage(1_000_000, 1_000), provider=own, model=bare, at=DAY)
    assert expected.usd
    assert price(Usage(1_000_000, 1_000), provider=provider, model=prefixed, at=DAY) == expected


@pytest.mark.parametrize(
    ("provider", "model", "usage", "reason"),
    [
        ("openai", "gpt-4o", Usage(), "no_usage"),
        ("openai", None, Usage(1, 1), "no_model_name"),
        ("openai", "", Usage(1, 1), "no_model_name"),
        ("openai", "my-finetune", Usage(1, 1), "no_model"),
        ("acme", "my-finetune", Usage(1, 1), "no_provider"),
        ("openai", "openai/my-finetune", Usage(1, 1), "no_model"),
        (None, "my-finetune", Usage(1, 1), "no_model"),
        ("openai", "gpt-4o", Usage(7, 1, cache_read_tokens=16399), "bad_usage"),
    ],
)
def test_a_call_without_a_price_has_a_reason(
    provider: str | None, model: str | None, usage: Usage, reason: str
) -> None:
    """An unpriced call is never free: it has no amount, and says why."""
    assert price(usage, provider=provider, model=model, at=DAY) == Price(None, reason)  # type: ignore[arg-type]


@pytest.mark.parametrize("provider", ["aws.bedrock", "my-gateway"])
def test_a_reseller_without_the_model_is_priced_by_the_models_name(provider: str) -> None:
    """When the provider has no such model its bare name decides, and the price says that it is assumed."""
    result = price(Usage(1_000_000, 0), provider=provider, model="gpt-4o", at=DAY)
    assert result == Price(Decimal("2.5"), assumed=True)


@pytest.mark.parametrize("provider", sorted(PROVIDER_ALIASES))
def test_opentelemetrys_provider_names_are_known(provider: str) -> None:
    """No provider name of the conventions is unknown to the price data."""
    assert price(Usage(1, 1), provider=provider, model="no-such-model", at=DAY).reason == "no_model"


def test_every_model_costs_what_the_library_says() -> None:
    """For each model of the price data, on random counts, the amount is the library's to the last digit."""
    random = Random(7)
    compared = 0
    for provider in get_snapshot().providers:
        for model in provider.models:
            counts = [
                random.choice([0, random.randint(1, 2_000), random.randint(1, 600_000)]) for _ in range(4)
            ]
            read, write, fresh, out = counts
            usage = Usage(read + write + fresh, out, read, write, reasoning_tokens=random.randint(0, out))
            try:
                expected = calc_price(
                    LibraryUsage(
                        input_tokens=usage.input_tokens,
                        output_tokens=out,
                        cache_read_tokens=read,
                        cache_write_tokens=write,
                        output_reasoning_tokens=usage.reasoning_tokens,
                    ),
                    model.id,
                    provider_id=provider.id,
                    genai_request_timestamp=DAY,
                ).total_price
            except (LookupError, ValueError):
                continue
            compared += 1
            assert price(usage, provider=provider.id, model=model.id, at=DAY) == Price(expected), model.id
    assert compared > 2_000


def test_prices_are_those_of_the_day_of_the_call() -> None:
    """A later change of price does not change what a call has cost."""
    early = price(Usage(1_000_000, 0), provider="openai", model="o3", at=datetime(2025, 5, 1, tzinfo=UTC))
    late = price(Usage(1_000_000, 0), provider="openai", model="o3", at=DAY)
    assert (early.usd, late.usd) == (Decimal(10), Decimal(2))
