"""What people thought of an answer."""

import subprocess
import sys
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext
from sdk.servers import OtlpSink, attributes_of

import sightline
from sightline import attributes, testing
from sightline.testing import Captured, CapturedLog


def test_thumbs_are_one_whole_event(seen: Captured) -> None:
    """A thumb down is the evaluation event with score 0, label down, and the ids of the judged span."""
    with (
        sightline.context(user_id="u1", session_id="s1", feature="support", variant="B"),
        sightline.stage("work"),
    ):
        returned = sightline.feedback(
            thumbs="down", comment="wrong price", correction="It is 12 EUR", id="f1", source="annotator"
        )
    assert returned == "f1"
    assert seen.logs == [
        CapturedLog(
            event_name="gen_ai.evaluation.result",
            trace_id=seen.spans[0].trace_id,
            span_id=seen.spans[0].span_id,
            time_ns=1767225600_001_000_000,
            attributes={
                "gen_ai.evaluation.name": "user_feedback",
                "gen_ai.evaluation.score.value": 0.0,
                "gen_ai.evaluation.score.label": "down",
                "gen_ai.evaluation.explanation": "wrong price",
                "sightline.feedback.correction": "It is 12 EUR",
                "sightline.feedback.source": "annotator",
                "sightline.feedback.id": "f1",
                "sightline.feedback.kind": "thumbs",
                "user.id": "u1",
                "session.id": "s1",
                "sightline.feature": "support",
            },
        )
    ]


@pytest.mark.parametrize(
    ("given", "kind", "score", "label"),
    [
        ({"thumbs": "up"}, "thumbs", 1.0, "up"),
        ({"score": 0.25, "name": "accuracy"}, "score", 0.25, None),
        ({"label": "spam"}, "label", None, "spam"),
        ({"comment": "hm"}, "comment", None, None),
        ({"correction": {"price": 12}}, "correction", None, None),
    ],
)
def test_each_kind_of_feedback(
    seen: Captured, given: Any, kind: str, score: float | None, label: str | None
) -> None:
    """Thumbs, scores, labels, comments and corrections are told apart."""
    with sightline.stage("work"):
        sightline.feedback(**given)
    values = seen.logs[0].attributes
    assert values["sightline.feedback.kind"] == kind
    assert values.get("gen_ai.evaluation.score.value") == score
    assert values.get("gen_ai.evaluation.score.label") == label
    assert values.get("sightline.feedback.correction") == ('{"price":12}' if kind == "correction" else None)


def test_the_contract_lists_every_kind(seen: Captured) -> None:
    """What the SDK says a judgement is, `attributes.KINDS` says, too."""

    @sightline.evaluator(run="inline")
    def same(output: object) -> list[object]:
        return [output]

    with sightline.stage("work"):
        for given in ({"thumbs": "up"}, {"score": 1}, {"label": "x"}, {"comment": "x"}, {"correction": "x"}):
            sightline.feedback(**given)
        sightline.feedback(signal="copy")
        sightline.record_outcome(None, "refund", True)
        sightline.evaluate(same)
    assert tuple(log.attributes[attributes.FEEDBACK_KIND] for log in seen.logs) == attributes.KINDS


def test_a_remembered_span_is_judged_later(seen: Captured) -> None:
    """A traceparent is enough to judge a span that ended long ago, under another current span."""
    with sightline.stage("first"):
        remembered = sightline.traceparent()
    with sightline.stage("second"):
        sightline.feedback(remembered, thumbs="up")
    first = seen.span("first")
    assert remembered == f"00-{first.trace_id}-{first.span_id}-01"
    assert (seen.logs[0].trace_id, seen.logs[0].span_id) == (first.trace_id, first.span_id)


def test_a_model_call_is_judged_by_its_traceparent(seen: Captured) -> None:
    """`llm_call` tells its own traceparent, and may itself be what is judged."""
    with sightline.llm_call(provider="openai", model="gpt-4o-mini") as call:
        remembered = call.traceparent()
    sightline.feedback(remembered, score=1)
    sightline.feedback(call, score=1)
    assert [log.span_id for log in seen.logs] == [seen.spans[0].span_id] * 2


def test_each_feedback_has_its_own_id(seen: Captured) -> None:
    """Without an id given, two feedbacks are two."""
    with sightline.stage("work"):
        ids = {sightline.feedback(thumbs="up"), sightline.feedback(thumbs="up")}
    assert {log.attributes["sightline.feedback.id"] for log in seen.logs} == ids
    assert len(ids) == 2


@pytest.mark.parametrize("target", [None, "", "nonsense", "00-zz-zz-zz", "00-0-0-0"])
def test_without_a_span_to_judge_nothing_is_sent(
    seen: Captured, target: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """The program is told in the log, once a minute, and goes on."""
    sightline.feedback(target, thumbs="up")
    assert seen.logs == []
    assert "there is no span to judge" in caplog.text


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "give thumbs, score, label, signal, comment or correction"),
        ({"name": "accuracy", "source": "judge"}, "give thumbs, score, label, signal, comment or correction"),
        ({"thumbs": "sideways"}, "thumbs='sideways' is neither 'up' nor 'down'"),
        ({"thumbs": True, "comment": "fine"}, "thumbs=True is neither 'up' nor 'down'"),
        ({"thumbs": ["up"]}, "thumbs=['up'] is neither 'up' nor 'down'"),
        ({"score": float("nan")}, "nan is no finite number"),
        ({"score": float("-inf"), "comment": "hm"}, "-inf is no finite number"),
        ({"score": "0.5"}, "str is no finite number"),
        ({"score": 10**400}, "int is no finite number"),
        ({"signal": ["copy"]}, "signal=['copy'] is no text"),
        ({"label": "x", "source": "me"}, "source='me' is none of user, annotator, judge, code, implicit"),
    ],
)
def test_what_judges_nothing_is_not_sent(
    seen: Captured, given: Any, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a judgement, or with thumbs that are none, each call says once what is allowed."""
    with sightline.stage("work"):
        for _ in range(2):
            sightline.feedback(**given)
    assert seen.logs == []
    assert [record.getMessage() for record in caplog.records] == [f"Feedback was not sent: {says}"] * 2


@pytest.mark.parametrize("given", [{"score": 0}, {"label": ""}, {"comment": ""}, {"correction": {}}])
def test_a_judgement_may_be_empty(seen: Captured, given: Any) -> None:
    """Zero and empty texts are judgements: only what is not given is none."""
    with sightline.stage("work"):
        sightline.feedback(**given)
    assert len(seen.logs) == 1


def test_before_init_feedback_is_refused_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Feedback that cannot be sent is said to be lost, with what to do."""
    sightline.feedback(f"00-{1:032x}-{1:016x}-01", thumbs="up")
    assert "sightline.init() was not called" in caplog.text


@pytest.mark.parametrize(
    ("mode", "comment"), [("masked", "ask [EMAIL_1]"), ("off", None), ("full", "ask a@b.de")]
)
def test_comments_obey_the_content_mode(mode: Any, comment: str | None) -> None:
    """People write addresses into comments; off keeps comments and corrections out, the thumb arrives."""
    with testing.capture(content=mode) as seen, sightline.stage("work"):
        sightline.feedback(thumbs="up", comment="ask a@b.de", correction="a@b.de")
    values = seen.logs[0].attributes
    assert values.get("gen_ai.evaluation.explanation") == comment
    assert values["gen_ai.evaluation.score.value"] == 1.0


def test_feedback_can_be_backdated(seen: Captured) -> None:
    """Inside of `backdate` a judgement lies as far in the past as the spans there."""
    with testing.backdate(timedelta(days=2)), sightline.stage("work"):
        sightline.feedback(thumbs="up")
    (span,) = seen.spans
    assert span.start_ns < seen.logs[0].time_ns < span.end_ns


def test_feedback_reaches_the_collector_as_an_otlp_event(sink: OtlpSink) -> None:
    """On the wire the event's name is in its own field, and the judged span's ids are on the record."""
    sightline.init(endpoint=sink.url, instrument=False)
    sightline.feedback(f"00-{0xAB:032x}-{0xCD:016x}-01", thumbs="up", comment="good")
    assert sightline.flush()
    (record,) = sink.logs
    assert record.event_name == "gen_ai.evaluation.result"
    assert (record.trace_id.hex(), record.span_id.hex()) == (f"{0xAB:032x}", f"{0xCD:016x}")
    assert attributes_of(record)["gen_ai.evaluation.score.value"] == 1.0
    assert attributes_of(record)["gen_ai.evaluation.explanation"] == "good"


def test_feedback_from_another_process_is_joined_by_its_ids(sink: OtlpSink) -> None:
    """A process that has made no span judges one by its traceparent, and exits without losing it."""
    program = f"""
import sightline
sightline.init(endpoint={sink.url!r}, instrument=False)
sightline.feedback("00-{7:032x}-{9:016x}-01", score=0.5, id="once")
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    (record,) = sink.logs
    assert record.span_id.hex() == f"{9:016x}"
    assert attributes_of(record)["sightline.feedback.id"] == "once"


TRACE, SPAN = "ab" * 16, "cd" * 8

NOTHING = ("0" * 32, "0" * 16)


@pytest.mark.parametrize(
    ("target", "ids"),
    [
        (f"00-{TRACE}-{SPAN}-01", (TRACE, SPAN)),
        (f"01-{TRACE}-{SPAN}-00-what-a-later-version-adds", (TRACE, SPAN)),
        (f" 00-{TRACE.upper()}-{SPAN}-01 ", (TRACE, SPAN)),
        (TRACE, (TRACE, "0" * 16)),
        (SpanContext(int(TRACE, 16), int(SPAN, 16), is_remote=False), (TRACE, SPAN)),
        (NonRecordingSpan(SpanContext(int(TRACE, 16), int(SPAN, 16), is_remote=False)), (TRACE, SPAN)),
    ],
)
def test_a_target_is_a_span_its_traceparent_or_a_trace_id(
    seen: Captured, target: Any, ids: tuple[str, str]
) -> None:
    """The record has the ids that are known, whatever span is current."""
    with sightline.stage("another"):
        sightline.feedback(target, thumbs="up")
    assert (seen.logs[0].trace_id, seen.logs[0].span_id) == ids


def test_a_response_or_a_session_is_named_instead_of_a_span(seen: Captured) -> None:
    """The record then has no ids but what was named: the current span is another one's."""
    with sightline.context(session_id="around"), sightline.stage("another"):
        sightline.feedback(thumbs="up", response_id="chatcmpl-1")
        sightline.feedback(thumbs="up", session_id="s1")
        sightline.feedback(TRACE, thumbs="up", response_id="chatcmpl-1")
    said = [(log.attributes.get("gen_ai.response.id"), log.attributes["session.id"]) for log in seen.logs]
    assert said == [("chatcmpl-1", "around"), (None, "s1"), ("chatcmpl-1", "around")]
    assert [(log.trace_id, log.span_id) for log in seen.logs] == [NOTHING, NOTHING, (TRACE, "0" * 16)]


def test_texts_are_bounded(seen: Captured) -> None:
    """Names, labels and ids are cut at 256 characters, comments and corrections at 32,768."""
    long = "x" * 100_000
    with sightline.stage("work"):
        sightline.feedback(label=long, name=long, comment=long, correction=long, id=long, response_id=long)
    said = {key.rpartition(".")[2]: len(str(value)) for key, value in seen.logs[0].attributes.items()}
    cut = dict.fromkeys(("name", "label", "id"), 256) | {"explanation": 32_768, "correction": 32_768}
    assert {key: said[key] for key in cut} == cut


def test_ids_and_names_of_any_type_become_text(seen: Captured) -> None:
    """Ids are often objects; a name may be a number."""
    response = UUID(int=7)
    sightline.feedback(thumbs="up", response_id=response)  # type: ignore[arg-type]
    sightline.record_outcome(TRACE, 7, True)  # type: ignore[arg-type]
    assert seen.logs[0].attributes["gen_ai.response.id"] == str(response)
    assert len(seen.logs) == 2
