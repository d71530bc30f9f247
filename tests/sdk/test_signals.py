"""What people did with an answer, and what came of it."""

from typing import Any

import pytest

import sightline
from sightline.testing import Captured

TRACE, SPAN = "ab" * 16, "cd" * 8


@pytest.mark.parametrize(
    ("signal", "score"),
    [
        ("regenerate", 0.0),
        ("abandon", 0.0),
        ("reject", 0.0),
        ("copy", 1.0),
        ("share", 1.0),
        ("accept", 1.0),
        ("edit", None),
        ("printed", None),
    ],
)
def test_a_signal_is_what_somebody_did(seen: Captured, signal: str, score: float | None) -> None:
    """It has a score where it says by itself how good the answer was; its source is implicit."""
    with sightline.stage("work"):
        sightline.feedback(signal=signal)
    said = seen.logs[0].attributes
    assert said.pop("gen_ai.evaluation.score.value", None) == score
    assert len(said.pop("sightline.feedback.id")) == 32
    assert said == {
        "gen_ai.evaluation.name": signal,
        "gen_ai.evaluation.score.label": signal,
        "sightline.feedback.source": "implicit",
        "sightline.feedback.kind": "signal",
    }


def test_an_edit_says_how_much_stayed_and_what_became_of_it(seen: Captured) -> None:
    """A score that is given wins; the edited text is a correction."""
    with sightline.stage("work"):
        sightline.feedback(signal="edit", score=0.8, correction="It is 12 EUR")
    said = seen.logs[0].attributes
    assert said["gen_ai.evaluation.score.value"] == 0.8
    assert said["sightline.feedback.correction"] == "It is 12 EUR"
    assert said["sightline.feedback.kind"] == "signal"


def test_the_same_signal_of_the_same_answer_is_one(seen: Captured) -> None:
    """The id follows from answer and signal; of a session, which has many answers, each signal is its own."""
    with sightline.stage("one"):
        first, again, other = (sightline.feedback(signal=name) for name in ("copy", "copy", "share"))
        one = sightline.traceparent()
    with sightline.stage("two"):
        second = sightline.feedback(signal="copy")
    assert first == again == sightline.feedback(one, signal="copy")
    assert len({first, other, second}) == 3
    assert sightline.feedback(signal="copy", response_id="r") == sightline.feedback(
        signal="copy", response_id="r"
    )
    assert len({sightline.feedback(signal="copy", session_id="s") for _ in range(3)}) == 3
    assert sightline.feedback(one, signal="copy", id="mine") == "mine"


@pytest.mark.parametrize(
    ("value", "score", "label"),
    [(True, 1.0, "true"), (False, 0.0, "false"), (2.5, 2.5, None), ("spam", None, "spam")],
)
def test_an_outcome_is_what_came_of_an_answer(
    seen: Captured, value: Any, score: float | None, label: str | None
) -> None:
    """A yes or no, a number or a label, under the name of what came about."""
    sightline.record_outcome(f"00-{TRACE}-{SPAN}-01", "refund_granted", value, comment="by mail")
    (log,) = seen.logs
    assert (log.trace_id, log.span_id) == (TRACE, SPAN)
    assert len(log.attributes.pop("sightline.feedback.id")) == 32
    expected = {
        "gen_ai.evaluation.name": "refund_granted",
        "gen_ai.evaluation.score.value": score,
        "gen_ai.evaluation.score.label": label,
        "gen_ai.evaluation.explanation": "by mail",
        "sightline.feedback.source": "code",
        "sightline.feedback.kind": "outcome",
    }
    assert log.attributes == {key: said for key, said in expected.items() if said is not None}


def test_an_outcome_recorded_again_is_corrected(seen: Captured) -> None:
    """Its id follows from target and name: the same ones in any process, others for anything else."""
    target = f"00-{TRACE}-{SPAN}-01"
    first = sightline.record_outcome(target, "refund", True)
    assert sightline.record_outcome(target, "refund", False) == first
    others = {
        sightline.record_outcome(target, "solved", True),
        sightline.record_outcome(TRACE, "refund", True),
        sightline.record_outcome(None, "refund", True, response_id="r"),
        sightline.record_outcome(None, "refund", True, session_id="s"),
        sightline.record_outcome(target, "refund", True, id="mine"),
    }
    assert len({first, *others}) == 6
    assert len(seen.logs) == 7


@pytest.mark.parametrize(("value", "says"), [(None, "NoneType"), (float("nan"), "nan"), ([1], "list")])
def test_an_outcome_without_a_value_is_refused(
    seen: Captured, value: Any, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is sent, and the log says why."""
    sightline.record_outcome(TRACE, "refund", value)
    assert seen.logs == []
    assert f"The outcome 'refund' was not sent: {says} is no finite number" in caplog.text
