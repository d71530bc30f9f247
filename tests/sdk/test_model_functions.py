"""`@llm`: functions that call a model by themselves."""

import json
from collections.abc import Generator
from typing import Any

import pytest

import sightline
from sightline.testing import Captured


def test_a_hand_made_model_function_reports_its_response(seen: Captured) -> None:
    """`@llm` reads the response that the function returns, as `llm_call` does."""

    @sightline.llm(provider="openai", model="gpt-4o-mini")
    def ask(messages: list[dict[str, str]]) -> dict[str, Any]:
        choice = {"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}
        return {
            "id": "r1",
            "model": "gpt-4o-mini",
            "choices": [choice],
            "usage": {"prompt_tokens": 9, "completion_tokens": 1},
        }

    ask([{"role": "user", "content": "hello"}])
    span = seen.span("chat gpt-4o-mini")
    assert span.kind == "client"
    assert span.attributes["gen_ai.usage.input_tokens"] == 9
    assert span.attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert json.loads(span.attributes["gen_ai.input.messages"])[0]["parts"][0]["content"] == "hello"
    assert span.attributes["sightline.cost_usd"] == "0.00000195"


def test_a_streaming_model_function_is_timed_and_counted(seen: Captured) -> None:
    """`@llm` on a generator measures the first token and estimates usage that nobody reported."""

    @sightline.llm(provider="acme", model="tiny")
    def ask(prompt: str) -> Generator[str]:
        yield "Hello"
        yield " there"

    assert "".join(ask("hello")) == "Hello there"
    values = seen.span("chat tiny").attributes
    assert values["sightline.usage.estimated"] is True
    assert values["gen_ai.usage.output_tokens"] == 3
    assert values["sightline.time_to_first_token"] == 0.001
    assert values["sightline.cost_reason"] == "no_provider"


def test_a_model_function_that_fails_half_way_has_tokens_and_cost(seen: Captured) -> None:
    """What the model had said until then was paid for."""

    @sightline.llm(provider="openai", model="gpt-4o-mini")
    def ask(prompt: str) -> Generator[str]:
        yield "Hello"
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        list(ask("hello"))
    (span,) = seen.spans
    assert (span.status, span.attributes["gen_ai.usage.output_tokens"]) == ("error", 2)
    assert "sightline.cost_usd" in span.attributes


def test_an_argument_is_not_asked_whether_it_is_true(seen: Captured) -> None:
    """Messages that are an array, which has no truth, reach the model as they are."""

    class Array:
        def __bool__(self) -> bool:
            raise ValueError("ambiguous")

        def __len__(self) -> int:
            raise ValueError("no length")

    @sightline.llm(provider="acme", model="tiny")
    def ask(messages: object) -> str:
        return "hi"

    assert ask(Array()) == "hi"
    assert "gen_ai.output.messages" in seen.span("chat tiny").attributes
