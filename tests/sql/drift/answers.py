"""Model calls with given answers, written straight into the span table, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import numpy as np

from sightline_collector.store.engine import Engine

FIRST_DAY = datetime(2025, 3, 3, tzinfo=UTC)
"""Day 0 of every case: a Monday."""
_numbers = count()


@dataclass(frozen=True, slots=True)
class Answers:
    """One day's answers of one model in one feature; None in a list is a value not reported."""

    project: str
    day: int
    tokens: Sequence[int | None]
    model: str = "m1"
    feature: str = "f1"
    finish_reasons: Sequence[str] = ()
    refused: Sequence[int | None] = ()
    operation: str = "llm"
    extra: dict[str, Any] = field(default_factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """The spans, spread over the day."""
        return [self._row(i, tokens) for i, tokens in enumerate(self.tokens)]

    def _row(self, i: int, tokens: int | None) -> dict[str, Any]:
        at = FIRST_DAY + timedelta(days=self.day, seconds=i * 80_000 // max(1, len(self.tokens)))
        number = next(_numbers)
        return {
            "project": self.project,
            "started_at": at.strftime("%Y-%m-%d %H:%M:%S"),
            "received_at": at.strftime("%Y-%m-%d %H:%M:%S"),
            "trace_id": f"{number:032x}",
            "span_id": f"{number:016x}",
            "operation": self.operation,
            "model": self.model,
            "feature": self.feature,
            "output_tokens": tokens,
            "finish_reason": self.finish_reasons[i] if self.finish_reasons else "stop",
            "refused": self.refused[i] if self.refused else 0,
            **self.extra,
        }


def store(engine: Engine, *answers: Answers) -> None:
    """Write the answers."""
    engine.insert("spans_v1", [row for some in answers for row in some.rows()])


def lengths(seed: int, n: int, median: float) -> list[int]:
    """That many answers' lengths, of one law around a median."""
    drawn = np.random.default_rng(seed).lognormal(np.log(median), 0.5, n)
    return [int(x) for x in drawn]


def drift(engine: Engine, project: str, day: int, **where: str) -> list[dict[str, Any]]:
    """The rows of drift_metrics of one day."""
    wanted = {"project": project, **where}
    conditions = " and ".join(f"{column} = '{value}'" for column, value in wanted.items())
    at = (FIRST_DAY + timedelta(days=day)).strftime("%Y-%m-%d")
    return engine.rows(
        f"select * from drift_metrics where toDate(window.1) = '{at}' and {conditions}"
        " order by slice_key, slice_value, column_name, drift_type"
    )


def only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The one row there is."""
    assert len(rows) == 1
    return rows[0]


def in_utc(value: Any) -> Any:
    """Engines hand out UTC times without saying so."""
    if isinstance(value, dict):
        return {
            k: v.replace(tzinfo=FIRST_DAY.tzinfo) if hasattr(v, "tzinfo") else v for k, v in value.items()
        }
    return value
