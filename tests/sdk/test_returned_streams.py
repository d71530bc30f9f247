"""Functions that return a stream which nobody has read yet: the call is over when the stream is."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import openai
import pytest
from sdk.anthropic_server import STREAM
from sdk.clients import ASK
from sdk.conversations import CONVERSATIONS
from sdk.servers import HELLO, ROLE, ChatModel, streamed
from sdk.wire import Wire, serving

import sightline
from sightline import testing
from sightline.testing import Captured, CapturedSpan

if TYPE_CHECKING:
    import anthropic

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or else its import asks the network for prices

# LiteLLM asks pydantic in a way that pydantic would rather not be asked.
pytestmark = pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning")

MESSAGES: Any = [{"role": "user", "content": "hello"}]
PRICED = "sightline.cost_usd"


@pytest.fixture
def wire() -> Iterator[Wire]:
    yield from serving()


@pytest.fixture(params=[(), ("openai", "anthropic")], ids=["bare", "observed"])
def watched(request: pytest.FixtureRequest) -> Iterator[Captured]:
    """Captured with the clients as they are, and with their instrumentations at work."""
    with testing.capture(instrument_libraries=request.param) as captured:
        yield captured


@pytest.fixture
def client(model: ChatModel, watched: Captured) -> Iterator[openai.OpenAI]:
    model.script = [streamed]
    with openai.OpenAI(base_url=model.base_url, api_key="k", max_retries=0) as made:
        yield made


@sightline.llm(provider="openai", model="gpt-4o-mini")
def ask(client: openai.OpenAI, messages: Any = MESSAGES) -> openai.Stream[Any]:
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True)


@sightline.llm(provider="openai", model="gpt-4o-mini")
async def aask(client: openai.AsyncOpenAI) -> openai.AsyncStream[Any]:
    return await client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)


def paid(seen: Captured) -> CapturedSpan:
    """The one row that is paid: every other call tells of its tokens, and no other is unpriced."""
    (span,) = (span for span in seen.spans if PRICED in span.attributes)
    assert not any("sightline.cost_reason" in each.attributes for each in seen.spans)
    return span


def decorated(seen: Captured) -> CapturedSpan:
    """The function's own span: the root."""
    (span,) = (span for span in seen.spans if span.parent_span_id is None)
    return span


@pytest.mark.parametrize("provider", list(CONVERSATIONS))
def test_every_clients_stream_is_read_into_its_call(provider: str, wire: Wire, seen: Captured) -> None:
    """What the provider reported on the way is on the function's span: usage, finish reason, cost, words."""
    case = CONVERSATIONS[provider]
    wire.streams(case.framing, case.events)

    @sightline.llm(provider=case.provider, model=case.model)
    def function(method: Callable[..., Any], request: Any) -> Any:
        return method(**request)

    ASK[provider](wire.url, True, lambda method, **request: function(method, request))
    values = seen.spans[-1].attributes
    assert {name: values.get(name, "") for name in case.expected} == case.expected
    (said,) = json.loads(values["gen_ai.output.messages"])
    assert said["parts"][-1]["content"] == "Hello there"


def test_a_stream_read_to_its_end_is_one_paid_call(client: openai.OpenAI, watched: Captured) -> None:
    """Whether or not the client is observed; to the caller the stream is what it was."""
    stream = ask(client)
    assert isinstance(stream, openai.Stream)
    assert stream.response.status_code == 200
    assert [part.choices[0].delta.content for part in stream] == ["", "Hello", " there", None]
    assert paid(watched)
    assert decorated(watched).attributes["gen_ai.response.finish_reasons"] == ["stop"]


def test_nothing_is_told_before_the_stream_is_over(client: openai.OpenAI, watched: Captured) -> None:
    """The span lasts as long as its answer."""
    stream = ask(client)
    next(stream)
    assert watched.spans == []
    stream.close()
    assert watched.spans != []


@pytest.mark.parametrize("end", ["close", "with", "drop"])
def test_a_reader_who_leaves_pays_for_what_he_got(client: openai.OpenAI, watched: Captured, end: str) -> None:
    """Closed, left by its block or dropped: no error, and one call with the tokens until then."""
    stream = ask(client)
    if end == "with":
        with stream:
            list(itertools.islice(stream, 2))
    else:
        list(itertools.islice(stream, 2))
        if end == "close":
            stream.close()
    del stream
    gc.collect()
    assert paid(watched).attributes["gen_ai.usage.output_tokens"] == 2
    assert {span.status for span in watched.spans} == {"unset"}


def test_a_stream_that_dies_is_an_error(client: openai.OpenAI, model: ChatModel, watched: Captured) -> None:
    """Of the function, too: the caller sees the client's error, and the tokens until then are paid."""
    model.script = [lambda request: (200, [ROLE, HELLO, None])]
    with pytest.raises(openai.APIConnectionError):
        list(ask(client))
    assert paid(watched)
    assert {span.status for span in watched.spans} == {"error"}


def test_an_asynchronous_stream_is_one_paid_call(model: ChatModel, watched: Captured) -> None:
    """Read to its end, and closed: by its own methods."""
    model.script = [streamed]

    async def main() -> None:
        async with openai.AsyncOpenAI(base_url=model.base_url, api_key="k") as client:
            stream = await aask(client)
            assert isinstance(stream, openai.AsyncStream)
            assert len([part async for part in stream]) == 4
            assert paid(watched)
            watched.spans.clear()
            async with await aask(client) as stream:
                async for part in stream:
                    if part.choices[0].delta.content:
                        break

    asyncio.run(main())
    assert paid(watched).attributes["gen_ai.usage.output_tokens"] == 2


def test_a_reader_whose_task_is_cancelled_has_left(model: ChatModel, watched: Captured) -> None:
    """A browser that goes away is no failure of the model's."""
    model.script = [lambda request: (200, [ROLE, HELLO, 30.0])]

    async def main() -> None:
        async with openai.AsyncOpenAI(base_url=model.base_url, api_key="k") as client:
            said = asyncio.Event()

            async def read() -> None:
                async for part in await aask(client):
                    if part.choices[0].delta.content:
                        said.set()

            task = asyncio.create_task(read())
            await asyncio.wait_for(said.wait(), 30)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    gc.collect()
    assert paid(watched).status == "unset"


def test_a_manager_is_held_as_what_it_is_entered_for(model: ChatModel, watched: Captured) -> None:
    """The request is made when it is entered; its stream reads itself for `get_final_message()`."""
    import anthropic  # three thousand modules, for this test only

    model.script = [lambda request: (200, STREAM)]

    @sightline.llm(provider="anthropic", model="claude-sonnet-4-6")
    def start(client: anthropic.Anthropic) -> Any:
        return client.messages.stream(model="claude-sonnet-4-6", max_tokens=9, messages=MESSAGES)

    with anthropic.Anthropic(base_url=model.root_url, api_key="k") as client, start(client) as stream:
        assert isinstance(stream, anthropic.MessageStream)
        assert next(stream.text_stream)
        final = stream.get_final_message()
    assert paid(watched)
    assert decorated(watched).attributes["gen_ai.usage.output_tokens"] == final.usage.output_tokens


def test_calls_around_it_end_with_it(client: openai.OpenAI, watched: Captured) -> None:
    """The work lasts until the answer is read; what it shows of a chunk are its words."""

    @sightline.workflow
    def work() -> Any:
        return ask(client)

    list(work())
    assert paid(watched)
    work_span = decorated(watched)
    assert (work_span.name, work_span.attributes["sightline.output"]) == (
        "invoke_workflow work",
        '"Hello there"',
    )


def test_what_takes_no_other_class_is_handed_on_as_it_is(seen: Captured) -> None:
    """A stream of a class with nothing but slots is not ours to change."""

    class Slotted:
        __slots__ = ()

        def __next__(self) -> str:
            return "word"

    @sightline.llm(provider="acme", model="tiny")
    def function() -> Slotted:
        return Slotted()

    stream = function()
    assert (type(stream), next(stream)) == (Slotted, "word")
    assert len(seen.spans) == 1


def test_a_call_made_by_hand_lasts_until_its_stream_is_read(client: openai.OpenAI, watched: Captured) -> None:
    """`record` takes a stream, too; the block may be left before it is read."""

    def answer() -> Any:
        with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages=MESSAGES) as call:
            return call.record(
                client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
            )

    stream = answer()
    assert watched.spans == []
    assert len(list(stream)) == 4
    assert paid(watched)
    assert decorated(watched).attributes["gen_ai.response.finish_reasons"] == ["stop"]


def test_a_call_whose_stream_is_read_in_its_block_ends_with_the_block(
    client: openai.OpenAI, watched: Captured
) -> None:
    """Chunks that are told beside are not counted twice."""
    with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages=MESSAGES) as call:
        stream = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
        for part in call.record(stream):
            call.chunk(part)
        with sightline.stage("inside"):
            pass
    assert paid(watched)
    assert watched.span("inside").parent_span_id == decorated(watched).span_id
    (said,) = json.loads(decorated(watched).attributes["gen_ai.output.messages"])
    assert said["parts"] == [{"type": "text", "content": "Hello there"}]
