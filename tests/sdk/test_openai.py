"""The real openai client, OpenTelemetry's instrumentation and ours, against a real server."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from sdk.openai_calls import ask
from sdk.recorded import only
from sdk.servers import USAGE_ONLY, ChatModel, chunk, completion, streamed

import sightline
from sightline import testing
from sightline.testing import Captured


@pytest.fixture
def seen() -> Iterator[Captured]:
    with testing.capture(instrument_libraries=["openai"]) as captured:
        yield captured


def test_a_call_is_one_whole_span(client: openai.OpenAI, model: ChatModel, seen: Captured) -> None:
    """Model, usage with cache and reasoning, finish reason, content and cost: everything on one span."""
    model.script = [lambda request: (200, completion())]
    assert ask(client).choices[0].message.content == "Hello there"
    span = only(seen)
    assert (span.name, span.kind, span.status) == ("chat gpt-4o-mini", "client", "unset")
    values = {key: value for key, value in span.attributes.items() if not key.startswith("server.")}
    assert values == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.cache_read.input_tokens": 800,
        "gen_ai.usage.reasoning.output_tokens": 30,
        "gen_ai.input.messages": values["gen_ai.input.messages"],
        "gen_ai.output.messages": values["gen_ai.output.messages"],
        "sightline.cost_usd": "0.00012",
    }
    assert json.loads(values["gen_ai.input.messages"])[0]["parts"][0]["content"] == "hello"
    assert json.loads(values["gen_ai.output.messages"])[0]["parts"][0]["content"] == "Hello there"


def test_a_rate_limit_is_an_error_without_cost(
    client: openai.OpenAI, model: ChatModel, seen: Captured
) -> None:
    """A refused call is marked by its type, and has neither usage nor a missing price."""
    model.script = [lambda request: (429, {"error": {"message": "slow down"}})]
    with pytest.raises(openai.RateLimitError):
        ask(client)
    span = only(seen)
    assert (span.status, span.attributes["error.type"]) == ("error", "openai.RateLimitError")
    assert not [name for name in span.attributes if "usage" in name or "cost" in name]


def test_a_retried_call_is_one_span(model: ChatModel, seen: Captured) -> None:
    """The client's own retries are part of the call."""
    model.script = [lambda request: (500, {}), lambda request: (200, completion())]
    with openai.OpenAI(base_url=model.base_url, api_key="k", max_retries=1) as client:
        ask(client)
    assert (len(model.requests), only(seen).status) == (2, "unset")


def test_tool_calls_are_recorded(client: openai.OpenAI, model: ChatModel, seen: Captured) -> None:
    """The tool that the model asked for is in the answer, streamed or not."""
    function = {"name": "search", "arguments": '{"q":"x"}'}
    call = {"index": 0, "id": "c1", "type": "function", "function": function}
    model.script = [
        lambda request: (200, [chunk({"tool_calls": [call]}), chunk({}, "tool_calls"), USAGE_ONLY])
    ]
    list(ask(client, stream=True))
    values = only(seen).attributes
    (part,) = json.loads(values["gen_ai.output.messages"])[0]["parts"]
    assert (part["type"], part["name"], part["arguments"]) == ("tool_call", "search", {"q": "x"})
    assert values["gen_ai.response.finish_reasons"] == ["tool_calls"]
    assert "sightline.time_to_first_token" in values


def test_a_call_nests_and_carries_the_context(
    client: openai.OpenAI, model: ChatModel, seen: Captured
) -> None:
    """The client's span is the child of the decorated function, with its user, session and prompt."""
    model.script = [streamed]

    @sightline.agent
    def answer(question: str) -> None:
        with sightline.context(user_id="u1", session_id="s1", prompt=("greet", "3")):
            for _ in ask(client, stream=True):
                with sightline.stage("mine"):
                    pass

    answer("why")
    root, call = seen.span("invoke_agent answer"), seen.span("chat gpt-4o-mini")
    assert call.parent_span_id == root.span_id
    assert call.attributes["user.id"] == "u1"
    assert call.attributes["gen_ai.conversation.id"] == "s1"
    assert call.attributes["gen_ai.prompt.name"] == "greet"
    assert {s.parent_span_id for s in seen.spans if s.name == "mine"} == {root.span_id}


@pytest.mark.parametrize("mode", ["masked", "off"])
def test_the_clients_spans_obey_the_content_mode(model: ChatModel, mode: Any) -> None:
    """What a foreign instrumentation records passes the same guard."""
    model.script = [streamed]
    with (
        testing.capture(instrument_libraries=["openai"], content=mode) as seen,
        openai.OpenAI(base_url=model.base_url, api_key="k") as client,
    ):
        stream: Any = client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "I am a@b.de"}], stream=True
        )
        list(stream)
    values = only(seen).attributes
    assert "a@b.de" not in str(values)
    assert ("[EMAIL_1]" in str(values)) is (mode == "masked")
    assert values["gen_ai.usage.input_tokens"] == 1000


def test_embeddings_and_responses_are_priced(client: openai.OpenAI, model: ChatModel, seen: Captured) -> None:
    """The client's other calls carry their usage and cost too."""
    vector = {"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}
    embedded = {
        "object": "list",
        "model": "text-embedding-3-small",
        "data": [vector],
        "usage": {"prompt_tokens": 1_000_000, "total_tokens": 1_000_000},
    }
    message = {
        "type": "message",
        "id": "m1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
    }
    responded = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "status": "completed",
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 1000,
            "input_tokens_details": {"cached_tokens": 800, "cache_write_tokens": 0},
            "output_tokens": 50,
            "output_tokens_details": {"reasoning_tokens": 30},
            "total_tokens": 1050,
        },
    }
    model.script = [lambda request: (200, embedded), lambda request: (200, responded)]
    client.embeddings.create(model="text-embedding-3-small", input="x", encoding_format="float")
    assert client.responses.create(model="gpt-4o-mini", input="hello").output_text == "Hi"
    costs = {span.name: span.attributes["sightline.cost_usd"] for span in seen.spans}
    assert costs == {"embeddings text-embedding-3-small": "0.02", "chat gpt-4o-mini": "0.00012"}


def test_undoing_leaves_the_client_as_it_was(model: ChatModel) -> None:
    """After `shutdown` the client's methods are its own again, and nothing is recorded."""
    completions = sys.modules["openai.resources.chat.completions"].Completions
    before = completions.create
    with testing.capture(instrument_libraries=["openai"]) as seen:
        assert completions.create is not before
    assert completions.create is before
    model.script = [streamed]
    with openai.OpenAI(base_url=model.base_url, api_key="k") as client:
        list(ask(client, stream=True))
    assert seen.spans == []
