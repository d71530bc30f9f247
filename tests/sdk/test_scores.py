"""Scores: on the span while it is open, and as an event, once."""

from decimal import Decimal
from typing import Any

import pytest

import sightline
from sightline.testing import Captured, CapturedLog


def scores_on(seen: Captured, name: str) -> dict[str, Any]:
    """The scores among a span's attributes."""
    values = seen.span(name).attributes
    return {key: value for key, value in values.items() if key.startswith("sightline.score.")}


def test_a_score_is_an_attribute_and_one_whole_event(seen: Captured) -> None:
    """The span says the number; the event says it with name, comment, source and the span's ids."""
    with sightline.context(user_id="u1", session_id="s1", feature="support"), sightline.stage("work"):
        returned = sightline.score("relevance", 0.75, label="good", comment="names the lamp")
    assert scores_on(seen, "work") == {"sightline.score.relevance": 0.75}
    assert seen.logs == [
        CapturedLog(
            event_name="gen_ai.evaluation.result",
            trace_id=seen.spans[0].trace_id,
            span_id=seen.spans[0].span_id,
            time_ns=1767225600_001_000_000,
            attributes={
                "gen_ai.evaluation.name": "relevance",
                "gen_ai.evaluation.score.value": 0.75,
                "gen_ai.evaluation.score.label": "good",
                "gen_ai.evaluation.explanation": "names the lamp",
                "sightline.feedback.source": "code",
                "sightline.feedback.id": returned,
                "sightline.feedback.kind": "score",
                "user.id": "u1",
                "session.id": "s1",
                "sightline.feature": "support",
            },
        )
    ]


@pytest.mark.parametrize(
    ("value", "number", "label", "kind"),
    [
        (True, 1.0, "true", "score"),
        (False, 0.0, "false", "score"),
        (3, 3.0, None, "score"),
        (Decimal("0.5"), 0.5, None, "score"),
        ("polite", None, "polite", "label"),
    ],
)
def test_numbers_answers_and_labels_are_scores(
    seen: Captured, value: Any, number: float | None, label: str | None, kind: str
) -> None:
    """A yes is 1, a no is 0; a label has no number, and so is no attribute."""
    with sightline.stage("work"):
        sightline.score("s", value)
    said = seen.logs[0].attributes
    assert said.get("gen_ai.evaluation.score.value") == number
    assert said.get("gen_ai.evaluation.score.label") == label
    assert said["sightline.feedback.kind"] == kind
    assert scores_on(seen, "work") == ({} if number is None else {"sightline.score.s": number})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, [], 10**400, object()])
def test_what_is_no_value_is_refused(seen: Captured, value: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is recorded, and the log says why."""
    with sightline.stage("work"):
        sightline.score("s", value)
    assert seen.logs == []
    assert scores_on(seen, "work") == {}
    assert "The score 's' was not sent" in caplog.text
    assert "is no finite number" in caplog.text


def test_scored_again_the_last_one_counts(seen: Captured) -> None:
    """The id follows from span and name, in whatever way the span is named."""
    with sightline.stage("work"):
        first = sightline.score("s", 1)
        again = sightline.score("s", 2)
        other = sightline.score("t", 2)
        remembered = sightline.traceparent()
    assert first == again == sightline.score("s", 3, target=remembered) != other
    assert scores_on(seen, "work") == {"sightline.score.s": 2.0, "sightline.score.t": 2.0}


def test_a_span_that_has_ended_is_scored_by_the_event_alone(seen: Captured) -> None:
    """Late is not too late."""
    with sightline.llm_call(provider="openai", model="m") as call:
        remembered = call.traceparent()
    sightline.score("s", 0.5, target=remembered)
    assert scores_on(seen, "chat m") == {}
    assert seen.logs[0].span_id == seen.spans[0].span_id


def test_a_model_call_is_scored_by_itself(seen: Captured) -> None:
    """An open call has the attribute, too; another span that is current does not."""
    with sightline.llm_call(provider="openai", model="m") as call, sightline.stage("check"):
        first = call.score("s", 0.5, comment="so so")
    assert first == call.score("s", 1)
    assert scores_on(seen, "chat m") == {"sightline.score.s": 0.5}
    assert scores_on(seen, "check") == {}
    assert {log.span_id for log in seen.logs} == {seen.span("chat m").span_id}


def test_names_are_bounded_and_clean(seen: Captured) -> None:
    """Any name will do: the attribute's is made of letters, digits and dots, the event's is only cut."""
    with sightline.stage("work"):
        sightline.score("is it rude? ✓", 1)
        sightline.score("n" * 1_000, 1)
    assert list(scores_on(seen, "work")) == ["sightline.score.is_it_rude___", "sightline.score." + "n" * 64]
    assert [log.attributes["gen_ai.evaluation.name"] for log in seen.logs] == ["is it rude? ✓", "n" * 256]


def test_a_source_that_is_none_is_refused(seen: Captured, caplog: pytest.LogCaptureFixture) -> None:
    """The message names those there are."""
    with sightline.stage("work"):
        sightline.score("s", 1, source="nobody")  # type: ignore[arg-type]
    assert seen.logs == []
    assert "source='nobody' is none of user, annotator, judge, code, implicit" in caplog.text


def test_outside_of_any_span_there_is_nothing_to_score(
    seen: Captured, caplog: pytest.LogCaptureFixture
) -> None:
    """The program goes on, and its author is told."""
    sightline.score("s", 1)
    assert seen.logs == []
    assert "there is no span to judge" in caplog.text
