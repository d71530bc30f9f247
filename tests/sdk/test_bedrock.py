"""Amazon's client, OpenTelemetry's spans and what we add to its streams, against a server of its protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import botocore.client
import pytest
from botocore.config import Config
from sdk.recorded import only
from sdk.wire import AWS, Wire, serving

from sightline import testing
from sightline.testing import Captured

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
WORDS = [
    {"contentBlockDelta": {"delta": {"text": word}, "contentBlockIndex": 0}} for word in ("Hello", " there")
]
USAGE = {"inputTokens": 7, "cacheReadInputTokens": 16399, "cacheWriteInputTokens": 2089, "outputTokens": 445}
STREAM: list[Any] = [
    {"messageStart": {"role": "assistant"}},
    *WORDS,
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"messageStop": {"stopReason": "end_turn"}},
    {"metadata": {"usage": {**USAGE, "totalTokens": 18940}, "metrics": {"latencyMs": 9}}},
]


@pytest.fixture
def wire() -> Iterator[Wire]:
    yield from serving()


@pytest.fixture
def seen() -> Iterator[Captured]:
    with testing.capture(instrument_libraries=["bedrock"]) as captured:
        yield captured


@pytest.fixture
def client(wire: Wire, seen: Captured) -> Iterator[Any]:
    made = boto3.client(
        "bedrock-runtime",
        endpoint_url=wire.url,
        region_name="us-east-1",
        aws_access_key_id="k",
        aws_secret_access_key="s",
        config=Config(retries={"max_attempts": 0}),
    )
    yield made
    made.close()


def ask(client: Any) -> Any:
    messages = [{"role": "user", "content": [{"text": "hello"}]}]
    return client.converse_stream(modelId=MODEL, messages=messages)["stream"]


def test_a_stream_has_its_first_token_and_exact_money(client: Any, wire: Wire, seen: Captured) -> None:
    """The cache's tokens stand beside the input here; each is paid at its own price, once."""
    wire.streams(AWS, STREAM)
    assert [next(iter(event)) for event in ask(client)] == [next(iter(event)) for event in STREAM]
    values = only(seen).attributes
    assert values["gen_ai.operation.name"] == "chat"
    assert values["sightline.time_to_first_token"] > 0
    assert values["sightline.cost_usd"] == "0.021394395"  # a tenth more than elsewhere, for the region
    assert "sightline.usage.estimated" not in values


def test_a_server_that_dies_in_the_middle_is_an_error(client: Any, wire: Wire, seen: Captured) -> None:
    """The caller sees the client's error; the span has the tokens until then, as an estimate."""
    wire.streams(AWS, STREAM[:2], cut=True)
    with pytest.raises(Exception, match=r"Connection broken|IncompleteRead|Response ended"):
        list(ask(client))
    span = only(seen)
    assert span.status == "error"
    assert span.attributes["gen_ai.usage.output_tokens"] == 2
    assert span.attributes["sightline.usage.estimated"] is True


def test_undoing_leaves_the_client_as_it_was() -> None:
    """Afterwards its one method is its own again."""
    before = vars(botocore.client.BaseClient)["_make_api_call"]
    with testing.capture(instrument_libraries=["bedrock"]):
        assert vars(botocore.client.BaseClient)["_make_api_call"] is not before
    assert vars(botocore.client.BaseClient)["_make_api_call"] is before
