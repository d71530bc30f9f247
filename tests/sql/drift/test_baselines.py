"""What drift_metrics compares with: the days before, or days that were frozen, frozen again and released."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sql.drift.answers import FIRST_DAY, Answers, drift, in_utc, lengths, only, store

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


def test_the_first_day_has_no_baseline(engine: Engine) -> None:
    """With nothing before it a day has one BASELINE row that says so, and no CONSECUTIVE row."""
    store(engine, Answers("first", 0, lengths(3, 300, 100)))
    row = only(drift(engine, "first", 0, slice_key="model", column_name="output_tokens"))
    assert (row["drift_type"], row["status"]) == ("BASELINE", "no_baseline")
    assert row["window_cmp"] == {"start": None, "end": None}
    assert row["count_delta"] is None


def test_a_day_without_calls_breaks_the_chain_of_days(engine: Engine) -> None:
    """CONSECUTIVE compares with the day before only; BASELINE with the seven days that there were."""
    store(engine, *(Answers("gap", day, lengths(day, 250, 100)) for day in (0, 1, 3)))
    rows = drift(engine, "gap", 3, slice_key="model", column_name="output_tokens")
    assert [(row["drift_type"], row["n_cmp"]) for row in rows] == [("BASELINE", 500)]


def test_the_window_is_not_part_of_its_own_baseline(engine: Engine) -> None:
    """The trailing baseline ends the day before, and reaches back seven days, not eight."""
    store(engine, *(Answers("reach", day, lengths(day, 210, 100)) for day in range(9)))
    row = only(
        drift(engine, "reach", 8, slice_key="model", column_name="output_tokens", drift_type="BASELINE")
    )
    assert row["n_cmp"] == 7 * 210
    assert in_utc(row["window_cmp"])["start"] == FIRST_DAY + timedelta(days=1)


def test_a_frozen_baseline_stays_while_answers_creep(engine: Engine) -> None:
    """Answers that grow a little a day are drift against a frozen day, and stay so until it is released."""
    store(engine, *(Answers("creep", day, lengths(day, 400, 100 * 1.03**day)) for day in range(12)))
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
