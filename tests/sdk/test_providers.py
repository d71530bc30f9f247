"""Answers of the providers' own clients, and the same as plain JSON: what their spans say."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from sdk.clients import ASK, EMBED
from sdk.conversation import Conversation
from sdk.conversations import CONVERSATIONS
from sdk.embeddings import EMBEDDED
from sdk.openai_conversations import OPENAI, RESPONSES
from sdk.other_conversations import ANTHROPIC
from sdk.tool_calls import TOOL_CALLS
from sdk.wire import SSE, Wire, serving

import sightline
from sightline import _estimate
from sightline._messages import input_json, tools_json
from sightline.testing import Captured

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or else its import asks the network for prices

# LiteLLM asks pydantic in a way that pydantic would rather not be asked.
pytestmark = pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning")

PROVIDERS = list(CONVERSATIONS)
SAID = {"role": "assistant", "parts": [{"type": "text", "content": "Hello there"}], "finish_reason": "stop"}
THOUGHT = {"type": "reasoning", "content": "hm"}


@pytest.fixture
def wire() -> Iterator[Wire]:
    yield from serving()


def recorded(seen: Captured, case: Conversation, *, whole: Any = None, events: Any = ()) -> dict[str, Any]:
    """The attributes of a call that got this answer, but for those of its request."""
    with sightline.llm_call(provider=case.provider, model=case.model) as call:
        for event in events:
            call.chunk(event)
        if whole is not None:
            call.record(whole)
    request = (
        "gen_ai.request.",
        "gen_ai.operation.",
        "gen_ai.provider.",
        "sightline.operation",
        "sightline.stage",
    )
    return {name: value for name, value in seen.spans[-1].attributes.items() if not name.startswith(request)}


def expected_of(case: Conversation) -> dict[str, Any]:
    """What is on the span of a whole answer, or of a stream but for its times."""
    thoughts = [THOUGHT] if case.thought_at else []
    said = {**SAID, "parts": [*thoughts, *SAID["parts"]]}
    written = json.dumps([said], separators=(",", ":"))
    known = {name: value for name, value in case.expected.items() if value != ""}
    return {**known, "gen_ai.output.messages": written}


def times_of(case: Conversation) -> dict[str, float]:
    """The clock ticks a millisecond an event."""
    times = {
        "gen_ai.response.time_to_first_chunk": 0.001,
        "sightline.time_to_first_token": case.token_at / 1000,
    }
    return times | ({"sightline.time_to_first_reasoning": case.thought_at / 1000} if case.thought_at else {})


def without_speed(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "sightline.tokens_per_second"}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_whole_answer_is_read(name: str, seen: Captured, wire: Wire) -> None:
    """Usage, price, model, id, finish reason, words and thoughts, from the client's object and from JSON."""
    case = CONVERSATIONS[name]
    answer = ASK[name](wire.says(case.whole).url, False)
    assert recorded(seen, case, whole=answer) == expected_of(case)
    assert recorded(seen, case, whole=case.whole) == expected_of(case)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_stream_is_read(name: str, seen: Captured, wire: Wire) -> None:
    """The same from the client's events and from JSON, with the times of first chunk, thought and content."""
    case = CONVERSATIONS[name]
    events = ASK[name](wire.streams(case.framing, case.events).url, True)
    assert without_speed(recorded(seen, case, events=events)) == expected_of(case) | times_of(case)
    assert without_speed(recorded(seen, case, events=case.events)) == expected_of(case) | times_of(case)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_stream_that_breaks_off_is_counted(name: str, seen: Captured, wire: Wire) -> None:
    """What was reported until then stays, what was not is estimated and marked; no placeholder is a count."""
    case = CONVERSATIONS[name]
    begun = case.events[: case.token_at]
    events = ASK[name](wire.streams(case.framing, begun, cut=True).url, True)
    values = recorded(seen, case, events=events)
    shown = "hmHello" if case.thought_at else "Hello"
    guessed = {
        "gen_ai.usage.input_tokens": 0,  # nothing is known of what was sent
        "gen_ai.usage.output_tokens": -(-len(shown) // _estimate.BYTES_PER_TOKEN),
        "sightline.usage.estimated": True,
    }
    complete = "gen_ai.usage.output_tokens" in case.reported
    counted = {name: value for name, value in values.items() if ".usage." in name}
    assert counted == (case.reported if complete else guessed | case.reported)
    assert "gen_ai.response.finish_reasons" not in values


@pytest.mark.parametrize("name", TOOL_CALLS)
def test_a_tool_call_is_read(name: str, seen: Captured, wire: Wire) -> None:
    """Name, id and arguments, whole or in fragments; the first token is the beginning of the call."""
    case = TOOL_CALLS[name]
    part = {"type": "tool_call", "id": case.id, "name": "weather", "arguments": {"city": "Oslo"}}
    whole = ASK[name](wire.says(case.whole).url, False)
    events = ASK[name](wire.streams(case.framing, case.events).url, True)
    for answer in (whole, case.whole, events, case.events):
        with sightline.llm_call(provider="p", model="m") as call:
            for event in answer if isinstance(answer, list) else ():
                call.chunk(event)
            if not isinstance(answer, list):
                call.record(answer)
        values = seen.spans[-1].attributes
        assert json.loads(values["gen_ai.output.messages"])[0]["parts"] == [part]
        assert values["gen_ai.response.finish_reasons"] == ["tool_calls"]
        streamed = (
            {"sightline.time_to_first_token": case.begins_at / 1000} if isinstance(answer, list) else {}
        )
        assert {k: v for k, v in values.items() if k == "sightline.time_to_first_token"} == streamed


def test_the_events_of_anthropics_helper_are_read_once(seen: Captured, wire: Wire) -> None:
    """`messages.stream()` says all twice, as the server's event and as its own, and again at the end."""
    import anthropic

    wire.streams(SSE, ANTHROPIC.events)
    with (
        anthropic.Anthropic(base_url=wire.url, api_key="k") as client,
        client.messages.stream(
            model="claude", max_tokens=9, messages=[{"role": "user", "content": "hello"}]
        ) as stream,
    ):
        events: list[Any] = list(stream)
        final = stream.get_final_message()
    assert len(events) > len(ANTHROPIC.events)
    values = recorded(seen, ANTHROPIC, events=events, whole=final)
    assert {k: v for k, v in values.items() if k in expected_of(ANTHROPIC)} == expected_of(ANTHROPIC)


@pytest.mark.parametrize("name", ["openai", "responses"])
def test_the_events_of_openais_helpers_are_read_once(name: str, seen: Captured, wire: Wire) -> None:
    """`chat.completions.stream()` and `responses.stream()` mix the server's events with their own."""
    import openai

    case = {"openai": OPENAI, "responses": RESPONSES}[name]
    wire.streams(SSE, case.events)
    with openai.OpenAI(base_url=wire.url, api_key="k") as client:
        manager: Any = (
            client.chat.completions.stream(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
            if name == "openai"
            else client.responses.stream(model="o3", input="hello")
        )
        with manager as stream:
            events = list(stream)
    values = recorded(seen, case, events=events)
    assert {k: v for k, v in values.items() if k in expected_of(case)} == expected_of(case)


@pytest.mark.parametrize("name", EMBEDDED)
def test_an_embedding_is_read(name: str, seen: Captured, wire: Wire) -> None:
    """It has an input, a price where the model has one, and no output."""
    body, provider, model, counted, cost = EMBEDDED[name]
    answer = EMBED[name](wire.says(body).url)
    with sightline.llm_call(provider=provider, model=model, messages="hello", operation="embeddings") as call:
        call.record(answer)
    values = seen.spans[0].attributes
    assert {k: v for k, v in values.items() if ".usage." in k} == counted
    assert values.get("sightline.cost_usd") == cost


def test_a_conversation_in_clients_objects_is_read() -> None:
    """Programs send back what they got: blocks of Anthropic, items of responses, contents of Gemini."""
    import anthropic
    from google.genai import types as google
    from openai.types.responses import Response

    message = anthropic.types.Message.model_validate(TOOL_CALLS["anthropic"].whole)
    response = Response.model_validate(TOOL_CALLS["responses"].whole)
    gemini: Any = google.GenerateContentResponse.model_validate(TOOL_CALLS["google"].whole)
    part = {"type": "tool_call", "id": "t1", "name": "weather", "arguments": {"city": "Oslo"}}
    said = [{"role": "assistant", "parts": [part]}]
    assert json.loads(input_json([{"role": "assistant", "content": message.content}])) == said
    assert json.loads(input_json(response.output)) == said
    assert json.loads(input_json([gemini.candidates[0].content])) == said


def test_a_tool_in_googles_objects_is_what_was_said_of_it() -> None:
    """Its schema has two dozen fields for each value; those that are empty are left out."""
    from google.genai import types as google

    city = google.Schema(type=google.Type.STRING)
    schema = google.Schema(type=google.Type.OBJECT, properties={"city": city})
    tool = google.Tool(function_declarations=[google.FunctionDeclaration(name="weather", parameters=schema)])
    parameters = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}
    assert json.loads(tools_json([tool])) == [
        {"type": "function", "name": "weather", "parameters": parameters}
    ]
