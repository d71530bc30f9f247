"""`Privacy`: modes by name, own functions, time, hashes."""

import hashlib
import hmac
from typing import Any

import pytest
from opentelemetry._logs import LogRecord
from sdk.masks import masked
from sdk.servers import OtlpSink, attributes_of

import sightline
from sightline import _safety, testing
from sightline.masking import Guard
from sightline.privacy import Privacy

WITHHELD = "[WITHHELD: masking failed]"
TOO_LONG = "[WITHHELD: masking took too long]"


@sightline.step
def ask(question: str) -> str:
    return question.upper()


def test_an_attribute_may_have_a_mode_of_its_own() -> None:
    """An exact name wins over a beginning, the longer beginning over the shorter, and over content's mode."""
    privacy = Privacy(
        "off",
        attributes={
            "sightline.input": "masked",
            "app.*": "off",
            "app.kept.*": "full",
            "app.kept.not": "hashed",
        },
    )
    values = {
        "sightline.input": "a@b.de",
        "sightline.output": "x",
        "app.a": "x",
        "app.kept.b": "a@b.de",
        "app.kept.not": "x",
        "other": "a@b.de",
    }
    assert Guard(privacy).attributes(values) == {
        "sightline.input": "[EMAIL_1]",
        "app.kept.b": "a@b.de",
        "app.kept.not": f"[SHA256:{hashlib.sha256(b'x').hexdigest()[:16]}:1]",
        "other": "[EMAIL_1]",
    }


def test_content_that_one_name_wants_is_captured() -> None:
    """With all content off but one attribute, that one is there."""
    with testing.capture(content=Privacy("off", attributes={"sightline.output": "full"})) as seen:
        ask("why?")
    values = seen.spans[0].attributes
    assert (values.get("sightline.input"), values["sightline.output"]) == (None, '"WHY?"')


def test_log_lines_may_stay_where_content_goes() -> None:
    """The body of a log record and the message of a status have names, too."""
    record = LogRecord(body="to a@b.de", attributes={"exception.message": "x"})
    Guard(Privacy("off", attributes={"log.body": "masked"})).log(record)
    assert (record.body, record.attributes) == ("to [EMAIL_1]", {})


def test_own_functions_come_after_the_built_in_ones() -> None:
    """Each sees what the former left, of every text, also of those in which nothing was found."""
    privacy = Privacy(
        maskers=(lambda text: text.replace("Ann", "[NAME]"), lambda text: text.replace("[EMAIL_1]", "[MAIL]"))
    )
    values = {"note": "Ann is a@b.de", "list": ["Ann", 1], "user.id": "Ann"}
    assert Guard(privacy).attributes(values) == {
        "note": "[NAME] is [MAIL]",
        "list": ["[NAME]", 1],
        "user.id": "Ann",
    }


def fails(text: str) -> str:
    raise RuntimeError(f"broken on {text}")


@pytest.mark.parametrize("function", [fails, len, lambda text: None])
def test_an_own_function_that_fails_lets_nothing_pass(function: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that raises or returns no text withholds that text, and is counted as a fault."""
    monkeypatch.delenv("SIGHTLINE_STRICT")
    assert Guard(Privacy(maskers=(function,))).attributes({"note": "a", "n": 1}) == {"note": WITHHELD, "n": 1}
    assert _safety.faults()[0] == {"masked": 1}
    _safety.forget_faults()


def test_what_takes_too_long_is_withheld() -> None:
    """When a span's time is spent, what was not masked by then does not leave; what needs no masking does."""
    now_ns = [0]

    def slow(text: str) -> str:
        now_ns[0] += 60_000_000
        return text

    guard = Guard(Privacy(maskers=(slow,), time_cap_ms=100), lambda: now_ns[0])
    left = guard.attributes({"a": "x", "b": "x", "c": "x", "n": 1, "user.id": "u"})
    assert left == {"a": "x", "b": TOO_LONG, "c": TOO_LONG, "n": 1, "user.id": "u"}
    assert guard.attributes({"a": "x"}) == {"a": "x"}


def test_equal_texts_have_equal_hashes() -> None:
    """Drift and duplicates can be asked for, over processes; the length stays, what was said does not."""
    left = Guard("hashed").attributes(
        {"input.value": "why?", "output.value": "why?", "gen_ai.prompt": "who?"}
    )
    assert (
        left["input.value"]
        == left["output.value"]
        == f"[SHA256:{hashlib.sha256(b'why?').hexdigest()[:16]}:4]"
    )
    assert left["gen_ai.prompt"] != left["input.value"]


def test_with_a_key_hashes_cannot_be_tried_out() -> None:
    """Content becomes an HMAC with a domain of its own; a key is the same as text and as bytes."""
    digest = hmac.new(b"k", b"sightline.content\0why?", hashlib.sha256).hexdigest()
    for key in ("k", b"k"):
        left = Guard(Privacy("hashed", hash_key=key)).attributes({"input.value": "why?"})
        assert left == {"input.value": f"[HMAC:{digest[:16]}:4]"}


def test_user_ids_can_be_hashed_everywhere() -> None:
    """On spans, also under other libraries' names, and on feedback, a user has the same keyed hash."""
    digest = hmac.new(b"k", b"sightline.user\0u1", hashlib.sha256).hexdigest()[:32]
    with (
        testing.capture(content=Privacy("full", hash_key="k", hash_user_ids=True)) as seen,
        sightline.context(user_id="u1", session_id="s1"),
        sightline.stage("work"),
    ):
        sightline.feedback(thumbs="up")
    assert seen.spans[0].attributes["user.id"] == seen.logs[0].attributes["user.id"] == digest
    assert seen.spans[0].attributes["session.id"] == "s1"
    guard = Guard(Privacy(hash_key="k", hash_user_ids=True))
    assert guard.attributes({"enduser.id": "u1"}) == {"enduser.id": digest}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"content": "some"}, "content is 'some'; it may be one of full, masked, hashed, off"),
        ({"attributes": {"a": "none"}}, "a is 'none'; it may be one of"),
        ({"kinds": {"MAIL", "CARD"}}, "kinds is MAIL; it may be some of BR_CPF, CARD"),
        ({"attributes": [("a", "off")]}, "attributes must be a map"),
        ({"kinds": "EMAIL"}, "kinds is 'EMAIL'; it may be some of"),
        ({"kinds": 5}, "kinds is 5; it may be some of"),
        ({"maskers": ("no",)}, "maskers must be a tuple of functions"),
        ({"maskers": str.upper}, "maskers must be a tuple of functions"),
        ({"hash_key": 5}, "hash_key must be a text or bytes"),
        ({"time_cap_ms": "1"}, "time_cap_ms is '1'; it must be above 0"),
        ({"time_cap_ms": 0}, "time_cap_ms is 0; it must be above 0"),
        ({"hash_user_ids": True}, "hash_user_ids needs a hash_key"),
    ],
)
def test_a_wrong_privacy_is_refused_in_words(given: Any, message: str) -> None:
    """The error names the setting, its value, and what it may be."""
    with pytest.raises(sightline.ConfigurationError, match=message):
        Privacy(**given)


def test_a_key_is_not_printed() -> None:
    """What is logged of a privacy does not give its key away."""
    assert "hunter2" not in repr(Privacy(hash_key="hunter2"))


def test_init_takes_a_privacy(sink: OtlpSink) -> None:
    """What leaves over the network has passed it: attributes, events, status, feedback."""
    privacy = Privacy(
        attributes={"sightline.output": "off"}, maskers=(lambda text: text.replace("Ann", "[NAME]"),)
    )
    sightline.init(endpoint=sink.url, content=privacy, instrument=False)
    with sightline.stage("work"):
        ask("Ann?")
        sightline.feedback(thumbs="up", comment="Ann wrote from a@b.de")
    assert sightline.flush()
    step = next(span for span in sink.spans if span.name.endswith("ask"))
    assert attributes_of(step)["sightline.input"] == '{"question":"[NAME]?"}'
    assert "sightline.output" not in attributes_of(step)
    assert attributes_of(sink.logs[0])["gen_ai.evaluation.explanation"] == "[NAME] wrote from [EMAIL_1]"


def test_masked_is_the_default() -> None:
    """Who says nothing has secrets and personal data masked."""
    assert Privacy() == Privacy("masked")
    assert masked("a@b.de") == "[EMAIL_1]"


@pytest.mark.parametrize(
    "name",
    ["user.id", "enduser.id", "enduser.pseudo.id", "user.name", "user.email", "usr.id", "userId",
     "ai.telemetry.metadata.userId", "langfuse.trace.user_id", "langfuse.user.id"],
)  # fmt: skip
def test_user_ids_are_hashed_under_the_names_of_all_dialects(name: str) -> None:
    """Whoever instruments the program, and whatever it calls its user: the hash is the same."""
    guard = Guard(Privacy("full", hash_key="k", hash_user_ids=True))
    assert guard.attributes({name: "ann"})[name] == guard.attributes({"user.id": "ann"})["user.id"] != "ann"


def test_labels_are_kept_without_content() -> None:
    """An answer to the program's own question is what it asks by: masked, but never left out."""
    left = Guard("off").attributes({"gen_ai.evaluation.score.label": "bad, says a@b.de"})
    assert left == {"gen_ai.evaluation.score.label": "bad, says [EMAIL_1]"}
