"""The stand-in model server, asked by the real client over real HTTP."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from openai import InternalServerError, OpenAI, RateLimitError

from sightline_collector.demo.desk_tools import TOOLS
from sightline_collector.demo.model_server import DAY_HEADER, LIMITED_SHARE
from sightline_collector.demo.processes import model_server

PASSAGE = "[1] README\n" + " ".join(f"Sentence {n} says what a model may cost here." for n in range(40))
MANY = 400


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAI]:
    """A client of a server that hurries, with a change of manner from three days ago on."""
    folder = tmp_path_factory.mktemp("stand-in")
    with (
        model_server(folder, os.environ, ["--speed", "5000", "--changed-from", "-3"]) as url,
        OpenAI(base_url=url, api_key="none", max_retries=0) as opened,
    ):
        yield opened


def messages(question: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "Short."}, {"role": "user", "content": f"{PASSAGE}\n\n{question}"}]


def ask(client: OpenAI, question: str, model: str = "gpt-4o", day: int = -9, **more: Any) -> Any:
    """A completion, or a stream of one; loosely typed, for the client's own types are many."""
    create: Any = client.chat.completions.create
    headers = {DAY_HEADER: str(day)}
    return create(model=model, messages=messages(question), extra_headers=headers, **more)


def test_it_says_what_it_is(client: OpenAI, tmp_path: Path) -> None:
    """The notice is in its log, its headers, its ids and its system fingerprint."""
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=messages("cost?"))  # type: ignore[arg-type]
    completion = raw.parse()
    assert "no model is behind this" in raw.headers["x-stand-in"]
    assert completion.id.startswith("chatcmpl-standin-")
    assert completion.system_fingerprint == "sightline-stand-in"
    with model_server(tmp_path, os.environ, []):
        assert "no model is behind this" in (tmp_path / "model_server.log").read_text()


def test_a_taken_port_is_said_in_a_line() -> None:
    """It names the port and what to do, and exits with 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "sightline_collector.demo.model_server", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == (
        f"model_server cannot listen on 127.0.0.1:{port} (Address already in use): name another --port\n"
    )


def test_a_completion_has_an_answer_a_finish_reason_and_usage(client: OpenAI) -> None:
    """A whole answer reports tokens with cached and reasoning details, as providers do."""
    found = ask(client, "What may a model cost?", model="gpt-5-mini")
    assert "says what a model may cost" in found.choices[0].message.content
    assert found.choices[0].finish_reason == "stop"
    assert found.usage.total_tokens == found.usage.prompt_tokens + found.usage.completion_tokens
    assert found.usage.prompt_tokens_details.cached_tokens == 0
    assert found.usage.completion_tokens > found.usage.completion_tokens_details.reasoning_tokens >= 64


def test_asked_again_it_answers_anew(client: OpenAI) -> None:
    """As a model does: answers to one question differ in length from one time to the next."""
    lengths = {len(ask(client, "And what may a model cost?").choices[0].message.content) for _ in range(20)}
    assert len(lengths) > 1


def test_a_stream_begins_with_the_role_and_ends_with_usage_when_asked(client: OpenAI) -> None:
    """The first chunk brings only the role, the last only usage; together they are the whole answer."""
    whole = ask(client, "What may a model cost?")
    stream = ask(client, "What may a model cost?", stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    assert (chunks[0].choices[0].delta.role, chunks[0].choices[0].delta.content) == ("assistant", "")
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens > 0
    assert chunks[-2].choices[0].finish_reason == "stop"
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert "says what a model may cost" in text
    assert whole.id != chunks[0].id  # `stream` is part of the request


def test_a_stream_has_no_usage_unless_asked(client: OpenAI) -> None:
    """Without include_usage no chunk carries usage."""
    assert [c.usage for c in ask(client, "What may a model cost?", stream=True) if c.usage] == []


def test_a_question_for_a_tool_is_answered_with_a_tool_call(client: OpenAI) -> None:
    """The call names the tool and has arguments in JSON."""
    found = ask(client, "What is the price of a million tokens of gpt-4o?", tools=TOOLS)
    call = found.choices[0].message.tool_calls[0]
    assert (call.function.name, call.function.arguments) == ("model_price", '{"model": "gpt-4o"}')
    assert found.choices[0].finish_reason == "tool_calls"


def test_now_and_then_it_limits_the_rate_and_says_when_to_come_back(client: OpenAI) -> None:
    """A few requests in a hundred get 429 with Retry-After; most of them pass when tried again."""
    refused = {n: wait for n in range(MANY) if (wait := limited(client, n))}
    assert set(refused.values()) == {"1"}
    assert 0.2 * LIMITED_SHARE < len(refused) / MANY < 3 * LIMITED_SHARE
    patient = client.with_options(max_retries=2)
    assert [n for n in range(MANY) if limited(patient, n)] == []


def limited(client: OpenAI, number: int) -> str | None:
    """The seconds to wait, when this request is refused."""
    try:
        ask(client, f"What may model number {number} cost?")
    except RateLimitError as error:
        return str(error.response.headers["retry-after"])
    return None


def test_one_model_changes_its_manner_and_the_others_do_not(client: OpenAI) -> None:
    """From its day on the changed model writes longer answers and refuses more."""

    def length(model: str, day: int) -> float:
        texts: list[str] = []
        for number in range(60):
            with suppress(RateLimitError):
                found = ask(client, f"What may it cost, {number}?", model, day, max_completion_tokens=150)
                texts.append(found.choices[0].message.content)
        return sum(map(len, texts)) / len(texts)

    assert length("gpt-4o-mini", -3) > 1.5 * length("gpt-4o-mini", -4)
    assert 0.8 < length("gpt-4o", -3) / length("gpt-4o", -4) < 1.25


def test_a_model_of_ones_own_fails_now_and_then(client: OpenAI) -> None:
    """Server errors come as such, and say that they are on purpose."""
    with pytest.raises(InternalServerError, match="failed on purpose"):
        ask_until_it_fails(client)


def ask_until_it_fails(client: OpenAI) -> None:
    for number in range(MANY):
        with suppress(RateLimitError):
            ask(client, f"What may {number} cost?", "house-llama-70b")


def test_a_request_that_cannot_be_read_is_refused_as_providers_do(client: OpenAI) -> None:
    """400 with an error object, and the reason in it."""
    answer = client._client.post("chat/completions", json={"model": "gpt-4o", "messages": []})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_request_error"
