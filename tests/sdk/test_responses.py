"""OpenAI's responses, streamed: the real client, OpenTelemetry's spans and what we add."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from sdk.recorded import only
from sdk.responses_server import STREAM, response
from sdk.servers import ChatModel

from sightline import testing
from sightline.testing import Captured, CapturedSpan


@pytest.fixture
def seen() -> Iterator[Captured]:
    with testing.capture(instrument_libraries=["openai"]) as captured:
        yield captured


def ask(client: Any) -> Any:
    return client.responses.create(model="gpt-4o-mini", input="hello", stream=True)


def test_a_stream_has_its_first_token_and_its_usage(
    client: openai.OpenAI, model: ChatModel, seen: Captured
) -> None:
    """The events before the first word are not taken for it; nothing is added to the request."""
    model.script = [lambda request: (200, [0.05, *STREAM[:3], 0.1, STREAM[3], 0.02, *STREAM[4:]])]
    assert [event.type for event in ask(client)] == [event["type"] for event in STREAM]
    values = only(seen).attributes
    assert values["sightline.time_to_first_token"] >= 0.15
    assert values["sightline.tokens_per_second"] > 0
    assert values["sightline.cost_usd"] == "0.00012"
    assert "stream_options" not in model.requests[0]


@pytest.mark.parametrize("dropped", [False, True])
def test_a_stream_that_is_left_has_its_tokens_until_then(
    client: openai.OpenAI, model: ChatModel, seen: Captured, dropped: bool
) -> None:
    """Closed or dropped: no error, and an estimate that is marked."""
    model.script = [lambda request: (200, STREAM)]
    stream = ask(client)
    for event in stream:
        if event.type == "response.output_text.delta":
            break
    if not dropped:
        stream.close()
    del stream
    gc.collect()
    assert_broken(only(seen), "unset")


def test_a_server_that_dies_in_the_middle_is_an_error(
    client: openai.OpenAI, model: ChatModel, seen: Captured
) -> None:
    """The caller sees the error, and the span has it."""
    model.script = [lambda request: (200, [*STREAM[:4], None])]
    with pytest.raises(openai.APIConnectionError):
        list(ask(client))
    assert_broken(only(seen), "error")


def assert_broken(span: CapturedSpan, status: str) -> None:
    assert span.status == status
    assert span.attributes["gen_ai.usage.output_tokens"] == 2
    assert span.attributes["sightline.usage.estimated"] is True
    assert "sightline.cost_usd" in span.attributes


def test_a_response_that_failed_stays_a_failure(
    client: openai.OpenAI, model: ChatModel, seen: Captured
) -> None:
    """The model's own word, in the middle of a stream that is read to its end."""
    error = {"code": "server_error", "message": "broke"}
    failed = {
        "type": "response.failed",
        "response": response(status="failed", output=[], usage=None, error=error),
        "sequence_number": 9,
    }
    model.script = [lambda request: (200, [*STREAM[:4], failed])]
    list(ask(client))
    assert only(seen).status == "error"
    assert "error.type" in only(seen).attributes


def test_the_asynchronous_client_is_observed_alike(model: ChatModel, seen: Captured) -> None:
    """Streams of the async client."""
    model.script = [lambda request: (200, STREAM)]

    async def main() -> None:
        async with openai.AsyncOpenAI(base_url=model.base_url, api_key="k") as client:
            assert len([event async for event in await ask(client)]) == len(STREAM)

    asyncio.run(main())
    values = only(seen).attributes
    assert "sightline.time_to_first_token" in values
    assert values["sightline.cost_usd"] == "0.00012"


def test_the_clients_stream_helper_works(client: openai.OpenAI, model: ChatModel, seen: Captured) -> None:
    """`responses.stream()` yields its events and its final response as without us."""
    model.script = [lambda request: (200, STREAM)]
    with client.responses.stream(model="gpt-4o-mini", input="hello") as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_text == "Hello there"
    assert only(seen).attributes["sightline.cost_usd"] == "0.00012"
