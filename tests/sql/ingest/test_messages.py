"""Messages that senders spread over attributes and events are whole again when a span is stored."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from otlp_requests import NOW_NS, attributes, insert

from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

batches = itertools.count(1)
Said = list[tuple[str, dict[str, Any]]]


def stored(engine: Engine, tmp_path: Path, values: Any, events: Said | None = None) -> dict[str, Any]:
    """Input, output and what else a span with these attributes and events is stored with."""
    told = [Span.Event(name=name, attributes=attributes(pairs)) for name, pairs in events or []]
    span = Span(
        trace_id=b"\x01" * 16, span_id=b"\x02" * 8, name="chat", start_time_unix_nano=NOW_NS - 1000,
        end_time_unix_nano=NOW_NS, attributes=attributes(values), events=told,
    )  # fmt: skip
    body = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])])
    batch = next(batches)
    insert(engine, Signal.TRACES, [(body, 1)], tmp_path / "segment", batch=batch)
    asked = "input, input_key, output, output_key, attributes, finish_reason"
    (row,) = engine.rows(f"select {asked} from spans_v1 where batch = {batch}")
    return row


def message(role: str, *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A message of OpenTelemetry's."""
    return {"role": role, "parts": list(parts), **more}


def text(said: str) -> dict[str, Any]:
    """A part that says something."""
    return {"type": "text", "content": said}


OPENINFERENCE = {
    "openinference.span.kind": "LLM", "llm.model_name": "gpt-4o", "input.value": "{}", "output.value": "{}",
    "llm.input_messages.0.message.role": "system", "llm.input_messages.0.message.content": "Be brief.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "What is this?",
    "llm.input_messages.1.message.contents.1.message_content.type": "image",
    "llm.input_messages.1.message.contents.1.message_content.image.image.url": "https://shop.test/a.png",
    "llm.input_messages.2.message.role": "assistant",
    "llm.input_messages.2.message.tool_calls.0.tool_call.id": "call_1",
    "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "look",
    "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments": '{"at": "a.png"}',
    "llm.input_messages.2.message.tool_calls.1.tool_call.id": "call_2",
    "llm.input_messages.2.message.tool_calls.1.tool_call.function.name": "stop",
    "llm.input_messages.2.message.tool_calls.1.tool_call.function.arguments": "no JSON",
    "llm.input_messages.3.message.role": "tool", "llm.input_messages.3.message.tool_call_id": "call_1",
    "llm.input_messages.3.message.content": "a harbour",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.contents.0.message_content.type": "reasoning",
    "llm.output_messages.0.message.contents.0.message_content.text": "Ships.",
    "llm.output_messages.0.message.contents.1.message_content.type": "text",
    "llm.output_messages.0.message.contents.1.message_content.text": "A harbour.",
}  # fmt: skip


def test_openinference_messages_are_rebuilt(engine: Engine, tmp_path: Path) -> None:
    """OpenInference's flattened messages come before input.value, and leave the attributes."""
    row = stored(engine, tmp_path, OPENINFERENCE)
    assert (row["input_key"], row["output_key"]) == ("llm.input_messages", "llm.output_messages")
    assert json.loads(row["input"]) == [
        message("system", text("Be brief.")),
        message(
            "user", text("What is this?"),
            {"type": "uri", "modality": "image", "uri": "https://shop.test/a.png"},
        ),
        message(
            "assistant",
            {"type": "tool_call", "id": "call_1", "name": "look", "arguments": {"at": "a.png"}},
            {"type": "tool_call", "id": "call_2", "name": "stop", "arguments": "no JSON"},
        ),
        message("tool", {"type": "tool_call_response", "id": "call_1", "response": "a harbour"}),
    ]  # fmt: skip
    assert json.loads(row["output"]) == [
        message("assistant", {"type": "reasoning", "content": "Ships."}, text("A harbour."))
    ]
    assert row["attributes"] == {k: v for k, v in OPENINFERENCE.items() if "_messages." not in k}


def test_openllmetry_messages_are_rebuilt(engine: Engine, tmp_path: Path) -> None:
    """OpenLLMetry's prompts and completions are messages; the finish reasons stay attributes too."""
    row = stored(
        engine, tmp_path,
        {
            "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Weather?",
            "gen_ai.prompt.1.role": "tool", "gen_ai.prompt.1.tool_call_id": "call_1",
            "gen_ai.prompt.1.content": "19 degrees",
            "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.finish_reason": "tool_calls",
            "gen_ai.completion.0.tool_calls.0.id": "call_2",
            "gen_ai.completion.0.tool_calls.0.name": "weather",
            "gen_ai.completion.0.tool_calls.0.arguments": '{"city":"Lisbon"}',
            "llm.request.functions.0.name": "weather", "llm.request.functions.0.description": "now",
            "llm.request.functions.0.parameters": '{"type":"object"}',
        },
    )  # fmt: skip
    assert json.loads(row["input"]) == [
        message("user", text("Weather?")),
        message("tool", {"type": "tool_call_response", "id": "call_1", "response": "19 degrees"}),
    ]
    call = {"type": "tool_call", "id": "call_2", "name": "weather", "arguments": {"city": "Lisbon"}}
    assert json.loads(row["output"]) == [message("assistant", call, finish_reason="tool_calls")]
    functions = json.loads(row["attributes"].pop("llm.request.functions"))
    assert functions == [{"name": "weather", "description": "now", "parameters": {"type": "object"}}]
    assert row["attributes"] == {"gen_ai.completion.0.finish_reason": "tool_calls"}


def test_messages_are_ordered_by_number(engine: Engine, tmp_path: Path) -> None:
    """Message 10 comes after message 9, whatever order the attributes came in."""
    given = {f"llm.input_messages.{n}.message.content": f"said {n}" for n in (10, 2, 9, 0, 11, 1)}
    row = stored(engine, tmp_path, given)
    assert json.loads(row["input"]) == [message("user", text(f"said {n}")) for n in (0, 1, 2, 9, 10, 11)]


@pytest.mark.parametrize(
    ("key", "column", "expected"),
    [
        ("llm.prompts.0.prompt.text", "input", [message("user", text("x"))]),
        ("llm.choices.0.completion.text", "output", [message("assistant", text("x"))]),
        ("retrieval.documents.0.document.content", "output", [{"content": "x"}]),
        ("reranker.input_documents.0.document.id", "input", [{"id": "x"}]),
        ("reranker.output_documents.0.document.id", "output", [{"id": "x"}]),
        ("embedding.embeddings.0.embedding.text", "input", [{"text": "x"}]),
    ],
)
def test_other_lists_are_whole_again(
    engine: Engine, tmp_path: Path, key: str, column: str, expected: Any
) -> None:
    """Completions are messages of the role that speaks there; documents and texts are lists of objects."""
    row = stored(engine, tmp_path, {key: "x"})
    assert json.loads(row[column]) == expected
    assert row["attributes"] == {}


def test_a_document_keeps_its_score_and_metadata(engine: Engine, tmp_path: Path) -> None:
    """Numbers and JSON in flattened documents are numbers and JSON in the list."""
    one = "retrieval.documents.0.document."
    given = {f"{one}id": "d", f"{one}score": 0.5, f"{one}metadata": '{"page": 1}'}
    row = stored(engine, tmp_path, given)
    assert json.loads(row["output"]) == [{"id": "d", "score": 0.5, "metadata": {"page": 1}}]


@pytest.mark.parametrize(
    "key",
    [
        "llm.input_messages.0.message.mood",
        "llm.input_messages.x.message.role",
        "llm.input_messages.0.message.contents.0.message_content.image.image.url.again",
        "gen_ai.prompt.1234567.content",
        "embedding.embeddings.0.embedding.vector",
        "llm.output_messages.0.message.role",
        "my.documents.are.here",
    ],
)
def test_what_is_not_known_stays(engine: Engine, tmp_path: Path, key: str) -> None:
    """A key that only looks like a message's stays where it is, and so does a message that says nothing."""
    row = stored(engine, tmp_path, {key: "x"})
    assert (row["input"], row["output"], row["attributes"]) == ("", "", {key: "x"})


def test_a_list_under_its_own_name_wins(engine: Engine, tmp_path: Path) -> None:
    """Who sends the list whole and flattened keeps all of it: nothing is overwritten."""
    given = {"gen_ai.prompt": "[whole]", "gen_ai.prompt.0.content": "flattened"}
    row = stored(engine, tmp_path, given)
    assert row["input"] == "[whole]"
    assert row["attributes"] == {"gen_ai.prompt.0.content": "flattened"}


STRANDS: Said = [
    ("gen_ai.system.message", {"content": "Be brief."}),
    ("gen_ai.user.message", {"content": '[{"text": "Weather?"}]'}),
    ("a stranger's", {"content": "not a message"}),
    ("gen_ai.choice", {
        "message":
            '[{"text": "Now."}, {"toolUse": {"toolUseId": "t", "name": "w", "input": {"c": 1}}}]',
        "finish_reason": "tool_use"}),
]  # fmt: skip
AZURE: Said = [
    ("gen_ai.user.message", {"gen_ai.event.content": '{"role": "user", "content": "Weather?"}'}),
    ("gen_ai.choice", {"gen_ai.event.content": '{"message": {"content": "Rain."}, "finish_reason": "stop"}'}),
]
OLD: Said = [
    ("gen_ai.content.prompt", {"gen_ai.prompt": '[{"role": "user", "content": "Weather?"}]'}),
    ("gen_ai.content.completion", {"gen_ai.completion": "Rain."}),
]
DETAILS: Said = [
    ("gen_ai.client.inference.operation.details", {
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Weather?"}]}]',
        "gen_ai.output.messages": '[{"role": "assistant", "finish_reason": "stop",'
            ' "parts": [{"type": "text", "content": "Rain."}]}]'}),
]  # fmt: skip
ASKED = [message("user", text("Weather?"))]
CALL = {"type": "tool_call", "id": "t", "name": "w", "arguments": {"c": 1}}


@pytest.mark.parametrize(
    ("events", "asked", "answered", "finish"),
    [
        (STRANDS, [message("system", text("Be brief.")), *ASKED],
         [message("assistant", text("Now."), CALL, finish_reason="tool_use")], "tool_use"),
        (AZURE, ASKED, [message("assistant", text("Rain."), finish_reason="stop")], "stop"),
        (OLD, ASKED, [message("assistant", text("Rain."))], ""),
        (DETAILS, ASKED, [message("assistant", text("Rain."), finish_reason="stop")], ""),
    ],
    ids=["strands", "azure", "old", "details"],
)  # fmt: skip
def test_messages_in_events_are_rebuilt(
    engine: Engine, tmp_path: Path, events: Said, asked: Any, answered: Any, finish: str
) -> None:
    """Events of a model call give its input, its output and its finish reason."""
    row = stored(engine, tmp_path, {"gen_ai.operation.name": "chat"}, events)
    assert (row["input_key"], row["output_key"]) == ("span_events.input", "span_events.output")
    assert (json.loads(row["input"]), json.loads(row["output"])) == (asked, answered)
    assert row["finish_reason"] == finish


def test_attributes_come_before_events(engine: Engine, tmp_path: Path) -> None:
    """What a span's attributes say already is not read from its events again."""
    given = {"gen_ai.input.messages": "[asked]", "gen_ai.response.finish_reasons": ["stop"]}
    row = stored(engine, tmp_path, given, STRANDS)
    assert (row["input"], row["output_key"]) == ("[asked]", "span_events.output")
    assert row["finish_reason"] == "stop"
    assert "span_events.input" not in row["attributes"]


def test_hostile_messages_are_rows(engine: Engine, tmp_path: Path) -> None:
    """Thousands of flattened keys, broken JSON and odd bytes make a row like any other."""
    many = {f"llm.input_messages.{n}.message.content": '"\\\x01\x02\n</script>' for n in range(3000)}
    events: Said = [("gen_ai.choice", {"message": "[" * 2000}), ("gen_ai.user.message", {})]
    row = stored(engine, tmp_path, many | {"gen_ai.completion.0.content": ""}, events)
    assert [m["parts"][0]["content"] for m in json.loads(row["input"])] == ['"\\\x01\x02\n</script>'] * 3000
    assert json.loads(row["output"]) == [message("assistant", text(""))]
    told = json.loads(row["attributes"]["span_events.output"])
    assert told == [message("assistant", text("[" * 2000))]
