"""Real clients whose calls a budget stops: nothing is sent, and a span says so."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from sdk.anthropic_server import message
from sdk.clients import ASK
from sdk.programs import unused_port
from sdk.servers import ChatModel, completion, streamed

from sightline import Budget, BudgetExceeded, testing
from sightline.budget import Cap, _guard, check, enforce, hold
from sightline.instrument._budget_questions import ask_before_calls
from sightline.testing import Captured

MESSAGES: Any = [{"role": "user", "content": "hello"}]
TWO_CALLS = Budget(per_process=Cap(calls=2))


@pytest.fixture
def seen() -> Iterator[Captured]:
    with testing.capture(instrument_libraries=["openai"], budget=TWO_CALLS) as captured:
        yield captured


def decisions(seen: Captured) -> list[tuple[Any, Any]]:
    return [
        (span.attributes.get("sightline.budget.decision"), span.attributes.get("error.type"))
        for span in seen.spans
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_a_clients_call_is_stopped_before_it_is_sent(model: ChatModel, seen: Captured, stream: bool) -> None:
    """The call beyond the cap raises out of `create`, whole or streamed; the model never hears of it."""
    model.script = [streamed if stream else lambda _: (200, completion())]

    def ask(client: openai.OpenAI) -> None:
        answer: Any = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=stream)
        if stream:
            list(answer)

    with openai.OpenAI(base_url=model.base_url, api_key="k") as client:
        ask(client)
        ask(client)
        with pytest.raises(BudgetExceeded, match="made 2 of the 2 model calls"):
            ask(client)
    assert len(model.requests) == 2
    assert decisions(seen) == [(None, None), (None, None), ("deny", "sightline.errors.BudgetExceeded")]


def test_an_asynchronous_clients_call_is_stopped_too(model: ChatModel, seen: Captured) -> None:
    """Of calls that are gathered as many are made as the cap allows; the others raise when awaited."""
    model.script = [lambda _: (200, completion())]

    async def ask(client: openai.AsyncOpenAI) -> Any:
        return await client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)

    async def all_at_once() -> list[Any]:
        async with openai.AsyncOpenAI(base_url=model.base_url, api_key="k") as client:
            return await asyncio.gather(*(ask(client) for _ in range(5)), return_exceptions=True)

    outcomes = asyncio.run(all_at_once())
    assert [type(outcome).__name__ for outcome in outcomes].count("BudgetExceeded") == 3
    assert len(model.requests) == 2


@pytest.mark.parametrize(
    ("library", "client", "answer"),
    [
        ("anthropic", "anthropic", message()),
        ("mistralai", "mistral", completion(model="mistral-large-latest")),
    ],
)
def test_calls_of_clients_that_make_their_own_spans_are_counted_from_the_question_on(
    model: ChatModel, library: str, client: str, answer: dict[str, Any]
) -> None:
    """Of six threads that ask at the same moment as many are let through as the cap allows."""
    answered = threading.Event()

    def wait(_: Any) -> Any:
        answered.wait(30)
        return 200, answer

    def ask() -> None:
        try:
            ASK[client](model.root_url, False)
        except BudgetExceeded:
            denied.append(1)
            if len(denied) == 4:
                answered.set()

    denied: list[int] = []
    model.script = [wait]
    with testing.capture(instrument_libraries=[library], budget=TWO_CALLS):
        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(denied), len(model.requests)) == (4, 2)
        assert _guard.current
        assert _guard.current.spending.spent([("process", "")])["process"].calls == 2


def test_a_cap_in_usd_holds_for_a_gateways_client_too(model: ChatModel) -> None:
    """LiteLLM names the model with its provider before it: its calls are priced, and stopped."""
    model.script = [lambda _: (200, completion())]
    with testing.capture(instrument_libraries=["litellm"], budget=Budget(per_process="0.0001")):
        ASK["litellm"](model.base_url, False)
        assert check().action == "deny"
        assert check().spent_usd > 0


def test_a_call_that_leaves_no_span_gives_its_place_back() -> None:
    """A method that raises, or makes no span, is not under way when it is over."""

    def time_out() -> None:
        with hold("openai", "gpt-4o-mini"):
            assert check().action == "deny"
            raise TimeoutError

    with testing.capture(budget=Budget(per_process=Cap(calls=1))):
        for _ in range(2):
            with pytest.raises(TimeoutError):
                time_out()
        assert check().action == "allow"


def test_a_client_inside_of_a_client_is_one_call() -> None:
    """A library that calls another one's client around the same span asks once."""
    with (
        testing.capture(budget=Budget(per_process=Cap(calls=1))),
        hold(None, "openai/gpt-4o-mini"),
        hold("openai", "gpt-4o-mini"),
    ):
        assert check().action == "deny"


def test_a_call_without_a_span_of_its_own_leaves_one() -> None:
    """Where the client has not begun its span yet, the denied call is told by one of ours."""
    with testing.capture(budget=Budget(per_process=0)) as seen, pytest.raises(BudgetExceeded):
        enforce(provider="anthropic", model="claude-sonnet-4-5")
    (span,) = seen.spans
    assert (span.name, span.kind, span.status) == ("chat claude-sonnet-4-5", "client", "error")
    assert span.attributes == {
        "sightline.operation": "llm",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "sightline.budget.decision": "deny",
        "error.type": "BudgetExceeded",
    }


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("library", "model"), [("bedrock", "m"), ("cohere", "command-a-03-2025")])
def test_the_calls_of_other_clients_are_stopped_too(library: str, model: str, stream: bool) -> None:
    """A client whose instrumentation is not installed here: its methods are found and asked before."""
    with testing.capture(budget=Budget(per_process=0)) as seen:
        undo = ask_before_calls(library)
        try:
            with pytest.raises(BudgetExceeded):
                ASK[library](f"http://127.0.0.1:{unused_port()}", stream)
        finally:
            undo()
    assert [span.attributes["gen_ai.request.model"] for span in seen.spans] == [model]


def test_clients_are_as_they_were_when_it_is_over(model: ChatModel) -> None:
    """Undone, nothing is asked any more; without a budget nothing was wrapped to begin with."""
    before = vars(openai.resources.chat.completions.Completions)["create"]
    with testing.capture(instrument_libraries=["openai"], budget=Budget(per_trace=0)):
        assert vars(openai.resources.chat.completions.Completions)["create"] is not before
    assert vars(openai.resources.chat.completions.Completions)["create"] is before
    model.script = [lambda _: (200, completion())]
    with openai.OpenAI(base_url=model.base_url, api_key="k") as client:
        client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
    assert check().action == "allow"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("library", "client"),
    [
        ("openai", "openai"),
        ("openai", "responses"),
        ("anthropic", "anthropic"),
        ("google-genai", "google"),
        ("mistralai", "mistral"),
        ("litellm", "litellm"),
    ],
)
def test_every_clients_call_is_stopped_and_told_of_once(library: str, client: str, stream: bool) -> None:
    """Whoever makes its spans: a denied call raises BudgetExceeded, is not sent, and leaves one span."""
    nowhere = f"http://127.0.0.1:{unused_port()}"
    nothing = Budget(per_process=0)
    with (
        testing.capture(instrument_libraries=[library], budget=nothing) as seen,
        pytest.raises(BudgetExceeded),
    ):
        ASK[client](nowhere, stream)
    assert [span.attributes["sightline.budget.decision"] for span in seen.spans] == ["deny"]
    assert [span.status for span in seen.spans] == ["error"]
