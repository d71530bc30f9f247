"""Streams of the real openai client: usage is asked for, first tokens are timed, ends are understood."""

import asyncio
import gc
import json
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from sdk.openai_calls import MESSAGES, ask
from sdk.recorded import only
from sdk.servers import HELLO, ROLE, STOP, ChatModel, chunk, completion, streamed

from sightline import testing
from sightline.instrument import _stream_usage, _streams
from sightline.testing import Captured, CapturedSpan


@pytest.fixture(autouse=True)
def no_server_is_known() -> Iterator[None]:
    """What one test's server refuses is not held against the next, which may have its port."""
    yield
    _stream_usage._refusing.clear()


@pytest.fixture
def seen() -> Iterator[Captured]:
    with testing.capture(instrument_libraries=["openai"]) as captured:
        yield captured


def test_a_stream_is_asked_for_its_usage(client: openai.OpenAI, model: ChatModel, seen: Captured) -> None:
    """Where the caller says nothing of usage it is requested, recorded and priced; his chunks stay."""
    model.script = [streamed]
    chunks = list(ask(client, stream=True))
    assert model.requests[0]["stream_options"] == {"include_usage": True}
    assert [part.choices[0].delta.content for part in chunks] == ["", "Hello", " there", None]
    assert all(part.usage is None for part in chunks)
    values = only(seen).attributes
    assert values["gen_ai.usage.cache_read.input_tokens"] == 800
    assert values["sightline.cost_usd"] == "0.00012"
    assert "sightline.usage.estimated" not in values


@pytest.mark.parametrize("options", [{"include_usage": True}, {"include_usage": False}])
def test_a_caller_who_asked_for_himself_gets_what_he_asked_for(
    client: openai.OpenAI, model: ChatModel, seen: Captured, options: Any
) -> None:
    """The caller's own stream options are not touched, and no chunk of his is hidden."""
    model.script = [streamed]
    chunks = list(ask(client, stream=True, stream_options=options))
    assert model.requests[0]["stream_options"] == options
    assert len(chunks) == (5 if options["include_usage"] else 4)
    assert only(seen).attributes.get("sightline.usage.estimated") is (
        None if options["include_usage"] else True
    )


def test_usage_can_be_left_unasked(model: ChatModel) -> None:
    """`stream_usage=False` sends exactly what the program wrote; tokens are then estimated, and marked."""
    model.script = [streamed]
    with (
        testing.capture(instrument_libraries=["openai"], stream_usage=False) as seen,
        openai.OpenAI(base_url=model.base_url, api_key="k") as client,
    ):
        list(ask(client, stream=True))
    assert "stream_options" not in model.requests[0]
    assert only(seen).attributes["sightline.usage.estimated"] is True


def test_a_server_that_refuses_stream_options_is_asked_without(
    client: openai.OpenAI, model: ChatModel, seen: Captured
) -> None:
    """An older server's refusal never reaches the caller, and it is not asked for usage again."""

    def old(request: dict[str, Any]) -> tuple[int, Any]:
        if "stream_options" in request:
            return 422, {
                "detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]
            }
        return 200, [ROLE, HELLO, STOP]

    model.script = [old]
    assert len(list(ask(client, stream=True))) == 3
    assert len(list(ask(client, stream=True))) == 3
    assert ["stream_options" in request for request in model.requests] == [True, False, False]
    assert [span.status for span in seen.spans] == ["unset", "unset"]


def test_other_refusals_are_the_callers(client: openai.OpenAI, model: ChatModel, seen: Captured) -> None:
    """A bad request of the program's own making is sent once and raised."""
    model.script = [lambda request: (400, {"error": {"message": "context too long"}})]
    with pytest.raises(openai.BadRequestError):
        ask(client, stream=True)
    assert len(model.requests) == 1
    span = only(seen)
    assert (span.status, span.attributes["error.type"]) == ("error", "openai.BadRequestError")


class MovedClock:
    """Stands still between two moves."""

    def __init__(self) -> None:
        self._ns = 1_795_176_000_000_000_000

    def move(self, by_ms: int) -> None:
        self._ns += by_ms * 1_000_000

    def now_ns(self) -> int:
        return self._ns

    elapsed_ns = now_ns


def test_the_first_token_is_timed_at_the_first_content(model: ChatModel) -> None:
    """The role chunk comes after 50 ms, content after 150 of our clock: the first token is its first content.

    The first chunk is timed by OpenTelemetry's instrumentation, which has the machine's clock.
    """
    words = [chunk({"content": f" {number}"}) for number in range(5)]
    model.script = [lambda request: (200, [0.05, ROLE, *words, STOP])]
    clock = MovedClock()
    with (
        testing.capture(clock=clock, instrument_libraries=["openai"]) as captured,
        openai.OpenAI(base_url=model.base_url, api_key="k", max_retries=0) as client,
    ):
        begun_s = time.perf_counter()
        stream = ask(client, stream=True)
        clock.move(50)
        next(stream)
        came_s = time.perf_counter()
        for pause_ms in (100, 20, 20, 20, 20):
            clock.move(pause_ms)
            next(stream)
        list(stream)
    values = only(captured).attributes
    assert 0.05 <= values["gen_ai.response.time_to_first_chunk"] <= came_s - begun_s
    assert values["sightline.time_to_first_token"] == pytest.approx(0.15)
    assert values["sightline.tokens_per_second"] == pytest.approx((3 - 1) / 0.08)  # 3 by its bytes


def test_a_stream_closed_early_is_no_error(client: openai.OpenAI, model: ChatModel, seen: Captured) -> None:
    """What was generated until then has tokens and cost, marked as an estimate, and is no failure."""
    model.script = [streamed]
    stream = ask(client, stream=True)
    assert [next(stream).choices[0].delta.content for _ in range(2)] == ["", "Hello"]
    stream.close()
    assert_stopped(only(seen))


def test_a_stream_that_is_dropped_is_no_error(
    client: openai.OpenAI, model: ChatModel, seen: Captured
) -> None:
    """A reader who breaks off and walks away is recorded the same."""
    model.script = [streamed]
    stream = ask(client, stream=True)
    for part in stream:
        if part.choices[0].delta.content:
            break
    del stream
    gc.collect()
    assert_stopped(only(seen))


def assert_stopped(span: CapturedSpan) -> None:
    assert (span.status, span.status_message) == ("unset", None)
    assert span.attributes["gen_ai.usage.output_tokens"] == 2
    assert span.attributes["sightline.usage.estimated"] is True
    assert "sightline.cost_usd" in span.attributes
    assert not {"error.type", "gen_ai.response.finish_reasons"} & set(span.attributes)
    (said,) = json.loads(span.attributes["gen_ai.output.messages"])
    assert said["parts"] == [{"content": "Hello", "type": "text"}]
    assert "finish_reason" not in said


def test_a_server_that_dies_in_the_middle_is_an_error(
    client: openai.OpenAI, model: ChatModel, seen: Captured
) -> None:
    """The caller sees the client's error; the span is an error, with the tokens until then."""
    model.script = [lambda request: (200, [ROLE, HELLO, None])]
    with pytest.raises(openai.APIConnectionError):
        list(ask(client, stream=True))
    span = only(seen)
    assert (span.status, span.attributes["error.type"]) == ("error", "openai.APIConnectionError")
    assert span.attributes["gen_ai.usage.output_tokens"] == 2


def test_the_asynchronous_client_is_observed_alike(model: ChatModel, seen: Captured) -> None:
    """Whole answers, streams, streams closed early and failures of the async client."""
    model.script = [
        lambda request: (200, completion()),
        streamed,
        streamed,
        lambda request: (200, [ROLE, None]),
    ]

    async def main() -> None:
        async with openai.AsyncOpenAI(base_url=model.base_url, api_key="k", max_retries=0) as client:
            create: Any = client.chat.completions.create
            await create(model="gpt-4o-mini", messages=MESSAGES)
            chunks = [c async for c in await create(model="gpt-4o-mini", messages=MESSAGES, stream=True)]
            assert len(chunks) == 4
            async with await create(model="gpt-4o-mini", messages=MESSAGES, stream=True) as stream:
                await anext(stream)
                await anext(stream)
            with pytest.raises(openai.APIConnectionError):
                async for _ in await create(model="gpt-4o-mini", messages=MESSAGES, stream=True):
                    pass

    asyncio.run(main())
    whole, full, closed, died = seen.spans
    assert whole.attributes["sightline.cost_usd"] == full.attributes["sightline.cost_usd"] == "0.00012"
    assert_stopped(closed)
    assert (died.status, died.attributes["error.type"]) == ("error", "openai.APIConnectionError")


def test_a_raw_response_is_left_alone(client: openai.OpenAI, model: ChatModel, seen: Captured) -> None:
    """A caller who reads the bytes himself gets the server's own, and no usage chunk he did not ask for."""
    model.script = [streamed]
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini", messages=MESSAGES, stream=True
    )
    assert len(list(raw.parse())) == 4
    assert "stream_options" not in model.requests[0]


def test_a_raw_response_that_is_dropped_unread_is_no_error(
    client: openai.OpenAI, model: ChatModel, seen: Captured
) -> None:
    """Nobody has read what was parsed: neither the call nor the model has failed."""
    model.script = [streamed]
    client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini", messages=MESSAGES, stream=True
    ).parse()
    gc.collect()
    span = only(seen)
    assert (span.status, span.attributes.get("gen_ai.response.finish_reasons")) == ("unset", None)
    assert '"error"' not in span.attributes.get("gen_ai.output.messages", "")
    assert not _streams._held


def test_the_clients_stream_helper_works(client: openai.OpenAI, model: ChatModel, seen: Captured) -> None:
    """`chat.completions.stream()` yields its events and its final answer as without us."""
    model.script = [streamed]
    with client.chat.completions.stream(model="gpt-4o-mini", messages=MESSAGES) as stream:
        for _ in stream:
            pass
        assert stream.get_final_completion().choices[0].message.content == "Hello there"
    assert only(seen).attributes["gen_ai.usage.input_tokens"] == 1000
