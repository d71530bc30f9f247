"""Chat messages as JSON text."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sdk.nonsense import documents

from sightline._capture import as_json
from sightline._messages import (
    Said,
    input_json,
    input_messages,
    merged_tool_calls,
    output_json,
    output_message,
    system_json,
    tools_json,
)
from sightline.providers.piece import ToolPiece

contents = (
    st.none() | st.text(max_size=50) | st.lists(st.text(max_size=5) | st.just({"type": "image"}), max_size=2)
)
calls = st.none() | st.just([{"id": "c", "function": {"name": "f", "arguments": "{}"}}])
messages = st.lists(
    st.text(max_size=5)
    | st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool", "", None]) | st.text(max_size=5)},
        optional={"content": contents, "tool_calls": calls, "tool_call_id": st.text(max_size=3)},
    ),
    max_size=5,
)
choices = st.lists(
    st.builds(
        Said,
        st.text(max_size=50),
        st.just(()) | st.just([ToolPiece(0, "c", "f", "{}")]),
        st.none() | st.sampled_from(["stop", ""]),
        st.just("") | st.text(max_size=9),
    ),
    max_size=3,
)


@given(messages | st.text(max_size=9) | st.none())
def test_what_was_sent_has_one_spelling(sent: Any) -> None:
    """Plain words are written in a shorter way, to the same text as everything else."""
    assert input_json(sent) == as_json(input_messages(sent))


@given(documents)
def test_no_request_does_harm(sent: Any) -> None:
    """Whatever is said to be messages, instructions or tools, it is written as JSON, or as nothing."""
    for written in (input_json(sent), system_json(sent), tools_json(sent)):
        assert isinstance(json.loads(written), list)


@given(choices)
def test_what_came_back_has_one_spelling(came: Any) -> None:
    """The same for answers."""
    assert output_json(came) == as_json([output_message(said) for said in came])


@pytest.mark.parametrize(
    "sent", [[{"role": "user", "content": "x" * 100_000}], [{"role": "user", "content": "x"}] * 9_999]
)
def test_long_conversations_are_cut(sent: Any) -> None:
    """Neither one endless message nor endless messages make an endless attribute."""
    assert "<cut" in input_json(sent)
    assert len(input_json(sent)) < 100_000


def said(role: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "parts": list(parts)}


def text(content: str) -> dict[str, Any]:
    return {"type": "text", "content": content}


def called(id_: str | None, **arguments: str) -> dict[str, Any]:
    return {"type": "tool_call", "id": id_, "name": "weather", "arguments": arguments}


def answered(id_: str, response: Any) -> dict[str, Any]:
    return {"type": "tool_call_response", "id": id_, "response": response}


PICTURE = "data:image/png;base64," + "A" * 1000
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
OPENAI = [
    {"role": "developer", "content": "be brief"},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "see"},
            {"type": "image_url", "image_url": {"url": PICTURE}},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            {"type": "file", "file": {"file_id": "f1"}},
        ],
    },
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "12 degrees"},
]
RESPONSES = [
    {
        "role": "user",
        "content": [{"type": "input_text", "text": "see"}, {"type": "input_image", "file_id": "f1"}],
    },
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
    {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city":"Oslo"}'},
    {"type": "function_call_output", "call_id": "c1", "output": "12 degrees"},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "12"}]},
]
ANTHROPIC = [
    {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png"}}]},
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "text", "text": "I look"},
            {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Oslo"}},
        ],
    },
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "12 degrees"}]}
        ],
    },
]
GEMINI = [
    {"role": "user", "parts": [{"text": "see"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]},
    {
        "role": "model",
        "parts": [
            {"text": "hm", "thought": True},
            {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}},
        ],
    },
    {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"degrees": 12}}}]},
    {"text": "and now?"},
    "quick",
]
BEDROCK = [
    {
        "role": "user",
        "content": [{"text": "see"}, {"cachePoint": {"type": "default"}}, {"image": {"format": "png"}}],
    },
    {
        "role": "assistant",
        "content": [
            {"reasoningContent": {"reasoningText": {"text": "hm"}}},
            {"toolUse": {"toolUseId": "c1", "name": "weather", "input": {"city": "Oslo"}}},
        ],
    },
    {
        "role": "user",
        "content": [{"toolResult": {"toolUseId": "c1", "content": [{"json": {"degrees": 12}}]}}],
    },
]
OLLAMA = [
    {"role": "user", "content": "see", "images": ["AAAA"]},
    {
        "role": "assistant",
        "thinking": "hm",
        "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Oslo"}}}],
    },
    {"role": "tool", "tool_name": "weather", "content": "12 degrees"},
]
COHERE = [
    {"role": "assistant", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "12 degrees"}]},
]
IMAGE: dict[str, Any] = {"type": "blob", "modality": "image", "mime_type": "image/png"}
THOUGHT = {"type": "reasoning", "content": "hm"}
OSLO = called("c1", city="Oslo")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param("hello", [said("user", text("hello"))], id="a text"),
        pytest.param(
            OPENAI,
            [
                said("developer", text("be brief")),
                said(
                    "user",
                    text("see"),
                    IMAGE,
                    {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
                    {"type": "file", "modality": "document", "file_id": "f1"},
                ),
                said("assistant", OSLO),
                said("tool", answered("c1", "12 degrees")),
            ],
            id="openai chat",
        ),
        pytest.param(
            RESPONSES,
            [
                said("user", text("see"), {"type": "file", "modality": "image", "file_id": "f1"}),
                said("assistant", THOUGHT),
                said("assistant", OSLO),
                said("tool", answered("c1", "12 degrees")),
                said("assistant", text("12")),
            ],
            id="openai responses",
        ),
        pytest.param(
            ANTHROPIC,
            [
                said("user", IMAGE),
                said("assistant", THOUGHT, text("I look"), OSLO),
                said("user", answered("c1", "12 degrees")),
            ],
            id="anthropic",
        ),
        pytest.param(
            GEMINI,
            [
                said("user", text("see"), IMAGE),
                said("assistant", THOUGHT, called(None, city="Oslo")),
                said("user", answered("weather", {"degrees": 12})),
                said("user", text("and now?")),
                said("user", text("quick")),
            ],
            id="gemini",
        ),
        pytest.param(
            BEDROCK,
            [
                said("user", text("see"), IMAGE),
                said("assistant", THOUGHT, OSLO),
                said("user", answered("c1", {"degrees": 12})),
            ],
            id="bedrock",
        ),
        pytest.param(
            OLLAMA,
            [
                said("user", text("see"), {"type": "blob", "modality": "image"}),
                said("assistant", THOUGHT, called(None, city="Oslo")),
                said("tool", answered("weather", "12 degrees")),
            ],
            id="ollama",
        ),
        pytest.param(
            COHERE, [said("assistant", OSLO), said("tool", answered("c1", "12 degrees"))], id="cohere"
        ),
    ],
)
def test_every_providers_messages_have_one_shape(sent: Any, expected: Any) -> None:
    """Roles and parts are OpenTelemetry's, whichever provider the request is for; pictures are named."""
    assert json.loads(input_json(sent)) == expected


@pytest.mark.parametrize(
    "tools",
    [
        [{"type": "function", "function": {"name": "weather", "description": "d", "parameters": {"a": 1}}}],
        [{"type": "function", "name": "weather", "description": "d", "parameters": {"a": 1}}],
        [{"name": "weather", "description": "d", "input_schema": {"a": 1}}],
        [{"functionDeclarations": [{"name": "weather", "description": "d", "parameters": {"a": 1}}]}],
        {"tools": [{"toolSpec": {"name": "weather", "description": "d", "inputSchema": {"json": {"a": 1}}}}]},
    ],
    ids=["openai chat", "openai responses", "anthropic", "gemini", "bedrock"],
)
def test_every_providers_tools_have_one_shape(tools: Any) -> None:
    """A tool has a name, a description and its parameters' schema."""
    expected = {"type": "function", "name": "weather", "description": "d", "parameters": {"a": 1}}
    assert json.loads(tools_json(tools)) == [expected]


def test_a_function_given_as_a_tool_is_named() -> None:
    """Google's and Ollama's clients take functions of Python as tools."""

    def weather(city: str) -> str:
        return city

    assert json.loads(tools_json([weather])) == [{"type": "function", "name": "weather"}]


@pytest.mark.parametrize(
    "system",
    [
        "be brief",
        [{"type": "text", "text": "be brief"}],
        [{"text": "be brief"}],
        {"parts": [{"text": "be brief"}]},
    ],
    ids=["a text", "anthropic", "bedrock", "gemini"],
)
def test_every_providers_instructions_have_one_shape(system: Any) -> None:
    """What the model is told first is a list of parts."""
    assert json.loads(system_json(system)) == [text("be brief")]


def test_servers_that_number_all_tool_calls_alike_are_understood() -> None:
    """Another id begins another call, even under the number of the one before."""
    pieces = [ToolPiece(0, "a", "f", "{"), ToolPiece(0, None, None, "}"), ToolPiece(0, "b", "g", "[]")]
    assert merged_tool_calls(pieces) == [ToolPiece(0, "a", "f", "{}"), ToolPiece(0, "b", "g", "[]")]
