"""Answers as they come in: any JSON, in any pieces."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sdk.conversation import said_by
from sdk.conversations import CONVERSATIONS
from sdk.nonsense import documents
from sdk.openai_conversations import OPENAI
from sdk.other_conversations import ANTHROPIC, GOOGLE

from sightline._answer import Answer


@given(st.lists(documents, max_size=4), documents)
def test_no_json_does_harm(events: list[Any], whole: Any) -> None:
    """Whatever a server sends, nothing fails, no count is negative, and all is text or a number."""
    answer = Answer(0)
    for at_ns, event in enumerate(events):
        answer.chunk(event, at_ns)
    answer.response(whole)
    values = said_by(answer, whole)
    assert all(count >= 0 for name, count in values.items() if "_tokens" in name)
    assert all(isinstance(value, str | int | float | tuple) for value in values.values())


@pytest.mark.parametrize("name", CONVERSATIONS)
@given(st.data())
def test_no_part_of_an_answer_is_missed_by_what_is_wrong_beside_it(name: str, data: Any) -> None:
    """An event with one field of nonsense does no harm to a known conversation."""
    events = [dict(event) for event in CONVERSATIONS[name].events]
    event = data.draw(st.sampled_from(events))
    event[data.draw(st.sampled_from(sorted(event)))] = data.draw(documents)
    answer = Answer(0)
    for at_ns, each in enumerate(events):
        answer.chunk(each, at_ns)
    assert all(count >= 0 for key, count in said_by(answer).items() if "_tokens" in key)


def openai_piece(text: str) -> dict[str, Any]:
    return {"id": "c1", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}


def anthropic_piece(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": text}}


def google_piece(text: str) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [{"text": text}]}}]}


@pytest.mark.parametrize(
    ("piece", "ending"),
    [
        (openai_piece, OPENAI.events[-2:]),
        (anthropic_piece, ANTHROPIC.events[-2:]),
        (google_piece, GOOGLE.events[:1]),
        (str, OPENAI.events[-1:]),
    ],
    ids=["openai", "anthropic", "google", "bare text"],
)
@given(texts=st.lists(st.text(max_size=9), min_size=1, max_size=6))
def test_however_a_text_is_cut_it_is_the_same_answer(piece: Any, ending: Any, texts: list[str]) -> None:
    """Chunks are of no meaning: text, usage and finish reason are those of the whole."""
    whole, cut = Answer(0), Answer(0)
    for at_ns, text in enumerate(texts):
        cut.chunk(piece(text), at_ns)
    whole.chunk(piece("".join(texts)), 0)
    for event in ending:
        whole.chunk(event, 9)
        cut.chunk(event, 9)
    assert (cut.text(), cut.usage, cut.finished) == (whole.text(), whole.usage, whole.finished)
    written = "gen_ai.output.messages"
    assert said_by(cut).get(written) == said_by(whole).get(written)


@given(st.text(min_size=1, max_size=30), st.lists(st.integers(0, 30), max_size=4))
def test_arguments_of_a_tool_may_be_cut_anywhere(city: str, cuts: list[int]) -> None:
    """The fragments of a tool call's arguments are put together before they are read."""
    arguments = json.dumps({"city": city})
    edges = [0, *sorted(min(cut, len(arguments)) for cut in cuts), len(arguments)]
    answer = Answer(0)
    block = {"type": "tool_use", "id": "t1", "name": "weather", "input": {}}
    answer.chunk({"type": "content_block_start", "index": 0, "content_block": block}, 5)
    for start, end in pairwise(edges):
        delta = {"type": "input_json_delta", "partial_json": arguments[start:end]}
        answer.chunk({"type": "content_block_delta", "index": 0, "delta": delta}, 6)
    (message,) = json.loads(said_by(answer)["gen_ai.output.messages"])
    sendable = city.encode("utf-8", "replace").decode()
    assert message["parts"] == [
        {"type": "tool_call", "id": "t1", "name": "weather", "arguments": {"city": sendable}}
    ]
    assert answer.first_token_ns == 5


@pytest.mark.parametrize(
    ("event", "is_content"),
    [
        ({"choices": [{"delta": {"role": "assistant", "content": ""}}]}, False),
        ({"choices": [{"delta": {"reasoning_content": "hm"}}]}, False),
        ({"choices": [{"delta": {"refusal": "No."}}]}, True),
        (
            {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]}}]},
            True,
        ),
        ({"type": "ping"}, False),
        (ANTHROPIC.events[0], False),
        ({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}, False),
        ({"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "hm"}}, False),
        ({"type": "response.refusal.delta", "delta": "No."}, True),
        ({"type": "response.output_item.added", "item": {"type": "function_call", "name": "f"}}, True),
        ({"type": "response.output_text.delta", "delta": ""}, False),
        ({"contentBlockStart": {"start": {"toolUse": {"toolUseId": "c", "name": "f"}}}}, True),
        ({"type": "tool-call-start", "delta": {"message": {"tool_calls": {"id": "c"}}}}, True),
        ({"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {}}}]}}]}, True),
        ("", False),
        ("H", True),
    ],
)
def test_the_first_token_is_the_first_of_the_answer(event: Any, is_content: bool) -> None:
    """Words, a refusal or the beginning of a tool call; no role, no ping, no empty piece, no thought."""
    answer = Answer(0)
    answer.chunk(event, 7)
    assert (answer.first_chunk_ns, answer.first_token_ns) == (7, 7 if is_content else None)


def test_thoughts_that_are_counted_apart_do_not_slow_the_answer() -> None:
    """Speed is that of visible tokens; thoughts that nobody counted are visible ones, with their time."""

    def speed(details: dict[str, int]) -> float:
        answer = Answer(0)
        answer.chunk({"choices": [{"delta": {"reasoning_content": "hm"}}]}, 10**9)
        answer.chunk(openai_piece("Hello"), 2 * 10**9)
        answer.chunk(openai_piece(" there"), 3 * 10**9)
        usage = {"prompt_tokens": 1, "completion_tokens": 101, "completion_tokens_details": details}
        answer.chunk({"choices": [], "usage": usage}, 4 * 10**9)
        return float(said_by(answer)["sightline.tokens_per_second"])

    assert speed({"reasoning_tokens": 80}) == 20
    assert speed({}) == 50
