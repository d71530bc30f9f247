"""Names of models on invoices and on spans."""

from __future__ import annotations

import pytest

from sightline_collector.reconcile.models import bills, key

SAME = [
    {"Claude Sonnet 4.5", "claude-sonnet-4-5", "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
     "anthropic/claude-sonnet-4.5", "claude-sonnet-4-5@20250929", "Claude4.5Sonnet",
     "Claude Sonnet 4.5 (Amazon Bedrock Edition)"},
    {"Claude 3.5 Sonnet v2", "anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-20240620"},
    {"Claude 3.5 Haiku", "claude-3-5-haiku-latest", "anthropic.claude-3-5-haiku-20241022-v1:0"},
    {"gpt-4o", "gpt-4o-2024-08-06", "openai/gpt-4o"},
    {"gpt-4o-mini", "gpt-4o-mini-2024-07-18"},
    {"gpt-3.5-turbo", "gpt-35-turbo", "gpt-3.5-turbo-0125"},
    {"gpt-4", "gpt-4-0613"},
    {"gpt-4-turbo", "GPT-4 Turbo"},
    {"gpt-oss-120b", "openai.gpt-oss-120b-1:0"},
    {"ft:gpt-4o-mini-2024-07-18:acme::abc", "ft:gpt-4o-mini-2024-07-18:acme:support:def"},
    {"gemini 2.5 flash", "models/gemini-2.5-flash", "gemini-2.5-flash-preview-05-20",
     "gemini-2.5-flash-preview-09-2025"},
    {"gemini 2.5 flash lite", "gemini-2.5-flash-lite"},
    {"gemini-2.5-flash-image", "gemini-2.5-flash-image-preview", "gemini-2.5-flash-native-image"},
    {"gemini-2.5-flash-live", "gemini-live-2.5-flash", "gemini-2.5-flash-native-audio-preview-09-2025"},
    {"llama-4-maverick", "meta/llama-4-maverick-17b-128e-instruct-maas", "Llama4-Maverick-17B"},
    {"deepseek-v3.1", "deepseek-v3.1-maas", "DeepSeekV3.1", "deepseek.v3-v1:0"},
    {"Nova2.0Lite", "amazon.nova-2-lite-v1:0"},
    {"NovaPro", "amazon.nova-pro-v1:0", "us.amazon.nova-pro-v1:0"},
    {"MistralLarge", "mistral.mistral-large-2402-v1:0"},
    {"ClaudeInstant", "anthropic.claude-instant-v1"},
    {"TitanEmbeddingV2-Text", "amazon.titan-embed-text-v2:0"},
    {"TitanEmbeddingG1-Text", "amazon.titan-embed-text-v1", "Titan Embeddings G1 - Text"},
    {"amazon.titan-image-generator-v1"},
    {"amazon.titan-image-generator-v2:0"},
    {"Cohere-Embed-4", "cohere.embed-v4:0"},
    {"cohere.embed-english-v3", "embed-english-v3.0"},
    {"cohere.rerank-v3-5:0", "rerank-v3.5"},
    {"text-embedding-004"},
    {"text-embedding-005"},
    {"Llama3-3-70B", "meta.llama3-3-70b-instruct-v1:0", "llama-3.3-70b",
     "meta/llama-3.3-70b-instruct-maas"},
    {"DeepSeek-R1", "deepseek.r1-v1:0", "deepseek-r1-0528-maas"},
]  # fmt: skip


@pytest.mark.parametrize("names", SAME, ids=lambda names: min(names))
def test_names_of_one_model_are_one(names: set[str]) -> None:
    """However a price list, an API or a gateway spells a model, it is the same."""
    assert len({key(name) for name in names}) == 1


def test_names_of_different_models_differ() -> None:
    """No two of these models are taken for one; only names without any model are ''."""
    keys = [key(min(names)) for names in SAME] + [key(name) for name in ("o3", "o3-mini", "gpt-4.1", "gpt-5")]
    assert len(set(keys)) == len(keys)
    assert "" not in keys
    assert key("") == key("  ") == ""


@pytest.mark.parametrize(
    ("provider", "model", "who"),
    [
        ("openai", "gpt-4o", "openai"),
        ("anthropic", "claude-sonnet-4-5", "anthropic"),
        ("gcp.gemini", "gemini-2.5-flash", "google"),
        ("vertex_ai", "claude-sonnet-4-5@20250929", "google"),
        ("aws.bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0", "aws"),
        ("azure.ai.openai", "gpt-4o", "azure"),
        ("litellm", "gpt-4o", "openai"),
        ("", "claude-sonnet-4-5", "anthropic"),
        ("", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws"),
        ("", "gemini-2.5-pro", "google"),
        ("groq", "gpt-oss-120b", ""),
        ("", "my-own", ""),
    ],
)
def test_whose_invoice_a_call_stands_on(provider: str, model: str, who: str) -> None:
    """The provider that was called is paid, not the maker of the model."""
    assert bills(provider, model) == who
