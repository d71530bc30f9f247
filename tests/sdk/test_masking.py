"""What may leave the process, by mode: every way that words take."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext, Status, StatusCode
from sdk.programs import run
from sdk.servers import OtlpSink, attributes_of

import sightline
from sightline import _safety, testing
from sightline._outgoing import Draft, prepare
from sightline.masking import Guard
from sightline.masking._content_names import is_content
from sightline.privacy import Privacy

IDS = SpanContext(1, 2, is_remote=False)
NOT_MASKED = "[WITHHELD: masking failed]"


@sightline.agent
def answer(question: str) -> str:
    if "fail" in question:
        raise ValueError(f"cannot answer {question}")
    return f"you are {question}"


@pytest.mark.parametrize(
    ("mode", "given", "returned"),
    [
        ("full", '{"question":"a@b.de"}', '"you are a@b.de"'),
        ("masked", '{"question":"[EMAIL_1]"}', '"you are [EMAIL_1]"'),
        ("hashed", "[SHA256:a34171c7570d168b:21]", "[SHA256:8a97fea54e24fddf:16]"),
        ("off", None, None),
    ],
)
def test_the_content_mode_decides_what_a_span_holds(
    mode: Any, given: str | None, returned: str | None
) -> None:
    """Full keeps everything, masked replaces, hashed tells equal texts, off leaves none of them at all."""
    with testing.capture(content=mode) as seen:
        answer("a@b.de")
    values = seen.spans[0].attributes
    assert (values.get("sightline.input"), values.get("sightline.output")) == (given, returned)
    assert values["gen_ai.agent.name"] == "answer"


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("full", "cannot answer fail a@b.de"),
        ("masked", "cannot answer fail [EMAIL_1]"),
        ("hashed", "[SHA256:2a6c516ea9e92afa:25]"),
        ("off", None),
    ],
)
def test_errors_and_stack_traces_obey_too(mode: Any, message: str | None) -> None:
    """An exception's text may quote the prompt: the mode decides over it, and off leaves only the type."""
    with testing.capture(content=mode) as seen, pytest.raises(ValueError, match="cannot"):
        answer("fail a@b.de")
    (span,) = seen.spans
    ((_, _, details),) = span.events
    assert (span.status_message, details.get("exception.message")) == (message, message)
    assert ("a@b.de" in str(details)) is (mode == "full")
    assert ("Traceback" in str(details)) is (mode in ("full", "masked"))
    assert details["exception.type"] == "ValueError"


def test_one_value_has_one_number_in_all_of_a_span() -> None:
    """Attributes, events, links and status of one span tell the same address from others."""
    draft = Draft(
        ReadableSpan("s", IDS), {"a": "a@b.de", "b": "c@d.de"}, [Event("e", {"said": "c@d.de"}, 5)],
        [Link(IDS, {"note": "a@b.de"})], Status(StatusCode.ERROR, "c@d.de, e@f.de"), 0, 0,
    )  # fmt: skip
    Guard("masked")(draft)
    assert draft.attributes == {"a": "[EMAIL_1]", "b": "[EMAIL_2]"}
    assert [(e.name, e.attributes, e.timestamp) for e in draft.events] == [("e", {"said": "[EMAIL_2]"}, 5)]
    assert [link.attributes for link in draft.links] == [{"note": "[EMAIL_1]"}]
    assert draft.status.description == "[EMAIL_2], [EMAIL_3]"


def test_names_that_hold_data_are_masked() -> None:
    """An event's name, and a log field's, is searched like a value; what is found in it does not leave."""
    draft = Draft(ReadableSpan("s", IDS), {}, [Event("to a@b.de")], (), Status(StatusCode.UNSET), 0, 0)
    Guard("masked")(draft)
    record = LogRecord(attributes={"of a@b.de": 1, "order": "x"}, body="")
    Guard("masked").log(record)
    assert (draft.events[0].name, record.attributes) == ("to [EMAIL_1]", {"of [EMAIL_1]": 1, "order": "x"})


def test_a_spans_name_and_its_attributes_names_are_masked() -> None:
    """A name that was made of data gives none of it away; the same value has the same number all over."""
    source = ReadableSpan("mail a@b.de", IDS)
    values = {"of a@b.de": "c@d.de", "count of c@d.de": 1, "order": "x"}
    draft = Draft(source, values, (), (), Status(StatusCode.UNSET), 0, 0)
    Guard("masked")(draft)
    assert draft.finished().name == "mail [EMAIL_1]"
    assert draft.attributes == {"of [EMAIL_1]": "[EMAIL_2]", "count of [EMAIL_2]": 1, "order": "x"}


def test_a_resource_obeys_like_a_span(sink: OtlpSink) -> None:
    """What is said of the process is searched, for spans, records and losses."""
    program = """
import sightline
sightline.init("bot", instrument=False)
with sightline.stage("s"):
    sightline.feedback(thumbs="up")
"""
    said = "owner=a@b.de,db.password=x,team=shop"
    run(program, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_RESOURCE_ATTRIBUTES=said)
    for request in (sink.traces[0].resource_spans, sink.log_requests[0].resource_logs):
        values = attributes_of(request[0].resource)
        assert {name: values[name] for name in ("owner", "db.password", "team", "service.name")} == {
            "owner": "[EMAIL_1]",
            "db.password": "[SECRET_1]",
            "team": "shop",
            "service.name": "bot",
        }


def test_a_resource_that_is_let_pass_is_the_same() -> None:
    """Without a find nothing is made anew; it is looked at once."""
    guard, resource = Guard("masked"), Resource({"service.name": "bot"})
    assert guard.resource(resource) is resource
    assert Guard("full").resource(Resource({"owner": "a@b.de"})).attributes == {"owner": "a@b.de"}


def test_names_and_ids_are_never_masked() -> None:
    """A user id that is an address is what the program chose to ask by."""
    assert Guard("masked").attributes({"user.id": "a@b.de", "note": "a@b.de"}) == {
        "user.id": "a@b.de",
        "note": "[EMAIL_1]",
    }


@pytest.mark.parametrize(
    "name",
    ["http.request.header.authorization", "http.request.header.set-cookie", "db.password", "x-api-key",
     "apiKey", "client_secret", "refresh_token", "SessionToken", "bearer-token", "passphrase",
     "password_confirmation", "db_pass", "token"],
)  # fmt: skip
def test_what_is_named_a_credential_does_not_leave(name: str) -> None:
    """Its value is a secret, whatever it looks like, also deep in a map and when there are several."""
    values = {name: ["abc", "def"], "deep": {"very": {name: "abc"}}, "on": True}
    assert Guard("masked").attributes(values) == {
        name: ["[SECRET_1]", "[SECRET_2]"],
        "deep": {"very": {name: "[SECRET_1]"}},
        "on": True,
    }
    assert Guard("full").attributes(values) == values


@pytest.mark.parametrize("mode", ["off", "hashed"])
def test_the_content_of_other_dialects_is_known(mode: Any) -> None:
    """Prompts under other libraries' names do not leave either; what they call the model does."""
    foreign = {
        "input.value": "p",
        "llm.input_messages.0.message.content": "p",
        "gen_ai.prompt.12.content": "p",
        "gen_ai.completion.0.content": "p",
        "gen_ai.prompt.variable.name": "p",
        "traceloop.entity.input": "p",
        "ai.response.text": "p",
        "langfuse.observation.output": "p",
        "gcp.vertex.agent.llm_request": "p",
        "mlflow.spanInputs": ["p", {"deep": "p"}],
        "llm.model_name": "m",
        "gen_ai.prompt.name": "greet",
    }
    left = Guard(mode).attributes(foreign)
    assert {name: value for name, value in left.items() if not is_content(name)} == {
        "llm.model_name": "m",
        "gen_ai.prompt.name": "greet",
    }
    assert '"p"' not in str(left)
    assert len(left) == (2 if mode == "off" else len(foreign))


@pytest.mark.parametrize(
    ("mode", "attributes", "body"),
    [
        ("full", {"note": "a@b.de", "exception.message": "c@d.de"}, {"content": ["a@b.de", 1, None]}),
        (
            "masked",
            {"note": "[EMAIL_1]", "exception.message": "[EMAIL_2]"},
            {"content": ["[EMAIL_1]", 1, None]},
        ),
        (
            "hashed",
            {"note": "[SHA256:363a175f65786e77:6]", "exception.message": "[SHA256:e805b2f74535440c:6]"},
            "[SHA256:9afb3235dc37afef:29]",
        ),
        ("off", {}, None),
    ],
)
def test_a_log_record_obeys_whatever_its_shape(mode: Any, attributes: Any, body: Any) -> None:
    """Other libraries put words into bodies of any structure; attributes and body share their numbers."""
    record = LogRecord(
        attributes={"note": "a@b.de", "exception.message": "c@d.de"}, body={"content": ["a@b.de", 1, None]}
    )
    Guard(mode).log(record)
    assert (record.attributes, record.body) == (attributes, body)


def test_bytes_are_searched_and_otherwise_stay() -> None:
    """What is no text may hold one; what is found is cut out of it."""
    values = {"a": b"\xff\x00 a@b.de", "b": b"\xff\x00"}
    assert Guard("masked").attributes(values) == {"a": b"\xff\x00 [EMAIL_1]", "b": b"\xff\x00"}


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
    values: Any = {"user.id": "u1", "note": "a@b.de", "broken": Broken()}
    draft = Draft(
        ReadableSpan("s", IDS), values, [Event("said", {"text": "a@b.de"})], (),
        Status(StatusCode.ERROR, "a@b.de"), 0, 0,
    )  # fmt: skip
    Guard("masked")(draft)
    assert draft.attributes == {"user.id": "u1", "note": NOT_MASKED, "broken": NOT_MASKED}
    assert (draft.events, draft.status.description) == ((), NOT_MASKED)
    assert _safety.faults()[0] == {"Guard": 1}
    _safety.forget_faults()


def test_a_span_whose_names_are_none_leaves_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """When not even the withholding works, nothing of it leaves but its name and its times."""
    monkeypatch.delenv("SIGHTLINE_STRICT")
    values: Any = {"note": "a@b.de", 7: "c@d.de"}

    def spoil(draft: Draft) -> None:
        draft.attributes, draft.status = values, Status(StatusCode.ERROR, "a@b.de")

    (left,) = prepare([ReadableSpan("s", IDS)], [spoil, Guard("masked")])
    assert (left.attributes, left.status.description) == ({}, NOT_MASKED)
    _safety.forget_faults()


def test_a_log_record_that_cannot_be_searched_leaves_without_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The record itself arrives, so that it is counted, and says that it was withheld."""
    monkeypatch.delenv("SIGHTLINE_STRICT")
    values: Any = {"session.id": "s1", "note": "a@b.de", "broken": Broken()}
    record = LogRecord(attributes=values, body="a@b.de")
    Guard("masked").log(record)
    assert record.attributes == {"session.id": "s1", "note": NOT_MASKED, "broken": NOT_MASKED}
    assert record.body is None
    assert _safety.faults()[0] == {"Guard": 1}
    _safety.forget_faults()


def test_what_is_neither_text_nor_number_is_withheld() -> None:
    """A value of a type that cannot be searched does not leave, nor what lies too deep to be searched."""
    deep: Any = "a@b.de"
    for _ in range(50):
        deep = [deep]
    left = Guard("masked").attributes({"a": object(), "b": "c@d.de", "deep": deep})
    assert left["a"] == NOT_MASKED
    assert "a@b.de" not in str(left)


def test_names_without_end_are_judged_all_the_same() -> None:
    """A library that numbers its attributes fills no memory, and its content is known to the last."""
    guard = Guard(Privacy("off"))
    values = {f"llm.input_messages.{n}.message.content": "p" for n in range(10_000)}
    assert guard.attributes(values) == {}
