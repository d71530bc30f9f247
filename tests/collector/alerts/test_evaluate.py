"""The state machine of one rule: laws over random histories, and each edge of the drawing by example."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline_collector.alerts.evaluate import (
    Instance,
    Observation,
    State,
    Transition,
    evaluate,
    observations,
)
from sightline_collector.alerts.rule import Labels, Rule

START = datetime(2025, 3, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONE: Labels = (("model", "m1"),)

Look = bool | None
"""True, false, or no data."""


def rule(
    hold: int = 0,
    keep_firing: int = 0,
    cooldown: int = 0,
    no_data: Literal["ok", "keep", "alert"] = "ok",
    min_samples: int = 0,
) -> Rule:
    """A rule that is true above 1; durations in minutes."""
    return Rule(
        name="r",
        query="select 1",
        above=1,
        hold=hold * MINUTE,
        keep_firing=keep_firing * MINUTE,
        cooldown=cooldown * MINUTE,
        no_data=no_data,
        min_samples=min_samples,
        severity="warning",
        summary="s",
        next_step="n",
    )


def played(rule: Rule, looks: Sequence[Look]) -> list[tuple[State, bool]]:
    """After each look, one a minute: the state, and whether people were told."""
    instances: dict[Labels, Instance] = {}
    found: list[tuple[State, bool]] = []
    for minute, look in enumerate(looks):
        seen = [] if look is None else [Observation(ONE, 2.0 if look else 0.0)]
        instances, changes = evaluate(rule, instances, seen, START + minute * MINUTE)
        state = instances.get(ONE, Instance()).state
        found.append((state, any(c.notify for c in changes if c.labels == ONE)))
    return found


def states(rule: Rule, looks: Sequence[Look]) -> list[State]:
    return [state for state, _ in played(rule, looks)]


def test_it_fires_at_once_without_a_hold() -> None:
    """A rule without `for` fires, and is told, at the first look that is true."""
    assert played(rule(), [False, True, True]) == [("inactive", False), ("firing", True), ("firing", False)]


def test_it_is_pending_until_it_held_long_enough() -> None:
    """True for less than `for` is pending and told to nobody."""
    assert states(rule(hold=2), [True, True, True]) == ["pending", "pending", "firing"]


def test_a_break_starts_the_hold_again() -> None:
    """One false look sends a pending instance back to the beginning."""
    assert states(rule(hold=2), [True, True, False, True, True]) == [
        "pending",
        "pending",
        "inactive",
        "pending",
        "pending",
    ]


def test_it_keeps_firing_through_short_calm() -> None:
    """Calm for less than `keep_firing_for` changes nothing; as long as that resolves, and is told."""
    looks = [True, False, True, False, False, False]
    found = played(rule(keep_firing=2), looks)
    assert [state for state, _ in found] == ["firing"] * 5 + ["resolved"]
    assert [told for _, told in found] == [True, False, False, False, False, True]


def test_flapping_is_told_once_a_cooldown() -> None:
    """A second firing within the cooldown is told to nobody, and so is its end."""
    found = played(rule(cooldown=10), [True, False, True, False])
    assert found == [("firing", True), ("resolved", True), ("firing", False), ("resolved", False)]


def test_a_firing_muted_by_the_cooldown_is_told_when_it_has_passed() -> None:
    """What still fires when the cooldown ends is told then, once."""
    found = played(rule(cooldown=4), [True, False, True, True, True, True])
    assert [told for _, told in found] == [True, True, False, False, True, False]


@pytest.mark.parametrize(
    ("no_data", "expected"), [("ok", "resolved"), ("keep", "firing"), ("alert", "firing")]
)
def test_silence_counts_as_the_rule_says(no_data: Literal["ok", "keep", "alert"], expected: State) -> None:
    """No row for a firing instance: calm, no change, or reason enough."""
    assert states(rule(no_data=no_data), [True, None])[-1] == expected


def test_silence_from_the_start_can_be_an_alert() -> None:
    """A rule for which no data is an alert fires although no instance was ever seen, until one is."""
    after, changes = evaluate(rule(no_data="alert"), {}, [], START)
    assert changes == [Transition((), "firing", None, None, True)]
    assert after[()].state == "firing"
    later, changes = evaluate(rule(no_data="alert"), after, [Observation(ONE, 0.0)], START + MINUTE)
    assert changes == [Transition((), "resolved", None, None, True)]
    assert later[()].state == "resolved"


def test_too_few_samples_are_no_data() -> None:
    """An instance below `min_samples` is not judged, however bad its value."""
    seen = [Observation(ONE, 99.0, samples=49)]
    assert evaluate(rule(min_samples=50), {}, seen, START) == ({}, [])


def test_instances_are_judged_apart() -> None:
    """Each label set has its own state."""
    two: Labels = (("model", "m2"),)
    after, changes = evaluate(rule(), {}, [Observation(ONE, 2.0), Observation(two, 0.0)], START)
    assert {labels: instance.state for labels, instance in after.items()} == {ONE: "firing"}
    assert [change.labels for change in changes] == [ONE]


def test_rows_become_observations() -> None:
    """value is judged, samples counted, the rest labels; a NULL value is no observation."""
    rows: list[dict[str, object]] = [
        {"model": "m1", "value": 3, "samples": 7},
        {"model": "m2", "value": None, "samples": 1},
    ]
    assert observations(rows) == [Observation(ONE, 3.0, 7)]


def test_a_query_without_a_value_is_refused() -> None:
    """A row without the column named value says so."""
    with pytest.raises(ValueError, match="no column named value"):
        observations([{"model": "m1"}])


# Looks in runs: by chance alone few would last as long as a rule asks, and the laws would be about nothing.
runs = st.lists(
    st.tuples(st.sampled_from([True, True, False, None]), st.integers(1, 8)), min_size=2, max_size=12
)
histories = runs.map(lambda found: [look for look, minutes in found for _ in range(minutes)])
minutes = st.integers(0, 6)
rules = st.builds(
    rule,
    hold=minutes,
    keep_firing=minutes,
    cooldown=st.integers(0, 15),
    no_data=st.sampled_from(["ok", "keep", "alert"]),
)


@given(rule=rules, looks=histories)
def test_it_never_fires_before_it_held(rule: Rule, looks: list[Look]) -> None:
    """Before each firing lies an unbroken run, as long as `for`, without a false look."""
    found = states(rule, looks)
    hold = int(rule.hold / MINUTE)
    for i, (before, state) in enumerate(pairwise(["inactive", *found])):
        if state == "firing" and before != "firing":
            run = looks[i - hold : i + 1]
            assert len(run) == hold + 1
            assert False not in run
            assert None not in run or rule.no_data != "ok"


@given(rule=rules, looks=histories)
def test_it_never_resolves_before_it_was_calm(rule: Rule, looks: list[Look]) -> None:
    """Before each end lies a run, as long as `keep_firing_for`, without a true look."""
    found = states(rule, looks)
    keep = int(rule.keep_firing / MINUTE)
    for i, (before, state) in enumerate(pairwise(["inactive", *found])):
        if before == "firing" and state != "firing":
            assert state == "resolved"
            assert True not in looks[i - keep : i + 1]


@given(rule=rules, looks=histories)
def test_firings_are_told_a_cooldown_apart(rule: Rule, looks: list[Look]) -> None:
    """Between two tellings that an instance fires the cooldown passes, always."""
    told = [i for i, (state, notified) in enumerate(played(rule, looks)) if notified and state == "firing"]
    assert all(later - earlier >= rule.cooldown / MINUTE for earlier, later in pairwise(told))


@given(rule=rules, looks=histories)
def test_an_end_is_told_after_its_beginning_only(rule: Rule, looks: list[Look]) -> None:
    """Tellings alternate: fires, over, fires, over."""
    told = [state for state, notified in played(rule, looks) if notified]
    assert told == [("firing", "resolved")[i % 2] for i in range(len(told))]
