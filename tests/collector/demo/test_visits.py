"""Who comes to the demo's desk, and what they think of its answers."""

from collections import Counter

import pytest

from sightline_collector.demo import answers
from sightline_collector.demo.agent import Reply, Request
from sightline_collector.demo.answers import REFUSAL, needed_tool
from sightline_collector.demo.desk_tools import TOOLS
from sightline_collector.demo.visits import (
    OPEN_DAY,
    REAL_MODEL_SCALE,
    Scale,
    Visit,
    plan,
    quality,
    rating,
)

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


def calls_of(visits: list[Visit]) -> Counter[tuple[int, str]]:
    """Calls of a day and a big model: none of a blocked visit, two of one that needs a tool."""
    counted: Counter[tuple[int, str]] = Counter()
    for visit in visits:
        asked = visit.request
        if asked.feature == "digest" or asked.question.startswith(("Ignore all previous", "My key sk-")):
            continue
        message = [{"role": "user", "content": asked.question}]
        tools = TOOLS if asked.feature == "support" else ()
        needs_tool = needed_tool(answers.Request(message, tools)) is not None
        counted[visit.day, asked.model] += 2 if needs_tool else 1
    return counted


def test_each_day_that_is_open_to_everybody_has_enough_calls_for_drift_to_be_decided() -> None:
    """Drift is decided from 200 values a day on, and a call in a hundred may fail."""
    calls = calls_of(plan(Scale(), 1, DIGESTS))
    open_days = {key: n for key, n in calls.items() if key[0] >= OPEN_DAY}
    assert len(open_days) == 3 * 3
    assert min(open_days.values()) * 0.99 >= 200


def test_the_pilot_has_enough_calls_for_the_first_open_day_to_be_compared_with() -> None:
    """Drift compares with 200 values of the week before and more, however small its days."""
    pilot: Counter[str] = Counter()
    for (day, model), n in calls_of(plan(Scale(), 1, DIGESTS)).items():
        if day < OPEN_DAY:
            pilot[model] += n
    assert len(pilot) == 3
    assert min(pilot.values()) * 0.99 >= 200


def test_a_real_model_has_a_week_of_a_few_visits_without_a_pilot() -> None:
    """Somebody pays for each."""
    assert Counter(v.day for v in plan(REAL_MODEL_SCALE, 1, DIGESTS)) == dict.fromkeys(range(-6, 1), 7)


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
