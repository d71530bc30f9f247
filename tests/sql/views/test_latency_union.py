"""Stage times are unions of intervals: held against a sweep over the same intervals in Python."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sightline_collector.store.engine import Engine

STAGES = ("", "", "preprocessing", "retrieval", "model_inference", "tool_execution", "guardrail", "translate")
_projects = count()


@dataclass(frozen=True, slots=True)
class Piece:
    """One span of a trace: its stage, and when it ran, in ms since the trace's first moment."""

    stage: str
    start: int
    length: int
    root: bool

    @property
    def interval(self) -> tuple[int, int]:
        """Start and end in ms."""
        return self.start, self.start + self.length

    def row(self, project: str, trace: int, number: int) -> dict[str, object]:
        """The span as it is stored."""
        return {
            "project": project, "trace_id": f"{trace:032x}", "span_id": f"{number:016x}",
            "parent_span_id": "" if self.root else "f" * 16, "stage": self.stage, "duration_ms": self.length,
            "started_at": f"2026-10-01 12:00:{self.start // 1000:02}.{self.start % 1000:03}",
        }  # fmt: skip


pieces = st.builds(Piece, st.sampled_from(STAGES), st.integers(0, 3000), st.integers(0, 1500), st.just(False))
roots = st.builds(
    Piece, st.sampled_from(("", "", "workflow")), st.integers(0, 500), st.integers(1, 3000), st.just(True)
)
traces = st.builds(
    lambda root, rest: [*root, *rest], st.lists(roots, max_size=2), st.lists(pieces, min_size=1, max_size=8)
)


def swept(intervals: Iterable[tuple[int, int]]) -> int:
    """The length that the intervals cover together."""
    covered, reached = 0, 0
    for start, end in sorted(intervals):
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    return covered


def uncovered(window: Iterable[tuple[int, int]], stages: list[tuple[int, int]]) -> int:
    """The moments of the windows, ms by ms, in which no stage runs."""
    moments = {ms for start, end in window for ms in range(start, end)}
    return len(moments - {ms for start, end in stages for ms in range(start, end)})


def expected(trace: list[Piece]) -> dict[str, object]:
    """What the view must say of a trace."""
    windows = [p.interval for p in trace if p.root]
    windows = windows or [(min(p.start for p in trace), max(p.interval[1] for p in trace))]
    staged = [p for p in trace if p.stage]
    names = {p.stage for p in staged}
    return {
        "total_ms": swept(windows),
        "unattributed_ms": uncovered(windows, [p.interval for p in staged]),
        "stages": {name: swept(p.interval for p in staged if p.stage == name) for name in names},
    }


@pytest.fixture
def store(engine: Engine) -> Iterator[Engine]:
    """The store, emptied of spans afterwards."""
    yield engine
    engine.command("truncate table spans_v1")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(traces, min_size=1, max_size=20))
def test_stage_times_equal_a_sweep(store: Engine, drawn: list[list[Piece]]) -> None:
    """Total, stages and unattributed time of any trace equal those of a sweep over its intervals."""
    project = f"p{next(_projects)}"
    rows = [p.row(project, t, n) for t, trace in enumerate(drawn) for n, p in enumerate(trace)]
    store.insert("spans_v1", rows)
    answer = store.rows(
        "select trace_id, total_ms, unattributed_ms, stages from latency_breakdown"
        f" where project = '{project}'"
    )
    found = {int(row.pop("trace_id"), 16): row for row in answer}
    assert found == {t: expected(trace) for t, trace in enumerate(drawn) if any(p.stage for p in trace)}


CROWD = """
insert into spans_v1 (project, started_at, trace_id, span_id, parent_span_id)
select 'crowd', toDateTime64('2026-10-20 12:00:00', 9, 'UTC'), toString(number), 'a', 'r' from numbers(100000)
"""


def test_a_trace_of_the_newest_hours_counts_from_a_day_before(store: Engine) -> None:
    """A trace that began before the newest hours counts whole, one of days with its last day only."""
    spans = [
        {"trace_id": "hours", "feature": "hours", "started_at": "2026-10-20 02:00:00", "stage": "retrieval"},
        {"trace_id": "hours", "feature": "hours", "started_at": "2026-10-20 12:00:00"},
        {"trace_id": "days", "feature": "days", "started_at": "2026-10-17 12:00:00", "stage": "guardrail"},
        {"trace_id": "days", "feature": "days", "started_at": "2026-10-20 12:00:00", "stage": "retrieval"},
        {"trace_id": "over", "feature": "over", "started_at": "2026-10-20 02:00:00", "stage": "retrieval"},
    ]
    rest = {"project": "crowd", "duration_ms": 100, "parent_span_id": "r"}
    store.command(CROWD)
    store.insert("spans_v1", [span | rest for span in spans])
    answer = store.rows("select feature, stages from latency_breakdown_by_feature order by feature")
    assert answer == [
        {"feature": "days", "stages": {"retrieval": 100}},
        {"feature": "hours", "stages": {"retrieval": 100}},
    ]
