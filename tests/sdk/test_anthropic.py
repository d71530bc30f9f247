"""The real anthropic client with its own spans, and what we add to its streams, against a real server."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from sdk.anthropic_server import BLOCK, ENDING, START, STREAM, message, text
from sdk.recorded import only
from sdk.servers import ChatModel

import sightline
from sightline import testing
from sightline.testing import Captured, CapturedSpan

if TYPE_CHECKING:
    import anthropic

MESSAGES: Any = [{"role": "user", "content": "hello"}]
MODEL = "claude-sonnet-4-6"
CONTENT_MODE = "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE"


@pytest.fixture(autouse=True)
def no_content_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own environment does not say what the client may tell."""
    monkeypatch.delenv(CONTENT_MODE, raising=False)


@pytest.fixture
def seen() -> Iterator[Captured]:
    with testing.capture(instrument_libraries=["anthropic"]) as captured:
        yield captured


@pytest.fixture
def client(model: ChatModel, seen: Captured) -> Iterator[anthropic.Anthropic]:
    import anthropic  # three thousand modules, for these tests only

    with anthropic.Anthropic(base_url=model.root_url, api_key="k", max_retries=0) as made:
        yield made


def ask(client: Any, **more: Any) -> Any:
    return client.messages.create(model=MODEL, max_tokens=9, messages=MESSAGES, **more)


def test_a_call_is_the_clients_own_span_priced(
    client: anthropic.Anthropic, model: ChatModel, seen: Captured
) -> None:
    """One span a call: the client's; we add the cost, with cache reads and writes at their own prices."""
    model.script = [lambda request: (200, message())]
    ask(client)
    span = only(seen)
    ours = ("gen_ai.", "anthropic.", "sightline.")
    assert span.name == "anthropic.messages.create"
    assert {key: value for key, value in span.attributes.items() if key.startswith(ours)} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": MODEL,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.response.id": "msg_1",
        "gen_ai.response.model": "claude-sonnet-4-5-20250929",
        "gen_ai.usage.input_tokens": 18495,
        "gen_ai.usage.output_tokens": 445,
        "gen_ai.usage.cache_read.input_tokens": 16399,
        "gen_ai.usage.cache_write.input_tokens": 2089,
        "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 2089,
        "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 0,
        "anthropic.response.service_tier": "standard",
        "anthropic.message.stop_reason": "end_turn",
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"hello"}]}]',
        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hello there"}]}]',
        "sightline.cost_usd": "0.01944945",
    }


def test_the_first_token_is_timed_at_the_first_word(
    client: anthropic.Anthropic, model: ChatModel, seen: Captured
) -> None:
    """The head comes after 50 ms, the first word after 150; the words are recorded, too."""
    words = [part for number in range(5) for part in (text(f" {number}"), 0.02)]
    model.script = [lambda request: (200, [0.05, START, BLOCK, 0.1, *words, *ENDING])]
    list(ask(client, stream=True))
    values = only(seen).attributes
    assert values["sightline.time_to_first_token"] >= 0.15
    assert values["sightline.tokens_per_second"] > 0
    assert '"content":" 0 1 2 3 4"' in values["gen_ai.output.messages"]
    assert values["sightline.cost_usd"] == "0.01944945"
    assert "sightline.usage.estimated" not in values


def test_a_stream_closed_early_has_its_tokens_until_then(
    client: anthropic.Anthropic, model: ChatModel, seen: Captured
) -> None:
    """The input was reported, the output is estimated and marked; stopping is no error."""
    model.script = [lambda request: (200, STREAM)]
    stream = ask(client, stream=True)
    for event in stream:
        if event.type == "content_block_delta":
            break
    stream.close()
    assert_broken(only(seen), "unset")


def test_a_stream_that_is_dropped_has_them_too(
    client: anthropic.Anthropic, model: ChatModel, seen: Captured
) -> None:
    """A reader who walks away is no failure either."""
    model.script = [lambda request: (200, STREAM)]
    for event in ask(client, stream=True):
        if event.type == "content_block_delta":
            break
    del event
    gc.collect()
    assert_broken(only(seen), "unset")


def test_a_server_that_dies_in_the_middle_is_an_error(
    client: anthropic.Anthropic, model: ChatModel, seen: Captured
) -> None:
    """The caller sees the error; the span has it, and the tokens until then."""
    model.script = [lambda request: (200, [*STREAM[:3], None])]
    with pytest.raises(Exception, match="peer closed"):
        list(ask(client, stream=True))
    assert_broken(only(seen), "error")


def assert_broken(span: CapturedSpan, status: str) -> None:
    assert span.status == status
    assert span.attributes["gen_ai.usage.input_tokens"] == 18495
    assert span.attributes["gen_ai.usage.output_tokens"] == 2
    assert span.attributes["sightline.usage.estimated"] is True
    assert "sightline.cost_usd" in span.attributes


def test_the_clients_stream_helper_is_watched_alike(
    client: anthropic.Anthropic, model: ChatModel, seen: Captured
) -> None:
    """`messages.stream()` yields its events and its final message as without us."""
    model.script = [lambda request: (200, STREAM)]
    with client.messages.stream(model=MODEL, max_tokens=9, messages=MESSAGES) as stream:
        assert "".join(stream.text_stream) == "Hello there"
    values = only(seen).attributes
    assert values["gen_ai.usage.output_tokens"] == 445
    assert "sightline.time_to_first_token" in values


def test_the_asynchronous_client_is_observed_alike(model: ChatModel, seen: Captured) -> None:
    """Whole answers and streams of the async client."""
    import anthropic

    model.script = [lambda request: (200, message()), lambda request: (200, STREAM)]

    async def main() -> None:
        async with anthropic.AsyncAnthropic(base_url=model.root_url, api_key="k") as client:
            await ask(client)
            async for _ in await ask(client, stream=True):
                pass

    asyncio.run(main())
    assert [span.attributes["sightline.cost_usd"] for span in seen.spans] == ["0.01944945"] * 2
    assert "sightline.time_to_first_token" in seen.spans[1].attributes


def test_a_call_nests_and_carries_the_context(
    client: anthropic.Anthropic, model: ChatModel, seen: Captured
) -> None:
    """The client's span is the child of the decorated function, with its user and prompt."""
    model.script = [lambda request: (200, STREAM)]

    @sightline.agent
    def answer(question: str) -> None:
        with sightline.context(user_id="u1", prompt=("greet", "3")):
            list(ask(client, stream=True))

    answer("why")
    call = seen.span("anthropic.messages.create")
    assert call.parent_span_id == seen.span("invoke_agent answer").span_id
    assert (call.attributes["user.id"], call.attributes["gen_ai.prompt.name"]) == ("u1", "greet")


@pytest.mark.parametrize("stream", [False, True])
def test_no_content_is_recorded_when_it_is_off(model: ChatModel, stream: bool) -> None:
    """The client is not even asked for it."""
    import anthropic

    model.script = [lambda request: (200, STREAM if request.get("stream") else message())]
    with (
        testing.capture(instrument_libraries=["anthropic"], content="off") as seen,
        anthropic.Anthropic(base_url=model.root_url, api_key="k") as client,
    ):
        assert CONTENT_MODE not in os.environ
        answer = ask(client, stream=stream)
        _ = list(answer) if stream else answer
    assert not [name for name in only(seen).attributes if "messages" in name]
    assert only(seen).attributes["gen_ai.usage.output_tokens"] == 445


def test_what_the_user_said_of_content_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A choice of the program's own is neither changed nor taken back."""
    monkeypatch.setenv(CONTENT_MODE, "metadata_only")
    with testing.capture(instrument_libraries=["anthropic"]):
        assert os.environ[CONTENT_MODE] == "metadata_only"
    assert os.environ[CONTENT_MODE] == "metadata_only"


def test_undoing_leaves_the_client_as_it_was() -> None:
    """Afterwards its recorder and its switch are as before."""
    from anthropic.lib._tracing import _streaming

    before = _streaming.StreamedMessage.item, _streaming.StreamedMessage.end
    with testing.capture(instrument_libraries=["anthropic"]):
        assert os.environ[CONTENT_MODE] == "content"
        assert _streaming.StreamedMessage.item is not before[0]
    assert (_streaming.StreamedMessage.item, _streaming.StreamedMessage.end) == before
    assert CONTENT_MODE not in os.environ
