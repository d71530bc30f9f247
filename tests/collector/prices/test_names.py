"""Which names mean which model and which provider: rules that RE2 can run, in the library's order."""

from __future__ import annotations

import re

import pytest
from collector.prices.models import mtok
from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    MatchLogic,
    ModelInfo,
    Provider,
)

from sightline_collector.prices.names import add_model_rules, exact_names
from sightline_collector.prices.providers import (
    PROVIDER_OF_LITELLM_NAME,
    PROVIDER_OF_OTEL_NAME,
    provider_rules,
)
from sightline_collector.prices.rules import (
    Condition,
    RuleTree,
    UnsupportedPatternError,
    alternatives,
    literal,
    shape,
)

ARN = "arn:aws:bedrock:us-east-1:1"


def seller(*matches: MatchLogic, name: str = "p", fallbacks: list[str] | None = None) -> Provider:
    """A provider of models called 1, 2, 3 ... that match so."""
    models = [ModelInfo(str(n), match, prices=mtok(n)) for n, match in enumerate(matches, 1)]
    return Provider(name, name, "", fallback_model_providers=fallbacks, models=models)


def resolve(tree: RuleTree, text: str, value: str, parent: int = 0) -> str:
    """What a regexp_tree answers: the first sibling that leads to a value; a child's value wins."""
    for row in tree.rows:
        matched = re.search(str(row["regexp"]), text)
        if row["parent_id"] != parent or matched is None:
            continue
        row_id, keys, values = row["id"], row["keys"], row["values"]
        assert isinstance(row_id, int) and isinstance(keys, list) and isinstance(values, list)
        found = resolve(tree, text, value, row_id)
        if found:
            return found
        if value in keys:
            return matched.expand(values[keys.index(value)])
    return ""


def model_of(provider: Provider, name: str, *others: Provider) -> str:
    """The id of the model that the provider's rules find, 0 when none."""
    tree = RuleTree()
    add_model_rules(tree, provider, [provider, *others], lambda _, model: int(model.id))
    return resolve(tree, f"{provider.id}|{name}", "model") or "0"


@pytest.mark.parametrize(
    ("condition", "matching", "other"),
    [
        (ClauseEquals("GPT-4.5"), "gpt-4.5", "gpt-4x5"),
        (ClauseStartsWith("a.b"), "a.b-c", "xa.b"),
        (ClauseEndsWith("[1m]"), "opus[1m]", "opus[1m]x"),
        (ClauseContains("+"), "a+b", "ab"),
        (ClauseRegex(r"^o[134]$"), "o3", "o3x"),
        (ClauseRegex(r"-\d{8}"), "x-20260101-y", "x-2026"),
    ],
)
def test_a_condition_matches_the_whole_name_it_means(condition: Condition, matching: str, other: str) -> None:
    """Special characters stand for themselves; only a regex is a regex."""
    assert re.fullmatch(shape(condition), matching)
    assert not re.fullmatch(shape(condition), other)


def test_or_and_become_alternatives() -> None:
    """An "and" of "or"s is every combination, in order."""
    a, b, c = ClauseEquals("a"), ClauseEquals("b"), ClauseEquals("c")
    assert alternatives(ClauseAnd([ClauseOr([a, b]), c])) == [[a, c], [b, c]]


@pytest.mark.parametrize("pattern", [r"x(?=y)", r"(?<!a)b", r"(a)\1", r"(?i)a", "a++"])
def test_a_pattern_that_re2_lacks_stops_the_export(pattern: str) -> None:
    """The engine would drop such a row without a word, so it is refused, and the error says what to do."""
    with pytest.raises(UnsupportedPatternError, match="Keep the installed genai-prices version"):
        RuleTree().add(pattern)


@pytest.mark.parametrize("pattern", ["^a|b$", "(^|/)gpt", "a$b"])
def test_a_pattern_that_a_prefix_would_change_stops_the_export(pattern: str) -> None:
    """Behind `provider|` an inner anchor never matches and an open alternative is not anchored."""
    with pytest.raises(UnsupportedPatternError):
        shape(ClauseRegex(pattern))


def test_the_first_model_that_matches_wins() -> None:
    """Order decides between patterns; an exact name of an earlier model is not taken by a later one."""
    one = seller(ClauseStartsWith("gpt-4"), ClauseEquals("gpt-4o"), ClauseEquals("o3"), ClauseContains("o"))
    assert [model_of(one, name) for name in ("gpt-4o", "gpt-4x", "o3", "foo", "x")] == [
        "1",
        "1",
        "3",
        "4",
        "0",
    ]
    assert [(name, model.id) for name, model in exact_names(one, [one])] == [("gpt-4o", "1"), ("o3", "3")]


def test_an_exclusion_leaves_its_names_to_the_later_rules() -> None:
    """`gemini but not tts` does not match a tts name, which goes on to the model that does."""
    plain = ClauseAnd([ClauseStartsWith("gemini"), ClauseRegex("^(?!.*-tts)")])
    one = seller(plain, ClauseContains("-tts"), ClauseStartsWith("gem"))
    assert [model_of(one, name) for name in ("gemini-2", "gemini-2-tts", "gemma")] == ["1", "2", "3"]


def test_an_exclusion_that_cannot_be_said_stops_the_export() -> None:
    """Any other look-ahead is refused rather than guessed."""
    odd = ClauseAnd([ClauseEndsWith("x"), ClauseRegex("^(?!.*-tts)")])
    with pytest.raises(UnsupportedPatternError):
        model_of(seller(odd), "x")


def test_a_provider_falls_back_one_step() -> None:
    """Its own models come first, then those of its fallbacks, not those of theirs."""
    last = seller(ClauseEquals("c"), name="last")
    middle = seller(ClauseEquals("x"), ClauseEquals("b"), name="middle", fallbacks=["last"])
    first = seller(ClauseEquals("a"), name="first", fallbacks=["middle"])
    assert [model_of(first, name, middle, last) for name in ("a", "b", "c")] == ["1", "2", "0"]


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("p|m", "p|m"),
        (" p |m|n", "p|m|n"),
        ("eu-cloud-2|m", "cloud|m"),
        ("litellm|p/m/n", "p|m/n"),
        ("litellm|labs-m", "cloud|labs-m"),
        ("|labs-m", "cloud|labs-m"),
        ("litellm|other/labs-m", ""),
        ("x_ai|grok", "x-ai|grok"),
        ("togetherai|m", "together|m"),
        ("p|models/m", "p|m"),
        ("cloud|projects/x/locations/y/publishers/z/models/m", "cloud|m"),
        ("p|accounts/x/models/m", "p|accounts/x/models/m"),
        ("|publishers/z/models/labs-m", "cloud|labs-m"),
        ("|us.anthropic.claude-v1:0", "aws|us.anthropic.claude-v1:0"),
        ("litellm|amazon.nova-v1:0", "aws|amazon.nova-v1:0"),
        (f"|{ARN}:x/m", f"aws|{ARN}:x/m"),
        (f"|{ARN}:inference-profile/us.anthropic.claude-v1:0", "aws|us.anthropic.claude-v1:0"),
        (f"p|{ARN}:inference-profile/us.anthropic.claude-v1:0", "p|us.anthropic.claude-v1:0"),
        (f"p|{ARN}:application-inference-profile/m", f"p|{ARN}:application-inference-profile/m"),
        ("p|us.anthropic.claude-v1:0", "p|us.anthropic.claude-v1:0"),
        ("|anthropic/claude-v1", ""),
        ("cloud|converse/us.anthropic.claude-v1:0", "cloud|us.anthropic.claude-v1:0"),
        ("litellm|cloud/responses/m", "cloud|m"),
        ("|cloud:labs-m", "cloud|labs-m"),
        ("litellm|cloud:labs-m", "cloud|labs-m"),
        ("nobody|labs-m", ""),
    ],
)
def test_a_name_is_rewritten_to_its_providers(said: str, key: str) -> None:
    """By id, by its match clause, behind a gateway's prefix, or by the model's name when none is given."""
    cloud = Provider(
        "cloud",
        "Cloud",
        "",
        provider_match=ClauseContains("cloud"),
        model_match=ClauseRegex("^(?![^/]+/)(?:labs-)"),
    )
    assert resolve(provider_rules([seller(), cloud]), said, "key") == key


def test_opentelemetry_names_come_first() -> None:
    """Our names win over a clause of the library that would take them for another provider."""
    openai = Provider("openai", "OpenAI", "", provider_match=ClauseContains("openai"))
    tree = provider_rules([openai])
    for name, provider in PROVIDER_OF_OTEL_NAME.items():
        assert resolve(tree, f"{name}|m", "key") == f"{provider}|m"


def test_litellms_names_mean_the_same_sellers() -> None:
    """LiteLLM's word for a provider is found as the provider's name, and before a model's."""
    tree = provider_rules([seller()])
    for name, provider in PROVIDER_OF_LITELLM_NAME.items():
        assert resolve(tree, f"{name}|m", "key") == f"{provider}|m"
        assert resolve(tree, f"litellm|{name}/m", "key") == f"{provider}|m"


def test_a_name_that_one_provider_alone_gives_needs_no_provider() -> None:
    """Embeddings seldom name who made them: their model does."""
    tree = provider_rules([Provider("openai", "OpenAI", ""), Provider("perplexity", "Perplexity", "")])
    assert resolve(tree, "|text-embedding-3-small", "key") == "openai|text-embedding-3-small"
    assert resolve(tree, "litellm|sonar-pro", "key") == "perplexity|sonar-pro"
    assert resolve(tree, "|text-embedding-004", "key") == ""


def test_a_literal_matches_only_itself() -> None:
    """Escaping changes nothing but the case."""
    text = r"us.claude-3:0[1m]+(x)|{2}^$*?\/@_é"
    assert re.fullmatch(literal(text), text)
