"""Why a call costs what it costs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from sightline_collector.commands.price_explain import lines
from sightline_collector.prices.explain import Question, explain, way
from sightline_collector.prices.providers import PATH
from sightline_collector.store.engine import Engine


def asked(model: str, provider: str = "", **fields: Any) -> Question:
    """A question about a call of November 2026."""
    return Question.model_validate(
        {
            "model": model,
            "provider": provider,
            "at": datetime(2026, 11, 1, tzinfo=UTC),
            "usage": {"input_tokens": 1000, "output_tokens": 100},
            **fields,
        }
    )


def as_json(said: dict[str, Any]) -> dict[str, Any]:
    """Amounts as the port sends them."""
    shown = {name: f"{v:f}" if isinstance(v, Decimal) else v for name, v in said.items()}
    return {**shown, "charges": [as_json({**c, "charges": []}) for c in said["charges"]]}


def test_an_amount_is_explained(pricer: Engine) -> None:
    """The rules that named the price, whose it is and since when, and what each unit costs, which adds up."""
    usage = {"input_tokens": 1000, "output_tokens": 100, "cache_read_tokens": 400}
    said = explain(pricer, asked("gpt-4o", "openai", usage=usage))
    assert (said["cost_usd"], said["status"], said["found"]) == (Decimal("0.003"), "priced", "as it is named")
    assert said["rules"] == [rf"provider: ^\s*openai\s*\|{PATH}(.*)$", r"model: ^openai\|gpt-4o$"]
    assert (said["price_provider"], said["price_model"], said["price_override"]) == ("openai", "gpt-4o", "")
    assert said["price_source"].startswith("genai-prices ")
    counts = {charge["unit"]: charge["count"] for charge in said["charges"]}
    assert counts["input_tokens"] == 600
    assert sum(charge["amount_usd"] for charge in said["charges"]) == said["cost_usd"]


def test_a_dated_price_of_a_tier_and_context_is_explained(pricer: Engine) -> None:
    """The explanation names the context and the size of the input that the price is for."""
    said = explain(
        pricer, asked("gemini-2.5-pro", "gcp.gemini", usage={"input_tokens": 201_000, "output_tokens": 1000})
    )
    assert (said["cost_usd"], said["price_above_input_tokens"]) == (Decimal("0.5175"), 200_000)
    flex = explain(pricer, asked("o3", "openai", context=["service_tier=flex"]))
    assert flex["price_context"] == "service_tier=flex"


def test_a_guess_is_explained(pricer: Engine) -> None:
    """A name that was only found without its provider says so, and is assumed."""
    said = explain(pricer, asked("gpt-4o", "my-gateway"))
    assert (said["status"], said["found"]) == ("assumed", "by the model alone")


def test_the_second_source_is_named(pricer: Engine) -> None:
    """A model that only the second source has is priced by it, and says so."""
    name = "watsonx", "ibm/granite-3-8b-instruct"
    said = explain(pricer, asked(name[1], "ibm.watsonx.ai"))
    assert (said["status"], said["cost_usd"]) == ("priced", Decimal("0.00022"))
    assert said["price_source"] == "litellm 1.109.1"
    assert said["price_provider"] == name[0]


def test_a_refusal_is_explained(pricer: Engine) -> None:
    """A name that nobody knows has no rules and no amount; people are told what to do."""
    said = explain(pricer, asked("unheard-of", "unheard-of"))
    assert (said["cost_usd"], said["status"], said["rules"]) == (None, "unpriced_model", [])
    assert lines(as_json(said))[0] == "No amount: unpriced_model"
    assert "sightline prices override" in lines(as_json(said))[1]


def test_a_way_of_serving_without_a_price_is_told(pricer: Engine) -> None:
    """A tier that the list does not have for the model is named, for it is not charged."""
    served = ["service_tier=flex", "processing=batch"]
    said = explain(pricer, asked("gpt-4o", "openai", context=served))
    assert said["unlisted"] == ["service_tier=flex"]
    assert lines(as_json(said))[-1] == "  service_tier=flex has no price of its own there"


def test_an_explanation_reads_as_a_bill(pricer: Engine) -> None:
    """The command shows the amount, the rules, the price, and a line for each unit."""
    said = lines(as_json(explain(pricer, asked("gpt-4o", "openai"))))
    assert said[0] == "0.0035 USD, priced"
    assert said[1] == "Found as it is named, by"
    bill = {" ".join(line.split()) for line in said}
    assert "input_tokens 1,000 x 2.5 / 1,000,000 = 0.0025" in bill
    assert "output_tokens 100 x 10 / 1,000,000 = 0.001" in bill


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        ([(1, 0, "a", 1)], ["a"]),
        ([(1, 0, "a", 0), (2, 0, "b", 1)], ["b"]),
        ([(1, 0, "a", 1), (3, 1, "c", 1)], ["a", "c"]),
        ([(3, 1, "c", 1)], []),
    ],
)
def test_the_way_to_a_rule_is_the_engines(rows: list[tuple[int, int, str, int]], expected: list[str]) -> None:
    """The first sibling that decides wins, a child before its parent, a child of no match never."""
    named = [dict(zip(("id", "parent_id", "regexp", "decides"), row, strict=True)) for row in rows]
    assert way(named) == expected


def test_an_unknown_unit_is_refused() -> None:
    """The refusal says where the units are."""
    with pytest.raises(ValidationError, match="no unit is called 'words'"):
        asked("gpt-4o", usage={"words": 1})
