"""Model calls made by hand: what their spans say."""

import asyncio
import json
from enum import Enum, StrEnum
from numbers import Integral
from types import SimpleNamespace
from typing import Any

import pytest
from sdk.servers import HELLO, ROLE, STOP, THERE, USAGE_ONLY, completion

import sightline
from sightline import testing
from sightline.testing import Captured
from sightline.usage import Usage

MESSAGES = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}]


def objects(value: Any) -> Any:
    """The client's objects of the same JSON."""
    return json.loads(json.dumps(value), object_hook=lambda pairs: SimpleNamespace(**pairs))


IMAGE = {"type": "blob", "modality": "image", "mime_type": "image/png"}
REQUEST = {
    "sightline.operation": "llm",
    "sightline.stage": "model_inference",
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
}
SENT = (
    '[{"role":"system","parts":[{"type":"text","content":"be brief"}]},'
    '{"role":"user","parts":[{"type":"text","content":"hello"}]}]'
)
ANSWERED = {
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 50,
    "gen_ai.usage.cache_read.input_tokens": 800,
    "gen_ai.usage.reasoning.output_tokens": 30,
    "gen_ai.input.messages": SENT,
    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hello there"}],'
    '"finish_reason":"stop"}]',
    "sightline.cost_usd": "0.00012",
}


@pytest.mark.parametrize("shape", [dict, objects], ids=["json", "objects"])
def test_a_whole_response_gives_a_whole_span(seen: Captured, shape: Any) -> None:
    """A chat completion, as JSON or as the client's object, fills everything in."""
    with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages=MESSAGES) as call:
        call.record(shape(completion()))
    (span,) = seen.spans
    assert (span.name, span.kind, span.status) == ("chat gpt-4o-mini", "client", "unset")
    assert span.attributes == REQUEST | ANSWERED


@pytest.mark.parametrize("shape", [dict, objects], ids=["json", "objects"])
def test_a_stream_is_timed_by_its_first_content(seen: Captured, shape: Any) -> None:
    """The role chunk is the first chunk, not the first token; usage comes with the last chunk."""
    with sightline.llm_call(provider="openai", model="gpt-4o-mini", stream=True) as call:
        for piece in (ROLE, HELLO, THERE, STOP, USAGE_ONLY):
            call.chunk(shape(piece))
    values = seen.spans[0].attributes
    assert values["gen_ai.response.time_to_first_chunk"] == 0.001
    assert values["sightline.time_to_first_token"] == 0.002
    assert values["sightline.tokens_per_second"] == pytest.approx(19 / 0.001)  # 20 visible tokens in one tick
    assert values["gen_ai.request.stream"] is True
    assert values["sightline.cost_usd"] == "0.00012"
    assert "sightline.usage.estimated" not in values
    assert json.loads(values["gen_ai.output.messages"])[0]["parts"][0]["content"] == "Hello there"


def test_tool_calls_in_pieces_are_put_together(seen: Captured) -> None:
    """The arguments of a streamed tool call arrive in fragments and are recorded whole."""

    def piece(**function: str) -> dict[str, Any]:
        call = {"index": 0, "function": function, **({"id": "c1"} if "name" in function else {})}
        return {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}

    with sightline.llm_call(provider="openai", model="gpt-4o-mini") as call:
        call.chunk(piece(name="search", arguments=""))
        call.chunk(piece(arguments='{"q":'))
        call.chunk(piece(arguments='"x"}'))
    values = seen.spans[0].attributes
    (part,) = json.loads(values["gen_ai.output.messages"])[0]["parts"]
    assert part == {"type": "tool_call", "id": "c1", "name": "search", "arguments": {"q": "x"}}
    assert values["sightline.time_to_first_token"] == 0.001


def test_usage_may_be_said_by_hand(seen: Captured) -> None:
    """Any provider's counts can be recorded, and are priced like all others."""
    with sightline.llm_call(provider="anthropic", model="claude-sonnet-4-5") as call:
        call.record_usage(
            input_tokens=18495, output_tokens=445, cache_read_tokens=16399, cache_write_tokens=2089
        )
        assert call.usage == Usage(18495, 445, 16399, 2089)
    assert seen.spans[0].attributes["sightline.cost_usd"] == "0.01944945"


@Integral.register
class Whole:
    """A whole number as numpy's are: no int, but known to be one."""

    def __init__(self, value: int) -> None:
        self._value = value

    def __int__(self) -> int:
        return self._value


def test_counts_of_other_libraries_are_counts_and_nonsense_is_none(
    seen: Captured, caplog: pytest.LogCaptureFixture
) -> None:
    """A whole number of any kind is taken; what is no count is left out, with one warning."""
    wrong: Any = ("5", -3, True)
    with sightline.llm_call(provider="openai", model="gpt-4o-mini") as call:
        call.record_usage(input_tokens=Whole(5), output_tokens=2)  # type: ignore[arg-type]
        assert (call.usage, type(call.usage.input_tokens)) == (Usage(5, 2), int)
        for given in wrong:
            call.record_usage(input_tokens=given, output_tokens=2)
            assert call.usage == Usage(None, 2)
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("record_usage() takes whole numbers, 0 or more; a str was left out")


class Model(Enum):
    SMALL = "gpt-4o-mini"


class Named(StrEnum):
    OPENAI = "openai"


class Nameless:
    def __str__(self) -> str:
        raise RuntimeError


def test_a_model_may_be_named_by_an_enumeration(seen: Captured) -> None:
    """Its value is the name: it is on the span, and priced."""
    with sightline.llm_call(provider=Named.OPENAI, model=Model.SMALL) as call:  # type: ignore[arg-type]
        call.record_usage(input_tokens=1_000, output_tokens=50)
    (span,) = seen.spans
    assert (span.name, span.attributes["gen_ai.request.model"]) == ("chat gpt-4o-mini", "gpt-4o-mini")
    assert span.attributes["sightline.cost_usd"] == "0.00018"


def test_a_model_whose_name_cannot_be_told_is_called_all_the_same(
    seen: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails to say its name is named by its type; the program goes on."""
    monkeypatch.delenv("SIGHTLINE_STRICT")
    with sightline.llm_call(provider="openai", model=Nameless()):  # type: ignore[arg-type]
        pass
    assert seen.spans[0].attributes["gen_ai.request.model"] == "Nameless"
    sightline._safety.forget_faults()


def test_an_open_call_may_be_named_and_scored(seen: Captured) -> None:
    """`traceparent` and `score` take the call itself; the score is on its span, too."""
    with sightline.llm_call(provider="openai", model="gpt-4o-mini") as call:
        sightline.score("brevity", 0.5, target=call)
    assert sightline.traceparent(call) == call.traceparent() != ""
    assert seen.spans[0].attributes["sightline.score.brevity"] == 0.5


def test_missing_usage_is_estimated_and_marked(seen: Captured) -> None:
    """Without a vocabulary four bytes are a token; each message adds three, and the answer three."""
    with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages=MESSAGES) as call:
        call.record("twelve chars")
    values = seen.spans[0].attributes
    assert values["gen_ai.usage.input_tokens"] == 2 + 2 + 3 + 3 + 3
    assert values["gen_ai.usage.output_tokens"] == 3
    assert values["sightline.usage.estimated"] is True
    assert values["sightline.cost_usd"] == "0.00000375"


def test_a_stream_broken_off_by_an_error_still_has_tokens_and_cost(seen: Captured) -> None:
    """What was generated before the failure was paid for."""

    def break_off() -> None:
        with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages="hello") as call:
            call.chunk("Hello")
            raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        break_off()
    (span,) = seen.spans
    assert (span.status, span.attributes["error.type"]) == ("error", "ConnectionError")
    assert span.attributes["gen_ai.usage.output_tokens"] == 2
    assert "sightline.cost_usd" in span.attributes


def test_a_refused_call_has_neither_usage_nor_cost(seen: Captured) -> None:
    """A call that failed before any answer is no estimate and no unpriced call."""

    def refused() -> None:
        with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages="hello"):
            raise TimeoutError

    with pytest.raises(TimeoutError):
        refused()
    assert {name for name in seen.spans[0].attributes if "usage" in name or "cost" in name} == set()


def test_an_unpriced_call_says_why(seen: Captured) -> None:
    """An unknown model has no cost, and the reason is on the span."""
    with sightline.llm_call(provider="openai", model="my-finetune") as call:
        call.record_usage(input_tokens=1, output_tokens=1)
    values = seen.spans[0].attributes
    assert ("sightline.cost_usd" in values, values["sightline.cost_reason"]) == (False, "no_model")


@pytest.mark.parametrize(
    "nonsense", [None, 7, object(), {}, {"choices": 3}, {"usage": "many"}, {"choices": [None]}]
)
def test_responses_of_unknown_shape_do_no_harm(
    nonsense: object, seen: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read is not recorded; the program goes on."""
    monkeypatch.delenv("SIGHTLINE_STRICT")
    with sightline.llm_call(provider="openai", model="gpt-4o-mini") as call:
        call.record(nonsense)
        call.chunk(nonsense)
    assert len(seen.spans) == 1
    sightline._safety.forget_faults()


def test_images_are_named_and_not_copied(seen: Captured) -> None:
    """A picture in a message leaves its kind on the span, not its megabytes."""
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1000}}
    message = {"role": "user", "content": [{"type": "text", "text": "see"}, picture]}
    with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages=[message]):
        pass
    (sent,) = json.loads(seen.spans[0].attributes["gen_ai.input.messages"])
    assert sent["parts"] == [{"type": "text", "content": "see"}, IMAGE]


def test_long_messages_are_cut_and_say_so(seen: Captured) -> None:
    """A message of a million characters leaves a bounded, valid and marked text."""
    with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages="x" * 1_000_000) as call:
        call.record({"choices": [{"index": 0, "message": {"content": "y\ud800"}}]})
    values = seen.spans[0].attributes
    assert len(values["gen_ai.input.messages"]) < 40_000
    assert "<cut 9" in json.loads(values["gen_ai.input.messages"])[0]["parts"][0]["content"]
    assert json.loads(values["gen_ai.output.messages"])[0]["parts"][0]["content"] == "y?"


def test_a_call_may_be_entered_asynchronously(seen: Captured) -> None:
    """`async with` opens and ends the same span, and an error inside marks it."""

    async def main() -> None:
        async with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages=MESSAGES) as call:
            call.record(completion())
            assert call.traceparent().split("-")[2] == call.span_id
        with pytest.raises(TimeoutError):
            async with sightline.llm_call(provider="openai", model="gpt-4o-mini"):
                raise TimeoutError

    asyncio.run(main())
    whole, failed = seen.spans
    assert whole.attributes == REQUEST | ANSWERED
    assert (failed.status, failed.attributes["error.type"]) == ("error", "TimeoutError")


def test_the_whole_request_is_recorded(seen: Captured) -> None:
    """Instructions and tools beside the messages, and the parameters that were given."""
    tool = {"name": "weather", "description": "of a city", "input_schema": {"type": "object"}}
    with sightline.llm_call(
        provider="anthropic", model="claude", system="be brief", tools=[tool], top_p=0.5, max_tokens=9
    ):
        pass
    values = seen.spans[0].attributes
    assert json.loads(values["gen_ai.system_instructions"]) == [{"type": "text", "content": "be brief"}]
    assert json.loads(values["gen_ai.tool.definitions"]) == [
        {"type": "function", "name": "weather", "description": "of a city", "parameters": {"type": "object"}}
    ]
    assert (values["gen_ai.request.top_p"], values["gen_ai.request.max_tokens"]) == (0.5, 9)


@pytest.mark.parametrize("content", ["full", "off"])
def test_instructions_and_tools_are_counted_with_the_messages(content: Any) -> None:
    """An estimate is of everything that was sent, whether or not it may be recorded."""
    long = "x" * 400
    with (
        testing.capture(content=content) as seen,
        sightline.llm_call(provider="openai", model="m", messages="hello", system=long) as call,
    ):
        call.record("Hi")
    values = seen.spans[0].attributes
    assert values["gen_ai.usage.input_tokens"] > 100
    assert ("gen_ai.system_instructions" in values) is (content == "full")


def test_the_messages_are_those_that_were_sent(seen: Captured) -> None:
    """A program that appends the answer to its list does not change what is recorded."""
    messages: list[Any] = [*MESSAGES]
    with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages=messages) as call:
        call.record(completion())
        messages.append({"role": "assistant", "content": "Hello there"})
    assert seen.spans[0].attributes["gen_ai.input.messages"] == SENT


def test_a_whole_answer_has_the_last_word(seen: Captured) -> None:
    """A stream's own final answer, recorded after its events, is not said twice."""
    with sightline.llm_call(provider="openai", model="gpt-4o-mini", stream=True) as call:
        for piece in (ROLE, HELLO, THERE, STOP):
            call.chunk(piece)
        call.record(completion())
    values = seen.spans[0].attributes
    assert values["gen_ai.output.messages"] == ANSWERED["gen_ai.output.messages"]
    assert values["sightline.time_to_first_token"] == 0.002
