"""Where the time of a trace went. Pure.

Spans of one stage may overlap (parallel tools), and stages nest (a retrieval inside preprocessing), so a
stage's time is the union of its intervals, and what no stage covers is the trace's own: `unattributed_ms`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

Interval = tuple[int, int]

_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Milliseconds. `stages` may add up to more than `total_ms` when stages overlap.

    `bottleneck` is the stage with the most time, the first by name among equals; `None` when there is none.
    """

    total_ms: float
    stages: Mapping[str, float]
    unattributed_ms: float
    bottleneck: str | None


def breakdown(total: Interval, staged: Iterable[tuple[str, Interval]]) -> Breakdown:
    """Break the interval `total` (start, end in ns) down by stage; what lies outside of it is cut off."""
    by_stage: dict[str, list[Interval]] = {}
    for stage, interval in staged:
        by_stage.setdefault(stage, []).append(_clip(interval, total))
    covered_ns = union_ns(interval for intervals in by_stage.values() for interval in intervals)
    stages = {stage: union_ns(intervals) / _NS_PER_MS for stage, intervals in sorted(by_stage.items())}
    return Breakdown(
        total_ms=_length(total) / _NS_PER_MS,
        stages=stages,
        unattributed_ms=(_length(total) - covered_ns) / _NS_PER_MS,
        bottleneck=max(stages, key=lambda stage: stages[stage], default=None),
    )


def union_ns(intervals: Iterable[Interval]) -> int:
    """Nanoseconds that at least one interval covers; reversed intervals cover nothing."""
    covered, reached = 0, None
    for start, end in sorted(intervals):
        begin = start if reached is None else max(start, reached)
        if end > begin:
            covered += end - begin
            reached = end
    return covered


def tokens_per_second(visible_tokens: int, first_token_s: float, last_token_s: float) -> float | None:
    """Speed of generation once it has begun: the tokens after the first over the time from first to last.

    `None` when the answer came in one piece: there is no speed in a single moment.
    """
    if visible_tokens < 2 or last_token_s <= first_token_s:
        return None
    return (visible_tokens - 1) / (last_token_s - first_token_s)


def _clip(interval: Interval, bounds: Interval) -> Interval:
    return max(interval[0], bounds[0]), min(interval[1], bounds[1])


def _length(interval: Interval) -> int:
    return max(interval[1] - interval[0], 0)
