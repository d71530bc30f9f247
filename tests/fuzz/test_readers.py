"""A short look at what reads bytes; long ones are `python -m tests.fuzz TARGET --seconds N`."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from fuzz import readers
from fuzz.mutation import mutated
from fuzz.run import FOUND, READERS, SERVED, opened
from fuzz.target import Target
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline_collector.errors import Malformed, TooLarge
from sightline_collector.receive.check import check
from sightline_collector.wal.segment import Signal

BY_NAME = {target.name: target for target in readers.TARGETS}
# Recovery syncs a file and a folder for each input.
EXAMPLES = dict.fromkeys(READERS, 150) | {"recovery": 10}
INPUTS_OF_A_PORT = 60


def found(name: str) -> list[Path]:
    """What once broke the law of a target."""
    return sorted((FOUND / name).glob("*"))


@pytest.mark.parametrize("name", READERS)
def test_known_inputs_keep_the_law(name: str) -> None:
    """The seeds, and everything that once broke it."""
    for data in (*BY_NAME[name].seeds, *(file.read_bytes() for file in found(name))):
        assert BY_NAME[name].broken_by(data) == ""


def test_known_requests_are_beyond_each_bound() -> None:
    """A refusal that no input reaches is not tried by any change of them."""
    said = set()
    for data in BY_NAME["protobuf"].seeds:
        try:
            check(tuple(Signal)[data[0]], data[1:], readers.TIGHT)
        except Malformed:
            continue
        except TooLarge as fault:
            said.add(fault.message)
    assert said == {
        *(
            f"The request holds more than 3 {what}"
            for what in ("resources", "scopes", "items", "data points")
        ),
        "The attributes of the request's resources, once for each of its 3 items, take more than 100 bytes",
    }


@pytest.mark.parametrize("name", READERS)
def test_changed_inputs_keep_the_law(name: str) -> None:
    """As a medium, a proxy or an attacker would change them."""
    target = BY_NAME[name]

    @settings(max_examples=EXAMPLES[name])
    @given(st.randoms(use_true_random=False))
    def hold(random: Random) -> None:
        assert target.broken_by(mutated(target.seeds, target.tokens, random)) == ""

    hold()


@pytest.mark.parametrize("name", READERS)
def test_any_bytes_keep_the_law(name: str) -> None:
    """Such as are like nothing known."""

    @settings(max_examples=EXAMPLES[name])
    @given(st.binary(max_size=400))
    def hold(data: bytes) -> None:
        assert BY_NAME[name].broken_by(data) == ""

    hold()


@pytest.fixture(scope="module", params=["http", "http-2", "grpc"])
def port(request: pytest.FixtureRequest) -> Iterator[Target]:
    """A listening port."""
    with opened(request.param) as target:
        yield target


def test_a_port_outlives_whatever_is_thrown_at_it(port: Target) -> None:
    """The seeds, everything that once broke the law, and changed inputs."""
    random = Random(7)
    changed = [mutated(port.seeds, port.tokens, random) for _ in range(INPUTS_OF_A_PORT)]
    for data in (*port.seeds, *(file.read_bytes() for file in found(port.name)), *changed):
        assert port.broken_by(data) == ""


def test_every_target_can_be_named_on_the_command_line() -> None:
    """A target that is added is not forgotten there, nor is what it once found."""
    assert list(BY_NAME) == list(READERS)
    assert {folder.name for folder in FOUND.glob("*")} <= {*READERS, *SERVED}
