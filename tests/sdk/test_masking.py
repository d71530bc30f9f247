"""What may leave the process."""

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline import _safety, _secrets, testing
from sightline import agent as agent_decorator
from sightline._secrets import Kind
from sightline.masking import NOT_MASKED, Guard, masked

KEY = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"key sk-proj-{KEY}.", "key [SECRET]."),
        (f'{{"k":"sk-ant-api03-{KEY}"}}', '{"k":"[SECRET]"}'),
        ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "[SECRET]"),
        (f"ghp_{KEY}", "[SECRET]"),
        ("AKIAIOSFODNN7EXAMPLE", "[SECRET]"),
        (f"xoxb-{KEY}", "[SECRET]"),
        (f"Authorization: Bearer {KEY}==", "Authorization: [TOKEN]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.SflKxwRJSMeKKF2QT4fwp", "[JWT]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----", "[PRIVATE_KEY]"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE cut in the middle", "[PRIVATE_KEY]"),
        ("write to a.b+c@mail.example.co.uk, now", "write to [EMAIL], now"),
        ("card 4111 1111 1111 1111 ok", "card [CARD] ok"),
        ("card 5500-0000-0000-0004", "card [CARD]"),
        ("a@b.de", "[EMAIL]"),
    ],
)
def test_secrets_and_personal_data_are_replaced_by_their_kind(text: str, left: str) -> None:
    """Provider keys, tokens, private keys, addresses and cards do not leave; what is around them does."""
    assert masked(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "ordinary words, 42 of them",
        "order 4111 1111 1111 1112",  # fails the check digit
        "at 1795268171326527773 ns",  # a time, not a card
        "task-force sk-8 asks @home",
        "2026-11-21T13:34:59 10.0.0.1",
    ],
)
def test_what_only_looks_sensitive_stays(text: str) -> None:
    """Numbers that fail the check digit, times, and short words with the same beginnings are left alone."""
    assert masked(text) == text


@given(st.text())
def test_masking_is_done_once(text: str) -> None:
    """Masking what is masked changes nothing, and the result is well-formed Unicode."""
    once = masked(text)
    once.encode()
    assert masked(once) == once


@pytest.mark.parametrize("unit", ["a@", "eyJ", "4111 ", "sk-", "-----BEGIN PRIVATE KEY-----", "x", "a.b@c."])
def test_time_is_linear_in_the_text(unit: str) -> None:
    """A text made to be slow is not: half a megabyte of any half-begun secret takes less than a second."""
    text = unit * (500_000 // len(unit))
    started = time.process_time()
    masked(text)
    assert time.process_time() - started < 1.0


def test_masking_fails_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should masking itself fail, the value stays here, and the fault is counted."""
    monkeypatch.delenv("SIGHTLINE_STRICT")

    def fails(found: str) -> bool:
        raise RuntimeError("broken validator")

    broken = Kind("CARD", ("4",), re.compile(r"\d{16}"), confirm=fails)
    monkeypatch.setattr(_secrets, "KINDS", (broken,))
    assert masked("4111111111111111") == NOT_MASKED
    assert _safety.faults()[0] == {"masked": 1}
    _safety.forget_faults()


@agent_decorator
def answer(question: str) -> str:
    if "fail" in question:
        raise ValueError(f"cannot answer {question}")
    return f"you are {question}"


@pytest.mark.parametrize(
    ("mode", "given", "returned"),
    [
        ("full", '{"question":"a@b.de"}', '"you are a@b.de"'),
        ("masked", '{"question":"[EMAIL]"}', '"you are [EMAIL]"'),
        ("off", None, None),
    ],
)
def test_the_content_mode_decides_what_a_span_holds(
    mode: Any, given: str | None, returned: str | None
) -> None:
    """Full keeps everything, masked replaces, off leaves no arguments and results at all."""
    with testing.capture(content=mode) as seen:
        answer("a@b.de")
    values = seen.spans[0].attributes
    assert (values.get("sightline.input"), values.get("sightline.output")) == (given, returned)
    assert values["gen_ai.agent.name"] == "answer"


@pytest.mark.parametrize(("mode", "message"), [("masked", "cannot answer fail [EMAIL]"), ("off", None)])
def test_errors_and_stack_traces_obey_too(mode: Any, message: str | None) -> None:
    """An exception's text may quote the prompt: it is masked, and off leaves only the type."""
    with testing.capture(content=mode) as seen, pytest.raises(ValueError, match="cannot"):
        answer("fail a@b.de")
    (span,) = seen.spans
    assert span.status_message == message
    ((_, _, details),) = span.events
    assert details.get("exception.message") == message
    assert "a@b.de" not in str(details)
    assert details["exception.type"] == "ValueError"


def test_names_and_ids_are_never_masked() -> None:
    """A user id that is an address is what the program chose to ask by."""
    assert Guard("masked").attributes({"user.id": "a@b.de", "note": "a@b.de"}) == {
        "user.id": "a@b.de",
        "note": "[EMAIL]",
    }


def test_off_knows_the_content_of_other_dialects() -> None:
    """Prompts under OpenInference's and OpenLLMetry's names do not leave either."""
    foreign = {
        "input.value": "p",
        "llm.input_messages.0.message.content": "p",
        "gen_ai.completion.0.content": "p",
        "traceloop.entity.input": "p",
        "llm.model_name": "m",
    }
    assert Guard("off").attributes(foreign) == {"llm.model_name": "m"}
