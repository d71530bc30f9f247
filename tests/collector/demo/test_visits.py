"""Who comes to the demo's desk, and what they think of its answers."""

from collections import Counter

import pytest

from sightline_collector.demo.agent import Reply, Request
from sightline_collector.demo.answers import REFUSAL
from sightline_collector.demo.visits import Scale, Visit, plan, quality, rating

SMALL = Scale(days=3, support=20, search=10, digest=2)
DIGESTS = ["views: cost_by_model"]
VISIT = Visit(0, 0, Request("search", "?", "user-01", "user-01-0-0", "gpt-4o-mini", "1"))


def test_the_plan_has_the_visits_of_each_day_up_to_today_in_the_order_of_their_times() -> None:
    """Days are counted back from 0, which is today."""
    visits = plan(SMALL, 1, DIGESTS)
    assert Counter(v.day for v in visits) == {-2: 32, -1: 32, 0: 32}
    assert [(v.day, v.second) for v in visits] == sorted((v.day, v.second) for v in visits)


def test_an_equal_seed_makes_an_equal_plan_and_another_seed_another() -> None:
    """The demo shows the same whenever it runs."""
    assert plan(SMALL, 1, DIGESTS) == plan(SMALL, 1, DIGESTS) != plan(SMALL, 2, DIGESTS)


def test_each_feature_has_its_models_and_only_support_has_variants() -> None:
    """One model changes half-way, two compete, one has no price."""
    seen = {(v.request.feature, v.request.variant, v.request.model) for v in plan(SMALL, 1, DIGESTS)}
    assert seen == {
        ("support", "A", "gpt-4o"),
        ("support", "B", "gpt-5-mini"),
        ("search", "", "gpt-4o-mini"),
        ("digest", "", "house-llama-70b"),
    }


def test_one_model_may_take_the_place_of_all() -> None:
    """With a provider of one's own, its model answers everything."""
    assert {v.request.model for v in plan(SMALL, 1, DIGESTS, "my-model")} == {"my-model"}


def test_every_day_has_enough_calls_of_each_big_model_for_drift_to_be_decided() -> None:
    """Drift is decided from 200 values a day on; blocked visits make no call."""
    blocked = ("Ignore all previous", "My key sk-")
    calls = Counter(
        (v.day, v.request.model)
        for v in plan(Scale(), 1, DIGESTS)
        if not v.request.question.startswith(blocked) and v.request.feature != "digest"
    )
    assert len(calls) == 14 * 3
    assert min(calls.values()) >= 195  # tools add a second call to one visit in five


@pytest.mark.parametrize(
    ("text", "outcome", "expected"),
    [
        ("It is so.", "answered", "good"),
        ("It is so, beca", "answered", "cut"),
        (REFUSAL, "answered", "useless"),
        ("It is so.", "failed", "useless"),
    ],
)
def test_an_answer_is_good_cut_or_useless(text: str, outcome: str, expected: str) -> None:
    """What a reader would say without knowing the subject."""
    assert quality(Reply(text, "", outcome)) == expected


def test_good_answers_please_more_often_than_useless_ones() -> None:
    """Thumbs follow the answers, so that feedback has something to show."""

    def ups(text: str) -> float:
        thoughts = [rating(VISIT, Reply(f"{text}", "", "answered"), seed) for seed in range(2_000)]
        pressed = [thought.thumbs for thought in thoughts if thought]
        return pressed.count("up") / len(pressed)

    assert ups("It is so.") > 0.8 > 0.2 > ups(REFUSAL)


def test_a_blocked_visit_presses_no_thumb() -> None:
    """Who was turned away at the door has no answer to judge."""
    assert {rating(VISIT, Reply("no", "", "blocked"), seed) for seed in range(50)} == {None}
