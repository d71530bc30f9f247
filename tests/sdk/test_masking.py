"""What may leave the process."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from sightline import _safety, _secrets, testing
from sightline import agent as agent_decorator
from sightline._capture import well_formed
from sightline._outgoing import Draft
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


@pytest.mark.parametrize(
    "unit",
    [
        "a@",
        "eyJ",
        "4111 ",
        "sk-",
        "-----BEGIN PRIVATE KEY-----",
        "x",
        "a.b@c.",
        "eyJaaaaaaaa.",
        "bearer a",
        "é4",
    ],
)
def test_a_text_made_to_be_slow_ends(unit: str) -> None:
    """Half a megabyte of any half-begun secret is done with: each step is bounded, so the time is linear.

    A pattern whose time grew with the square of the text would hold this test up until the suite's own limit.
    """
    assert masked(unit * (500_000 // len(unit)))


PIECES = [
    f"sk-proj-{KEY}", f"AIza{KEY[:35]}", f"ghp_{KEY}", "xoxb-1234567890", "xoxb-123456789", f"npm_{KEY}",
    "AKIAIOSFODNN7EXAMPLE", f"hf_{KEY}", "glpat-" + "a" * 20, "glpat-" + "a" * 19, "rk_live_" + "a" * 16,
    "Bearer ", "BEARER ", "eyJ" + "a" * 8 + ".", "b" * 8, ".", "-----BEGIN PRIVATE KEY-----", "-----BEGIN",
    "a@b.de", "@", "4111", "1111", "1111 1111", "4111-1111-1111-1111", "4111111111111111", "٤١١١", " ", "-",
    "\n", "é", "\ud800", "word", "/",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join))
def test_the_cheap_look_misses_nothing(text: str) -> None:
    """Whatever is put together of secrets, halves of them and words: the result is that of every pattern."""
    expected = text.encode("utf-8", "replace").decode()
    for kind in _secrets.KINDS:
        if any(hint in expected for hint in kind.hints):
            expected = kind.pattern.sub(partial(_secrets._placeholder, kind), expected)
    assert masked(text) == expected
    left = Guard("masked").attributes({"a": "words", "b": text, "c": [text]})
    assert [well_formed(value) for value in (left["a"], left["b"], *left["c"])] == [
        "words",
        expected,
        expected,
    ]


@pytest.mark.parametrize(
    ("text", "looked_at"),
    [
        ("Order 12345 of 2026-11-21 cost 12.50 EUR, see page 7: ordinary words.", False),
        ('{"question":"why?","limit":3,"options":["first","second"]}', False),
        ("mail me @home", True),
        ("at 4111 1111 1111 1112", True),
        ("the path /var/log/application/events", True),
    ],
)
def test_ordinary_text_is_not_searched(text: str, looked_at: bool) -> None:
    """Only an @, thirteen digits or a long word give reason to try the patterns."""
    assert _secrets.may_hold_secrets(text) == looked_at


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


def test_links_are_masked_too() -> None:
    """What a span says about another one is words like any others."""
    context = SpanContext(1, 2, is_remote=False)
    draft = Draft.of(ReadableSpan("s", context, links=[Link(context, {"note": "a@b.de"})]))
    Guard("masked")(draft)
    assert [link.attributes for link in draft.links] == [{"note": "[EMAIL]"}]


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


@pytest.mark.parametrize("nested", [["a@b.de"], {"user.id": "a@b.de"}, [{"deep": ("x", "a@b.de")}]])
def test_what_lies_deep_is_masked_too(nested: Any) -> None:
    """Lists and maps are searched through, whatever their inner names are."""
    assert "a@b.de" not in str(Guard("masked").attributes({"note": nested}))


def test_a_log_records_body_is_masked_whatever_its_shape() -> None:
    """Other libraries put words into bodies of any structure."""
    assert Guard("masked").body({"content": ["a@b.de", 1, None]}) == {"content": ["[EMAIL]", 1, None]}
    assert Guard("full").body({"content": "a@b.de"}) == {"content": "a@b.de"}


class Broken(Mapping[str, Any]):
    """A value that fails when it is looked into."""

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("broken")

    def __len__(self) -> int:
        return 1


def test_a_span_that_cannot_be_searched_leaves_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the guard itself fails nothing that it had to judge leaves; ids, which it never judges, do."""
    monkeypatch.delenv("SIGHTLINE_STRICT")
    context = SpanContext(1, 2, is_remote=False)
    values: Any = {"user.id": "u1", "note": "a@b.de", "broken": Broken()}
    event = Event("said", {"text": "a@b.de"})
    span = ReadableSpan(
        "s", context, attributes=values, events=[event], status=Status(StatusCode.ERROR, "a@b.de")
    )
    draft = Draft.of(span)
    Guard("masked")(draft)
    assert draft.attributes == {"user.id": "u1", "note": NOT_MASKED, "broken": NOT_MASKED}
    assert (draft.events, draft.status.description) == ((), NOT_MASKED)
    assert _safety.faults()[0] == {"Guard": 1}
    _safety.forget_faults()
