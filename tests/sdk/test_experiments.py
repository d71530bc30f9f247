"""Which variant somebody gets, and calls whose answers nobody sees."""

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sightline
from sightline import propagation
from sightline.experiments import assigned, share
from sightline.testing import Captured

HALVES = {"A": 0.5, "B": 0.5}
UNITS = 20_000

# Made with other tools than ours: printf 'greeting\0user-1' | sha256sum, its first 53 bits over 2^53.
VECTORS = {
    ("greeting", "user-1"): 0.8999986826444147,
    ("greeting", "user-2"): 0.5953683478418951,
    ("Grüße", "Ünit ✓"): 0.17617048444697037,
}


@pytest.mark.parametrize(("experiment", "unit"), VECTORS)
def test_a_share_is_the_same_in_every_language(experiment: str, unit: str) -> None:
    """The first 53 bits of a SHA-256, as a number from 0 to below 1."""
    assert share(experiment, unit) == VECTORS[experiment, unit]


def test_a_unit_gets_the_same_variant_in_every_process() -> None:
    """Nothing of the process goes into the choice, not even the order in which weights are written."""
    units = [f"user-{number}" for number in range(100)]
    program = """
import sys
from sightline.experiments import assigned
print(*(assigned("greeting", {"B": 2, "A": 1}, unit) for unit in sys.argv[1:]))
"""
    told = subprocess.run([sys.executable, "-c", program, *units], capture_output=True, text=True, check=True)
    assert told.stdout.split() == [assigned("greeting", {"A": 1, "B": 2}, unit) for unit in units]


@pytest.mark.parametrize(
    "weights", [HALVES, {"A": 9, "B": 1}, {"A": 0.2, "B": 0.3, "C": 0.5}, {"A": 1, "B": 1, "C": 1, "D": 0}]
)
def test_variants_come_in_the_share_of_their_weights(weights: Mapping[str, float]) -> None:
    """Over many units the counts are within what chance allows: chi-square, one in a hundred thousand."""
    counts = Counter(assigned("split", weights, f"user-{number}") for number in range(UNITS))
    expected = {name: UNITS * weight / sum(weights.values()) for name, weight in weights.items() if weight}
    chi_square = sum((counts[name] - wanted) ** 2 / wanted for name, wanted in expected.items())
    assert counts.keys() == expected.keys()
    assert chi_square < {2: 19.5, 3: 23.0}[len(expected)]


def test_two_experiments_choose_independently() -> None:
    """Who gets A in one experiment is as likely as anybody to get A in another."""
    pairs = Counter(
        (assigned("one", HALVES, str(number)), assigned("two", HALVES, str(number)))
        for number in range(UNITS)
    )
    chi_square = sum((count - UNITS / 4) ** 2 / (UNITS / 4) for count in pairs.values())
    assert chi_square < 25.9


weights_of_any_size = st.dictionaries(
    st.text(min_size=1, max_size=3), st.floats(0, 1e300) | st.integers(0, 10**6), min_size=1
).filter(lambda weights: any(weights.values()))


@given(weights_of_any_size, st.text())
def test_some_variant_that_is_on_is_always_chosen(weights: dict[str, float], unit: str) -> None:
    """Whatever the weights, a variant above 0 is chosen."""
    assert weights[assigned("any", weights, unit)] > 0


def test_experiment_and_variant_are_on_every_span_below(seen: Captured) -> None:
    """The block is given the name, and its spans say which experiment it belongs to."""
    with sightline.variant("greeting", {"only": 1}, unit="u1") as chosen, sightline.stage("below"):
        pass
    with sightline.stage("after"):
        pass
    assert chosen == "only"
    assert seen.span("below").attributes == {
        "sightline.operation": "step",
        "sightline.stage": "below",
        "sightline.experiment": "greeting",
        "sightline.variant": "only",
    }
    assert "sightline.variant" not in seen.span("after").attributes


@pytest.mark.parametrize(
    ("around", "unit"),
    [({"user_id": "u7", "session_id": "s7"}, "u7"), ({"session_id": "s7"}, "s7"), ({"user_id": 7}, "7")],
)
def test_the_unit_is_who_is_there(around: dict[str, Any], unit: str) -> None:
    """Without a unit, the user of the context decides, or else the session."""
    weights = {str(number): 1 for number in range(1_000)}
    with sightline.context(**around), sightline.variant("e", weights) as chosen:
        assert chosen == assigned("e", weights, unit)


def test_without_anybody_a_trace_keeps_its_variant(seen: Captured) -> None:
    """The trace decides; outside of any, chance does, and the log says so."""
    weights = {str(number): 1 for number in range(1_000)}
    with sightline.stage("request"):
        with sightline.variant("e", weights) as first:
            pass
        with sightline.variant("e", weights) as second:
            pass
    assert first == second == assigned("e", weights, seen.spans[0].trace_id)


def test_without_anything_chance_decides_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is asked for, and the program's author is told."""
    with sightline.variant("e", HALVES) as chosen:
        assert chosen in HALVES
    assert "chance decides" in caplog.text


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ({}, "give at least one variant a weight above 0"),
        ({"A": 0, "B": 0.0}, "give at least one variant a weight above 0"),
        ({"A": -1, "B": 2}, "the weight of 'A' is -1: give a finite number, 0 or more"),
        ({"A": float("nan")}, "the weight of 'A' is nan: give a finite number, 0 or more"),
        ({"A": float("inf")}, "the weight of 'A' is inf: give a finite number, 0 or more"),
        ({"A": "0.5"}, "the weight of 'A' is no number: '0.5'"),
        ({"A": True}, "the weight of 'A' is no number: True"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(weights: Any, says: str) -> None:
    """The message names the experiment, the variant and what to give."""
    with pytest.raises(sightline.ConfigurationError) as refused, sightline.variant("e", weights, "u"):
        pass
    assert str(refused.value) == f"variant('e'): {says}"


def test_shadow_calls_are_marked(seen: Captured) -> None:
    """Every span of a shadow block says so, and no other."""
    with sightline.stage("request"), sightline.shadow(), sightline.stage("candidate"):
        pass
    assert seen.span("candidate").attributes["sightline.shadow"] is True
    assert "sightline.shadow" not in seen.span("request").attributes


def test_experiment_and_shadow_travel_to_other_processes(seen: Captured) -> None:
    """Headers carry both, and the called program's spans say them with the same types."""
    with sightline.variant("e", {"A": 1}, "u"), sightline.shadow():
        sent = propagation.headers()
    with propagation.received(sent), sightline.stage("called"):
        pass
    values = seen.span("called").attributes
    assert (values["sightline.experiment"], values["sightline.variant"]) == ("e", "A")
    assert values["sightline.shadow"] is True


def test_variants_without_weights_are_refused() -> None:
    """A list of names says nothing of their shares; the error shows what does."""
    names: Any = ["A", "B"]
    with pytest.raises(sightline.ConfigurationError, match=r"as in \{'A'"), sightline.variant("e", names):
        pass
