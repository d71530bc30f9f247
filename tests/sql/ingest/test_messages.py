"""Messages that senders spread over attributes and events are whole again when a span is stored."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from otlp_requests import NOW_NS, attributes, insert

from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

Values = dict[str, Any]
Said = list[tuple[str, Values]]
Rows = dict[str, Values]


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
CALLED = {
    "openinference.span.kind": "LLM",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.contents.0.message_content.type": "text",
    "llm.output_messages.0.message.contents.0.message_content.text": "Let me look.",
    "llm.output_messages.0.message.contents.1.message_content.type": "tool_use",
    "llm.output_messages.0.message.contents.1.tool_call.id": "toolu_7",
    "llm.output_messages.0.message.tool_calls.0.tool_call.id": "toolu_7",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "look",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '[{"type": "tool_call"}]',
}
OPENLLMETRY = {
    "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Weather?",
    "gen_ai.prompt.1.role": "tool", "gen_ai.prompt.1.tool_call_id": "call_1",
    "gen_ai.prompt.1.content": "19 degrees",
    "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.finish_reason": "tool_calls",
    "gen_ai.completion.0.tool_calls.0.id": "call_2",
    "gen_ai.completion.0.tool_calls.0.name": "weather",
    "gen_ai.completion.0.tool_calls.0.arguments": '{"city":"Lisbon"}',
    "llm.request.functions.0.name": "weather", "llm.request.functions.0.description": "now",
    "llm.request.functions.0.parameters": '{"type":"object"}',
}  # fmt: skip
LISTS: dict[str, tuple[str, list[Any]]] = {
    "llm.prompts.0.prompt.text": ("input", [message("user", text("x"))]),
    "llm.choices.0.completion.text": ("output", [message("assistant", text("x"))]),
    "retrieval.documents.0.document.content": ("output", [{"content": "x"}]),
    "reranker.input_documents.0.document.id": ("input", [{"id": "x"}]),
    "reranker.output_documents.0.document.id": ("output", [{"id": "x"}]),
    "embedding.embeddings.0.embedding.text": ("input", [{"text": "x"}]),
}
STRANGE = (
    "llm.input_messages.0.message.mood",
    "llm.input_messages.x.message.role",
    "llm.input_messages.0.message.contents.0.message_content.image.image.url.again",
    "gen_ai.prompt.1234567.content",
    "embedding.embeddings.0.embedding.vector",
    "llm.output_messages.0.message.role",
    "my.documents.are.here",
)
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
TOLD: dict[str, tuple[Said, list[Any], list[Any], str]] = {
    "strands": (
        STRANDS, [message("system", text("Be brief.")), *ASKED],
        [message("assistant", text("Now."), CALL, finish_reason="tool_use")], "tool_use",
    ),
    "azure": (AZURE, ASKED, [message("assistant", text("Rain."), finish_reason="stop")], "stop"),
    "old": (OLD, ASKED, [message("assistant", text("Rain."))], ""),
    "details": (DETAILS, ASKED, [message("assistant", text("Rain."), finish_reason="stop")], ""),
}  # fmt: skip
SEVERAL: dict[str, tuple[list[Said], list[Said]]] = {
    "details, azure, old": ([DETAILS], [AZURE, OLD]),
    "azure, old": ([AZURE], [OLD]),
    "details of the answer, old": (
        [[(DETAILS[0][0], {"gen_ai.output.messages": "[yes]"})], OLD[:1]],
        [OLD[1:]],
    ),
}
"""Events of several conventions on one span: those that tell it, and those that tell it once more."""
ODD = '"\\\x01\x02\n</script>'
DOCUMENT = "retrieval.documents.0.document."
SPANS: dict[str, tuple[Values, Said]] = {
    "openinference": (OPENINFERENCE, []),
    "openinference's call": (CALLED, []),
    "openllmetry": (OPENLLMETRY, []),
    "unordered": ({f"llm.input_messages.{n}.message.content": f"said {n}" for n in (10, 2, 9, 0, 11, 1)}, []),
    **{key: ({key: "x"}, []) for key in (*LISTS, *STRANGE)},
    "document": (
        {f"{DOCUMENT}id": "d", f"{DOCUMENT}score": 0.5, f"{DOCUMENT}metadata": '{"page": 1}'}, []
    ),
    "whole and flattened": ({"gen_ai.prompt": "[whole]", "gen_ai.prompt.0.content": "flattened"}, []),
    **{who: ({"gen_ai.operation.name": "chat"}, events) for who, (events, *_) in TOLD.items()},
    **{
        who: ({"gen_ai.operation.name": "chat"}, list(chain(*again, *told)))
        for who, (told, again) in SEVERAL.items()
    },
    "attributes and events": (
        {"gen_ai.input.messages": "[asked]", "gen_ai.response.finish_reasons": ["stop"]}, STRANDS
    ),
    "hostile": (
        {f"llm.input_messages.{n}.message.content": ODD for n in range(3000)}
        | {"gen_ai.completion.0.content": ""},
        [("gen_ai.choice", {"message": "[" * 2000}), ("gen_ai.user.message", {})],
    ),
}  # fmt: skip
"""Attributes and events of each span here."""


def read(engine: Engine, said: str) -> list[Any]:
    """The messages in a text, as people read them."""
    answer = engine.value("select sightline_messages({said:String}, 'user')", {"said": said})
    found: list[Any] = json.loads(answer)
    return found


def held(text: str, whole: dict[str, Any]) -> bool:
    """Whether a message holds what an event's attribute said: as one of its values, or as itself."""
    try:
        sent = json.loads(text)
    except ValueError:
        sent = text
    parts = sent if isinstance(sent, list) else [sent]
    return text in whole.values() or all(
        each == whole or (isinstance(each, dict) and each.items() <= whole.items()) for each in parts
    )


def span(name: str) -> Span:
    """One of SPANS, under its name."""
    values, events = SPANS[name]
    return Span(
        trace_id=b"\x01" * 16, span_id=b"\x02" * 8, name=name, start_time_unix_nano=NOW_NS - 1000,
        end_time_unix_nano=NOW_NS, attributes=attributes(values),
        events=[Span.Event(name=event, attributes=attributes(pairs)) for event, pairs in events],
    )  # fmt: skip


@pytest.fixture(scope="module")
def rows(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What each span is stored with when all come in one segment, by its name."""
    spans = ScopeSpans(spans=map(span, SPANS))
    body = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[spans])])
    file = tmp_path_factory.mktemp("messages") / "segment"
    insert(engine, Signal.TRACES, [(body, len(SPANS))], file, batch=1)
    asked = "input, input_key, output, output_key, attributes, events, finish_reason"
    return {row["name"]: row for row in engine.rows(f"select name, {asked} from spans_v1")}


def test_openinference_messages_are_rebuilt(rows: Rows) -> None:
    """OpenInference's flattened messages come before input.value, and leave the attributes."""
    row = rows["openinference"]
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


def test_a_call_among_the_contents_is_told_once(rows: Rows) -> None:
    """OpenInference's Anthropic says a call among the contents and among the calls: it is one part."""
    row = rows["openinference's call"]
    call = {"type": "tool_call", "id": "toolu_7", "name": "look", "arguments": [{"type": "tool_call"}]}
    assert json.loads(row["output"]) == [message("assistant", text("Let me look."), call)]
    assert set(row["attributes"]) == {
        "openinference.span.kind", "llm.output_messages.0.message.contents.1.tool_call.id"
    }  # fmt: skip


def test_openllmetry_messages_are_rebuilt(rows: Rows) -> None:
    """OpenLLMetry's prompts and completions are messages; the finish reasons stay attributes too."""
    row = rows["openllmetry"]
    assert json.loads(row["input"]) == [
        message("user", text("Weather?")),
        message("tool", {"type": "tool_call_response", "id": "call_1", "response": "19 degrees"}),
    ]
    call = {"type": "tool_call", "id": "call_2", "name": "weather", "arguments": {"city": "Lisbon"}}
    assert json.loads(row["output"]) == [message("assistant", call, finish_reason="tool_calls")]
    functions = json.loads(row["attributes"].pop("llm.request.functions"))
    assert functions == [{"name": "weather", "description": "now", "parameters": {"type": "object"}}]
    assert row["attributes"] == {"gen_ai.completion.0.finish_reason": "tool_calls"}


def test_messages_are_ordered_by_number(rows: Rows) -> None:
    """Message 10 comes after message 9, whatever order the attributes came in."""
    assert json.loads(rows["unordered"]["input"]) == [
        message("user", text(f"said {n}")) for n in (0, 1, 2, 9, 10, 11)
    ]


@pytest.mark.parametrize("key", LISTS)
def test_other_lists_are_whole_again(rows: Rows, key: str) -> None:
    """Completions are messages of the role that speaks there; documents and texts are lists of objects."""
    column, expected = LISTS[key]
    assert json.loads(rows[key][column]) == expected
    assert rows[key]["attributes"] == {}


def test_a_document_keeps_its_score_and_metadata(rows: Rows) -> None:
    """Numbers and JSON in flattened documents are numbers and JSON in the list."""
    assert json.loads(rows["document"]["output"]) == [{"id": "d", "score": 0.5, "metadata": {"page": 1}}]


@pytest.mark.parametrize("key", STRANGE)
def test_what_is_not_known_stays(rows: Rows, key: str) -> None:
    """A key that only looks like a message's stays where it is, and so does a message that says nothing."""
    row = rows[key]
    assert (row["input"], row["output"], row["attributes"]) == ("", "", {key: "x"})


def test_a_list_under_its_own_name_wins(rows: Rows) -> None:
    """Who sends the list whole and flattened keeps all of it: nothing is overwritten."""
    row = rows["whole and flattened"]
    assert row["input"] == "[whole]"
    assert row["attributes"] == {"gen_ai.prompt.0.content": "flattened"}


@pytest.mark.parametrize("who", TOLD)
def test_messages_in_events_are_rebuilt(engine: Engine, rows: Rows, who: str) -> None:
    """Events of a model call give its input, its output and its finish reason."""
    row, (_, asked, answered, finish) = rows[who], TOLD[who]
    assert (row["input_key"], row["output_key"]) == ("span_events.input", "span_events.output")
    assert (read(engine, row["input"]), read(engine, row["output"])) == (asked, answered)
    assert row["finish_reason"] == finish


@pytest.mark.parametrize("who", TOLD)
def test_what_events_tell_is_stored_once_as_it_was_sent(rows: Rows, who: str) -> None:
    """Their texts are in the span's input and output and nowhere else; the rest of each event stays."""
    row, (events, *_) = rows[who], TOLD[who]
    for (name, sent), kept in zip(events, row["events"], strict=True):
        assert kept["name"] == name
        moved = {key: text for key, text in sent.items() if key not in kept["attributes"]}
        assert moved or name == "a stranger's"
        for text in moved.values():
            whole = json.loads(row["input"]) + json.loads(row["output"])
            assert any(held(text, each) for each in whole), text


@pytest.mark.parametrize("who", SEVERAL)
def test_the_newest_convention_tells_a_direction(engine: Engine, rows: Rows, who: str) -> None:
    """Each message is told once; the events that would tell it again stay as they are."""
    row, (told, again) = rows[who], SEVERAL[who]
    assert len(read(engine, row["input"])) == len(read(engine, row["output"])) == 1
    repeated = list(chain(*again))
    kept = [(event["name"], event["attributes"]) for event in row["events"]]
    assert kept[: len(repeated)] == repeated
    moved = zip(chain(*told), kept[len(repeated) :], strict=True)
    assert all(after[1].items() < sent[1].items() for sent, after in moved)


def test_attributes_come_before_events(rows: Rows) -> None:
    """What a span's attributes say already is not read from its events again."""
    row = rows["attributes and events"]
    assert (row["input"], row["output_key"]) == ("[asked]", "span_events.output")
    assert row["finish_reason"] == "stop"
    kept = [event["attributes"] for event in row["events"]]
    assert kept == [sent if name != "gen_ai.choice" else {} for name, sent in STRANDS]
    assert "span_events.input" not in row["attributes"]


def test_hostile_messages_are_rows(rows: Rows) -> None:
    """Thousands of flattened keys, broken JSON and odd bytes make a row like any other."""
    row = rows["hostile"]
    assert [m["parts"][0]["content"] for m in json.loads(row["input"])] == [ODD] * 3000
    assert json.loads(row["output"]) == [message("assistant", text(""))]
    told = json.loads(row["attributes"]["span_events.output"])
    assert told == [{"role": "assistant", "message": "[" * 2000}]
