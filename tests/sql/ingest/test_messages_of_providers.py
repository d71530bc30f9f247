"""Whatever text a span holds, its messages can be read as OpenTelemetry's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline_collector.store.engine import Engine

Messages = list[dict[str, Any]]


def read(engine: Engine, text: str, role: str = "user") -> Messages:
    """The messages in a text."""
    answer = engine.value(
        "select sightline_messages({text:String}, {role:String})", {"text": text, "role": role}
    )
    found: Messages = json.loads(answer)
    return found


def says(said: str) -> dict[str, Any]:
    """A part that says something."""
    return {"type": "text", "content": said}


def calls(call_id: str | None, name: str, arguments: Any) -> dict[str, Any]:
    """A part that calls a tool."""
    return (
        {"type": "tool_call"} | ({"id": call_id} if call_id else {}) | {"name": name, "arguments": arguments}
    )


def answers(call_id: str | None, response: Any) -> dict[str, Any]:
    """A part that a tool answers."""
    return {"type": "tool_call_response"} | ({"id": call_id} if call_id else {}) | {"response": response}


def thinks(said: str) -> dict[str, Any]:
    """A part that is reasoning."""
    return {"type": "reasoning", "content": said}


def by(role: str, *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A message."""
    return {"role": role, "parts": list(parts), **more}


def image(content: str, mime_type: str) -> dict[str, Any]:
    """A part that is an image, bytes and all."""
    return {"type": "blob", "modality": "image", "mime_type": mime_type, "content": content}


LC = ["langchain", "schema", "messages"]
OPENTELEMETRY = [
    by("user", says("a"), {"type": "uri", "modality": "image", "uri": "https://x.test/a"}),
    by("tool", answers("1", {"degrees": 19})),
    by("assistant", thinks("b"), {"type": "compaction", "content": "c"}, finish_reason="stop"),
]
SHAPES: dict[str, tuple[Any, Messages]] = {
    "OpenTelemetry": (OPENTELEMETRY, OPENTELEMETRY),
    "OpenTelemetry's instructions": ([says("a"), says("b")], [by("user", says("a"), says("b"))]),
    "OpenAI chat": (
        {"model": "m", "messages": [
            {"role": "developer", "content": "a"},
            {"role": "user", "name": "ann", "content": [
                {"type": "text", "text": "b"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}]},
            {"role": "tool", "tool_call_id": "c", "content": "12"}]},
        [by("system", says("a")), by("user", says("b"), image("AAAA", "image/png"), name="ann"),
         by("assistant", calls("c", "f", {"x": 1})), by("tool", answers("c", "12"))],
    ),
    "OpenAI chat's answer": (
        {"id": "r", "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "a"}},
            {"index": 1, "finish_reason": "stop", "message": {"role": "assistant", "refusal": "no"}}]},
        [by("assistant", says("a"), finish_reason="stop"), by("assistant", says("no"), finish_reason="stop")],
    ),
    "OpenAI responses": (
        {"instructions": "s", "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "a"},
                                         {"type": "input_image", "image_url": "https://x.test/a.png"}]},
            {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "5"}]},
        [by("system", says("s")),
         by("user", says("a"), {"type": "uri", "modality": "image", "uri": "https://x.test/a.png"}),
         by("assistant", calls("c", "f", {})), by("tool", answers("c", "5"))],
    ),
    "OpenAI responses' answer": (
        {"output": [
            {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]}]},
        [by("assistant", thinks("hm")), by("assistant", says("a"))],
    ),
    "Anthropic": (
        {"system": [{"type": "text", "text": "s"}], "messages": [
            {"role": "user", "content": [
                says("a") | {"text": "a"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QQ=="}}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "t", "signature": "z"},
                {"type": "tool_use", "id": "u", "name": "f", "input": {"x": [1]}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "u", "content": [{"type": "text", "text": "r"}]}]}]},
        [by("system", says("s")), by("user", says("a"), image("QQ==", "image/png")),
         by("assistant", thinks("t"), calls("u", "f", {"x": [1]})),
         by("user", answers("u", [{"type": "text", "text": "r"}]))],
    ),
    "Anthropic's answer": (
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "a"}],
         "stop_reason": "end_turn"},
        [by("assistant", says("a"), finish_reason="end_turn")],
    ),
    "Gemini": (
        {"systemInstruction": {"parts": [{"text": "s"}]}, "contents": [
            {"role": "user", "parts": [
                {"text": "a"}, {"inlineData": {"mimeType": "image/jpeg", "data": "QQ"}}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"x": 1}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"r": 2}}}]}]},
        [by("system", says("s")), by("user", says("a"), image("QQ", "image/jpeg")),
         by("assistant", calls(None, "f", {"x": 1})), by("user", answers(None, {"r": 2}))],
    ),
    "Gemini's answer": (
        {"candidates": [{"finishReason": "STOP", "content": {
            "role": "model", "parts": [{"text": "t", "thought": True}, {"text": "a"}]}}]},
        [by("assistant", thinks("t"), says("a"), finish_reason="STOP")],
    ),
    "the AI SDK": (
        {"system": "s", "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [
                {"type": "tool-call", "toolCallId": "1", "toolName": "f", "input": {"x": 1}}]},
            {"role": "tool", "content": [
                {"type": "tool-result", "toolCallId": "1", "toolName": "f", "result": {"degrees": 19}}]}]},
        [by("system", says("s")), by("user", says("a")), by("assistant", calls("1", "f", {"x": 1})),
         by("tool", answers("1", {"degrees": 19}))],
    ),
    "the AI SDK's calls": (
        [{"toolCallType": "function", "toolCallId": "1", "toolName": "f", "args": '{"x":1}'}],
        [by("user", calls("1", "f", {"x": 1}))],
    ),
    "LangChain": (
        {"messages": [[
            {"lc": 1, "type": "constructor", "id": [*LC, "HumanMessage"], "kwargs": {"content": "a"}},
            {"lc": 1, "type": "constructor", "id": [*LC, "AIMessage"], "kwargs": {
                "content": "",
                "tool_calls": [{"type": "tool_call", "id": "c", "name": "f", "args": {"x": 1}}]}}]]},
        [by("user", says("a")), by("assistant", calls("c", "f", {"x": 1}))],
    ),
    "LangChain's answer": (
        {"generations": [[{"text": "a", "type": "ChatGeneration", "message": {
            "lc": 1, "type": "constructor", "id": [*LC, "AIMessage"],
            "kwargs": {"content": "a", "type": "ai"}}}]]},
        [by("assistant", says("a"))],
    ),
    "LangChain's dictionaries": (
        [{"type": "human", "data": {"content": "a"}}, {"type": "ai", "content": "b", "tool_calls": []}],
        [by("user", says("a")), by("assistant", says("b"))],
    ),
    "Bedrock": (
        [{"role": "user", "content": [
            {"text": "a"}, {"toolResult": {"toolUseId": "t", "content": [{"text": "r"}]}}]},
         {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "f", "input": {"x": 1}}}]}],
        [by("user", says("a"), answers("t", [{"text": "r"}])), by("assistant", calls("t", "f", {"x": 1}))],
    ),
    "LiveKit": (
        {"items": [
            {"id": "i", "type": "message", "role": "system", "content": ["s"]},
            {"id": "j", "type": "message", "role": "user", "content": [
                "a", {"type": "image_content", "image": "https://x.test/a.png"}]},
            {"id": "k", "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"id": "l", "type": "function_call_output", "call_id": "c", "name": "f", "output": "5"}]},
        [by("system", says("s")),
         by("user", says("a"), {"type": "uri", "modality": "image", "uri": "https://x.test/a.png"}),
         by("assistant", calls("c", "f", {})), by("tool", answers("c", "5"))],
    ),
    "LiveKit's calls": (
        [{"id": "i", "call_id": "c", "name": "f", "arguments": "{}"}], [by("user", calls("c", "f", {}))],
    ),
    "Genkit": (
        {"messages": [
            {"role": "user", "content": [
                {"text": "a"}, {"media": {"url": "data:image/png;base64,AAAA", "contentType": "image/png"}}]},
            {"role": "model", "content": [{"toolRequest": {"ref": "r", "name": "f", "input": {"x": 1}}}]},
            {"role": "tool", "content": [{"toolResponse": {"ref": "r", "name": "f", "output": {"y": 2}}}]}]},
        [by("user", says("a"), image("AAAA", "image/png")), by("assistant", calls("r", "f", {"x": 1})),
         by("tool", answers("r", {"y": 2}))],
    ),
    "Haystack's answer": (
        {"replies": [{"role": "assistant", "meta": {"model": "m"}, "content": [
            {"text": "a"}, {"tool_call": {"tool_name": "f", "arguments": {"x": 1}, "id": "c"}}]}]},
        [by("assistant", says("a"), calls("c", "f", {"x": 1}))],
    ),
    "ADK": (
        {"model": "m", "config": {"system_instruction": "s", "tools": []}, "contents": [
            {"role": "user", "parts": [{"text": "a"}]}]},
        [by("system", says("s")), by("user", says("a"))],
    ),
    "reasoning beside the content": (
        [{"role": "assistant", "reasoning_content": "t", "content": "a"},
         {"role": "assistant", "reasoning": "u", "content": "b"}],
        [by("assistant", thinks("t"), says("a")), by("assistant", thinks("u"), says("b"))],
    ),
    "Bedrock's image": (
        [{"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": "AAAA"}}}]}],
        [by("user", image("AAAA", "png"))],
    ),
    "an image whose place is no text": (
        [{"role": "user", "content": [{"image": {"source": {"s3Location": {"uri": "s3://b/a"}}}}]}],
        [by("user", {"image": {"source": {"s3Location": {"uri": "s3://b/a"}}}})],
    ),
    "a custom tool's call": (
        [{"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"},
         {"type": "custom_tool_call_output", "call_id": "c", "output": "y"},
         {"type": "message", "role": "assistant", "content": "a"}],
        [by("assistant", calls("c", "f", "x")), by("tool", answers("c", "y")), by("assistant", says("a"))],
    ),
    "an object that a tool answered": (
        [{"role": "tool", "tool_call_id": "c", "content": {"message": "ok", "code": 1}}],
        [by("tool", answers("c", {"message": "ok", "code": 1}))],
    ),
    "items of one's own": ({"items": [{"sku": 1}]}, [by("user", says('{"items":[{"sku":1}]}'))]),
    "content in a string": (
        [{"role": "user", "content": '[{"type": "text", "text": "a"}]'}],
        [by("user", says("a"))],
    ),
    "JSON in a string": (
        json.dumps({"messages": [{"role": "user", "content": "a"}]}),
        [by("user", says("a"))],
    ),
    "a text in quotes": ("a", [by("user", says("a"))]),
    "a list of texts": (["a", "b"], [by("user", says("a"), says("b"))]),
    "an object of one's own": ({"question": "a", "top": 2}, [by("user", says('{"question":"a","top":2}'))]),
    "a role of one's own": ([{"role": 'Critic"', "content": "a"}], [by('critic"', says("a"))]),
    "an item of no kind": ([{"role": "user", "content": "a"}, {"odd": 1}],
                           [by("user", says("a")), by("user", says('{"odd":1}'))]),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_each_providers_messages_are_opentelemetrys(engine: Engine, name: str) -> None:
    """Requests and answers in the shapes of the providers and frameworks give the same kind of message."""
    given_, expected = SHAPES[name]
    assert read(engine, json.dumps(given_, separators=(",", ":"))) == expected


@pytest.mark.parametrize(
    "text", ["hello", '[{"role":', "{", "[1,", "null", "12", "{}", "[" * 5000 + "]" * 5000]
)
def test_what_holds_no_messages_is_one(engine: Engine, text: str) -> None:
    """Text, broken JSON and JSON beyond any depth is one message that says it, of the role given."""
    assert read(engine, text, "assistant") == [by("assistant", says(text))]


def test_messages_in_a_list_of_texts_are_read(engine: Engine) -> None:
    """An attribute may be a list of documents, each a text of its own."""
    told = [by("user", says('say "a"')), by("assistant", calls("c1", "look", {"at": "a"}))]
    assert read(engine, json.dumps([json.dumps(message) for message in told])) == told


def test_half_a_character_leaves_the_rest_whole(engine: Engine) -> None:
    """JavaScript cuts texts within a character, and Python writes numbers that are none: all else is read."""
    cut = r'[{"role":"user","content":"a \ud83d", "score": NaN}, {"role":"user","content":"\ud83d\ude00"}]'
    assert read(engine, cut) == [by("user", says("a ")), by("user", says("😀"))]
    assert read(engine, r"\ud83d: NaN") == [by("user", says(r"\ud83d: NaN"))]


def test_parts_that_were_flattened_as_one_text_are_parts(engine: Engine) -> None:
    """OpenLLMetry writes the parts of a message as the text of its content."""
    given = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://x.test/a"}}]
    flat = [by("user", says(json.dumps(given)), calls("c1", "look", {}))]
    parts = says("a"), {"type": "uri", "modality": "image", "uri": "https://x.test/a"}
    assert read(engine, json.dumps(flat, separators=(",", ":"))) == [
        by("user", *parts, calls("c1", "look", {}))
    ]


def test_a_part_of_geminis_answer_is_a_message(engine: Engine) -> None:
    """A candidate that has not ended yet, as streams tell of it, says what it has so far."""
    told = {"candidates": [{"content": {"role": "model", "parts": [{"text": "a"}]}}]}
    assert read(engine, json.dumps(told), "assistant") == [by("assistant", says("a"))]


@pytest.mark.parametrize("text", ["", "[]"])
def test_nothing_holds_no_message(engine: Engine, text: str) -> None:
    """Where nothing was said there is no message."""
    assert read(engine, text) == []


def test_the_first_thousand_are_read(engine: Engine) -> None:
    """A text of more messages, or a message of more parts, is read up to a thousand."""
    many = [{"role": "user", "content": "a"}] * 1500
    assert len(read(engine, json.dumps(many))) == 1000
    assert len(read(engine, json.dumps([{"role": "user", "content": ["a"] * 1500}]))[0]["parts"]) == 1000


SPOKEN = (
    "role content parts type text message messages choices kwargs data input output tool_calls"
    " function function_call name arguments id tool user ai source image functionCall thinking"
    ' reasoning toolUse system refusal candidates items replies toolRequest bytes config "[{ data:x \\'
)
WORDS = st.sampled_from(SPOKEN.split())
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=10)
@given(st.lists(VALUES.map(json.dumps) | st.text(), min_size=20, max_size=40))
def test_any_text_gives_messages(engine: Engine, texts: list[str]) -> None:
    """Whatever is read, the answer is a JSON list of messages with a role and parts; nothing throws."""
    plain = [text.replace("\0", "").encode("utf8", "replace").decode() for text in texts]
    asked = "select sightline_messages(arrayJoin({texts:Array(String)}), 'user') as found"
    answers = [row["found"] for row in engine.rows(asked, {"texts": plain})]
    assert len(answers) == len(texts)
    for answer in answers:
        for message in json.loads(answer):
            assert isinstance(message["role"], str)
            assert isinstance(message["parts"], list)
