"""Where the time went."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.latency import breakdown, tokens_per_second, union_ns

MS = 1_000_000
moments = st.integers(0, 1_000)
intervals = st.lists(st.tuples(moments, moments), max_size=30)


@given(intervals)
def test_the_union_counts_each_moment_once(spans: list[tuple[int, int]]) -> None:
    """Overlapping intervals cover as many nanoseconds as there are nanoseconds in any of them."""
    covered = {ns for start, end in spans for ns in range(start, end)}
    assert union_ns(spans) == len(covered)


@given(intervals)
def test_nothing_is_unattributed_below_zero_or_above_the_whole(spans: list[tuple[int, int]]) -> None:
    """Stages, however they lie, leave between nothing and everything unattributed."""
    result = breakdown((100, 900), [("a", span) for span in spans])
    assert 0 <= result.unattributed_ms <= result.total_ms


def test_a_trace_is_broken_down_by_stage() -> None:
    """Parallel tools count once, what no stage covers is unattributed, the longest is the bottleneck."""
    result = breakdown(
        (0, 100 * MS),
        [
            ("retrieval", (0, 10 * MS)),
            ("tool_execution", (10 * MS, 40 * MS)),
            ("tool_execution", (20 * MS, 50 * MS)),
            ("model_inference", (50 * MS, 95 * MS)),
        ],
    )
    assert result.stages == {"model_inference": 45.0, "retrieval": 10.0, "tool_execution": 40.0}
    assert (result.total_ms, result.unattributed_ms, result.bottleneck) == (100.0, 5.0, "model_inference")


def test_work_outside_of_the_trace_is_cut_off() -> None:
    """A child that outlives its root counts for the root's time only."""
    assert breakdown((0, 10 * MS), [("a", (5 * MS, 50 * MS))]).stages == {"a": 5.0}


def test_a_trace_without_stages_has_no_bottleneck() -> None:
    """All of its time is its own."""
    result = breakdown((0, 10 * MS), [])
    assert (result.stages, result.unattributed_ms, result.bottleneck) == ({}, 10.0, None)


def test_speed_is_that_of_generation() -> None:
    """Fifty tokens in half a second after the first are ninety-eight a second: the wait is not part of it."""
    assert tokens_per_second(50, 0.5, 1.0) == 98.0


@pytest.mark.parametrize(("tokens", "last_s"), [(1, 2.0), (0, 2.0), (50, 1.0), (50, 0.5)])
def test_an_answer_in_one_piece_has_no_speed(tokens: int, last_s: float) -> None:
    """Without time between tokens there is nothing to divide by."""
    assert tokens_per_second(tokens, 1.0, last_s) is None
