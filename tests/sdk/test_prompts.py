"""Prompts with a name and a version, and the model calls made with them."""

import threading
from collections.abc import Generator
from typing import Any

import openai
import pytest
from sdk.servers import ChatModel, completion

import sightline
from sightline import _prompt_link, _runtime, testing
from sightline.testing import Captured

GREETING = sightline.prompt("greeting", 'Say hello to {{name}}. Answer as {"text": ...}.', version=3)
LINKED = {
    "gen_ai.prompt.name": "greeting",
    "gen_ai.prompt.version": "3",
    "sightline.prompt.template": 'Say hello to {{name}}. Answer as {"text": ...}.',
    "gen_ai.prompt.variable.name": "Ann",
}


def prompt_of(seen: Captured, name: str) -> dict[str, Any]:
    """What a span says of a prompt."""
    return {key: value for key, value in seen.span(name).attributes.items() if "prompt" in key}


def call(model: str = "m") -> None:
    with sightline.llm_call(provider="openai", model=model):
        pass


def test_a_model_call_says_which_prompt_made_it(seen: Captured) -> None:
    """Name and version are on every span of the block, template and variables on model calls only."""
    with GREETING.using(name="Ann") as text, sightline.stage("work"):
        call()
    with sightline.stage("after"):
        pass
    assert text == 'Say hello to Ann. Answer as {"text": ...}.'
    assert prompt_of(seen, "chat m") == LINKED
    assert prompt_of(seen, "work") == {"gen_ai.prompt.name": "greeting", "gen_ai.prompt.version": "3"}
    assert prompt_of(seen, "after") == {}


@pytest.mark.parametrize(
    ("values", "linked"),
    [
        ({"gen_ai.operation.name": "chat"}, True),
        ({"gen_ai.operation.name": "embeddings"}, True),
        ({"gen_ai.request.model": "m"}, True),
        ({"openinference.span.kind": "LLM"}, True),
        ({"gen_ai.operation.name": "execute_tool"}, False),
        ({"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "m"}, False),
        ({}, False),
    ],
)
def test_foreign_model_calls_are_linked_too(seen: Captured, values: Any, linked: bool) -> None:
    """A span that says at its start that it calls a model carries the template, whoever made it."""
    with GREETING.using(name="Ann"):
        _runtime.current.tracer.start_span("foreign", attributes=values).end()
    assert ("sightline.prompt.template" in prompt_of(seen, "foreign")) is linked


@pytest.mark.parametrize(
    ("values", "linked"),
    [
        ({"openinference.span.kind": "LLM"}, True),
        ({"gen_ai.operation.name": "chat"}, True),
        ({"openinference.span.kind": "CHAIN"}, False),
        ({"http.request.method": "POST"}, False),
    ],
)
def test_a_call_that_says_so_late_is_linked_at_its_end(seen: Captured, values: Any, linked: bool) -> None:
    """Some instrumentations say what a span is after they have started it, and end it after the block."""
    with GREETING.using(name="Ann"):
        span = _runtime.current.tracer.start_span("foreign", attributes={"early": 1})
    span.set_attributes(values)
    span.end()
    named = {name: said for name, said in LINKED.items() if name in _prompt_link.NAMED}
    assert prompt_of(seen, "foreign") == (LINKED if linked else named)
    assert seen.span("foreign").attributes["early"] == 1


def test_a_call_of_an_observed_client_is_linked(model: ChatModel) -> None:
    """The openai client, observed by OpenTelemetry's instrumentation, is told nothing of prompts."""
    model.script = [lambda request: (200, completion())]
    with (
        testing.capture(instrument_libraries=["openai"]) as seen,
        openai.OpenAI(base_url=model.base_url, api_key="k", max_retries=0) as client,
        GREETING.using(name="Ann") as text,
    ):
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])
    assert prompt_of(seen, "chat m") == LINKED


def test_everything_in_one_call(seen: Captured) -> None:
    """A prompt that is used once needs no name in the program."""
    with sightline.prompt("p", "Hi {{ who }}", version="v1", variables={"who": 7}) as text:
        call()
    assert text == "Hi 7"
    assert prompt_of(seen, "chat m") == {
        "gen_ai.prompt.name": "p",
        "gen_ai.prompt.version": "v1",
        "sightline.prompt.template": "Hi {{ who }}",
        "gen_ai.prompt.variable.who": "7",
    }


def test_messages_are_filled_in_to_every_depth(seen: Captured) -> None:
    """A template may be a list of messages, with texts in their parts; it is recorded as JSON."""
    template = [
        {"role": "system", "content": "Be {{manner}}."},
        {"role": "user", "content": [{"type": "text", "text": "{{question}}"}, {"type": "image", "n": 1}]},
    ]
    with sightline.prompt("p", template, variables={"manner": "kind", "question": "Why?"}) as messages:
        call()
    assert messages == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Why?"}, {"type": "image", "n": 1}]},
    ]
    assert prompt_of(seen, "chat m")["sightline.prompt.template"].startswith(
        '[{"role":"system","content":"Be {{manner}}."}'
    )


def test_without_a_version_the_template_is_its_version() -> None:
    """The version changes with the template and with nothing else."""
    first, same, other = (
        sightline.prompt("p", text).version for text in ("Hi {{a}}", "Hi {{a}}", "Ho {{a}}")
    )
    assert first == same == "5e4342e38baf"
    assert other != first


def test_messages_too_have_their_version() -> None:
    """It changes with any part of them, however long they are."""
    versions = {
        sightline.prompt("p", [{"role": "user", "content": "x" * 100_000 + end}]).version for end in "abb"
    }
    assert len(versions) == 2


def test_what_a_variable_holds_is_never_filled_in() -> None:
    """A user who writes {{secret}} gets it back as it was."""
    used = sightline.prompt(
        "p", "{{question}} {{secret}}", variables={"question": "{{secret}}", "secret": "s"}
    )
    assert used.filled == "{{secret}} s"


@pytest.mark.parametrize("text", ["{name}", "{{ }}", "{{1}}", "{{#each x}}", '{"a": {"b": 1}}', "{{"])
def test_other_braces_stay_as_they_are(text: str) -> None:
    """JSON, code and other template languages are not ours to fill in."""
    assert sightline.prompt("p", text).filled == text


def test_missing_variables_are_named(seen: Captured) -> None:
    """All of them at once, with what to do; nothing is recorded as this prompt's."""
    wanted = sightline.prompt("p", "{{a}} {{b}} {{c}}").using(b=1)
    with pytest.raises(sightline.ConfigurationError) as refused, wanted:
        pass
    assert str(refused.value) == "prompt 'p' lacks a, c: give each a value in using() or variables="
    call()
    assert prompt_of(seen, "chat m") == {}


def test_one_prompt_serves_many_threads_and_streams_at_once(seen: Captured) -> None:
    """Each use ends with its own block, however they overlap."""
    hello = sightline.prompt("shared", "Hello", version=1)
    opened = threading.Barrier(2)

    def work(model: str) -> None:
        with hello:
            opened.wait(10)
            call(model)
        call(f"after {model}")

    @sightline.step
    def stream(model: str) -> Generator[int]:
        with hello:
            yield 1
            call(model)
        call(f"after {model}")

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in zip(stream("c"), stream("d"), strict=True):
        call("between")
    named = {span.name: span.attributes.get("gen_ai.prompt.name") for span in seen.spans}
    assert {name: named[f"chat {name}"] for name in "abcd"} == dict.fromkeys("abcd", "shared")
    assert [named[f"chat after {name}"] for name in "abcd"] == [None] * 4
    assert named["chat between"] is None


def test_the_inner_prompt_wins(seen: Captured) -> None:
    """Of two blocks the inner one made the call; a name said by context() has no template that we know."""
    with GREETING.using(name="Ann"):
        with sightline.prompt("inner", "x", version=1):
            call("inner")
        with sightline.context(prompt=("other", 9)):
            call("named")
        call("outer")
    assert prompt_of(seen, "chat inner") == {
        "gen_ai.prompt.name": "inner",
        "gen_ai.prompt.version": "1",
        "sightline.prompt.template": "x",
    }
    assert prompt_of(seen, "chat named") == {"gen_ai.prompt.name": "other", "gen_ai.prompt.version": "9"}
    assert prompt_of(seen, "chat outer") == LINKED


def test_template_and_variables_are_content() -> None:
    """Off keeps them here, masked masks them; name and version are no content."""
    used = sightline.prompt("p", "Hi {{who}}, ask a@b.de", version=1, variables={"who": "x@y.de"})
    with testing.capture(content="off") as off, used:
        call()
    assert prompt_of(off, "chat m") == {"gen_ai.prompt.name": "p", "gen_ai.prompt.version": "1"}
    with testing.capture(content="masked") as masked, used:
        call()
    said = prompt_of(masked, "chat m")
    assert "a@b.de" not in said["sightline.prompt.template"]
    assert "x@y.de" not in said["gen_ai.prompt.variable.who"]


def test_endless_templates_and_crowds_of_variables_are_cut(seen: Captured) -> None:
    """The model is given everything; the span keeps what fits."""
    crowd = {f"v{number}": "x" * 10_000 for number in range(100)}
    with sightline.prompt("p", "{{v1}}" + "y" * 100_000, variables=crowd) as text:
        call()
    said = prompt_of(seen, "chat m")
    assert len(text) == 110_000
    assert len(said["sightline.prompt.template"]) == 32_768
    variables = {key: len(value) for key, value in said.items() if ".variable." in key}
    assert variables == {f"gen_ai.prompt.variable.v{number}": 4_096 for number in range(32)}


def test_a_variable_without_a_place_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """A misspelt place, or one in single braces, would go to the model as it stands."""
    with sightline.prompt("greeting", "Hello {name}").using(name="Ann") as text:
        assert text == "Hello {name}"
    assert "'greeting' has no place for name: a place is written {{name}}" in caplog.text
