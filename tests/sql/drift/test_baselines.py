"""Frozen baselines: what drift_metrics compares with after freezing, freezing again and releasing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sql.drift.answers import FIRST_DAY, Answers, store
from sql.drift.test_drift_metrics import drift, lengths

from sightline_collector.alerts.baseline import freeze_baseline, release_baseline
from sightline_collector.errors import BadConfiguration
from sightline_collector.store.engine import Engine

DAY = FIRST_DAY.date()


def compared(engine: Engine, project: str, day: int) -> dict[str, Any]:
    """The BASELINE row of the model's output tokens."""
    (row,) = drift(
        engine, project, day, slice_key="model", column_name="output_tokens", drift_type="BASELINE"
    )
    return row


def test_a_frozen_baseline_stays_while_answers_creep(engine: Engine) -> None:
    """Answers that grow a little a day are drift against a frozen day, and stay so until it is released."""
    for day in range(12):
        store(engine, Answers("creep", day, lengths(day, 400, 100 * 1.03**day)))
    assert compared(engine, "creep", 11)["baseline"] == "trailing 7 days"
    trailing = compared(engine, "creep", 11)["population_stability_index"]
    frozen = freeze_baseline(engine, "release 1", DAY, DAY, project="creep", created_by="ann")
    assert frozen == 9
    row = compared(engine, "creep", 11)
    assert (row["baseline"], row["n_cmp"], row["status"]) == ("release 1", 400, "drift")
    assert row["population_stability_index"] > 2 * trailing
    assert row["window_cmp"]["end"] - row["window_cmp"]["start"] == timedelta(days=1)
    freeze_baseline(engine, "release 2", DAY + timedelta(days=8), DAY + timedelta(days=10), project="creep")
    row = compared(engine, "creep", 11)
    assert (row["baseline"], row["n_cmp"], row["status"]) == ("release 2", 1200, "ok")
    release_baseline(engine, project="creep")
    assert compared(engine, "creep", 11)["baseline"] == "trailing 7 days"


def test_a_frozen_baseline_adds_up_its_days(engine: Engine) -> None:
    """A baseline of several days is their sum; categories too."""
    store(engine, *(Answers("sum", day, lengths(day, 150, 100)) for day in range(3)))
    freeze_baseline(engine, "days", DAY, DAY + timedelta(days=1), project="sum")
    rows = drift(engine, "sum", 2, slice_key="model", drift_type="BASELINE")
    assert {row["column_name"]: row["n_cmp"] for row in rows} == {
        "output_tokens": 300,
        "finish_reason": 300,
        "refused": 300,
    }


def test_days_without_answers_cannot_be_frozen(engine: Engine) -> None:
    """The error says which days there are."""
    store(engine, Answers("none", 0, [1]))
    with pytest.raises(BadConfiguration, match="reaches from 2025-03-03 to 2025-03-03"):
        freeze_baseline(engine, "x", DAY - timedelta(days=9), DAY - timedelta(days=8), project="none")
