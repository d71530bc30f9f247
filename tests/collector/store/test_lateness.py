"""How late inserts into a server may begin: learned, kept across starts, and unlearned."""

from __future__ import annotations

from pathlib import Path

import pytest

from sightline_collector.store.lateness import CALM_S, FIRST_S, MOST_S, NAME, Lateness


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where it is kept."""
    return tmp_path / NAME


def test_one_that_came_too_late_gives_the_next_twice_as_long(file: Path) -> None:
    """It doubles up to a bound, once for all that had the same time, and a new process knows."""
    lateness = Lateness(file, lambda: 0.0)
    assert lateness.now_s == FIRST_S
    for _ in range(3):
        lateness.came_late(FIRST_S)
    assert (lateness.now_s, Lateness(file, lambda: 0.0).left_s) == (2 * FIRST_S, 2 * FIRST_S)
    for _ in range(10):
        lateness.came_late(lateness.now_s)
    assert Lateness(file, lambda: 0.0).now_s == MOST_S


def test_an_hour_without_one_halves_it(file: Path) -> None:
    """It shrinks to what it was at first, and what an earlier process has sent is waited for as before."""
    now_s = [0.0]
    file.write_text("20.0\n")
    lateness = Lateness(file, lambda: now_s[0])
    seen = []
    for _ in range(3):
        now_s[0] += CALM_S + 1
        seen += [lateness.now_s, lateness.now_s]
    assert seen == [10.0, 10.0, 5.0, 5.0, 5.0, 5.0]
    assert (lateness.left_s, file.read_text()) == (20.0, "5.0\n")


@pytest.mark.parametrize("content", ["", "nan", "soon"])
def test_a_file_that_cannot_be_read_tells_of_the_longest_time(file: Path, content: str) -> None:
    """What an earlier process has sent is waited for too long rather than too short."""
    file.write_text(content)
    assert Lateness(file, lambda: 0.0).left_s == MOST_S


def test_a_time_that_cannot_be_kept_is_not_used(tmp_path: Path) -> None:
    """Where the disk takes nothing inserts have the time that the file tells."""
    lateness = Lateness(tmp_path / "no-folder" / NAME, lambda: 0.0)
    lateness.came_late(FIRST_S)
    assert lateness.now_s == FIRST_S
