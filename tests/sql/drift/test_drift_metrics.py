"""What drift_metrics says of given answers: every number of a row, and when it says nothing."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]
from sql.drift.answers import FIRST_DAY, Answers, store

from sightline_collector.gateway.limits import Limits
from sightline_collector.store.engine import Engine

WEEK = range(7)


def drift(engine: Engine, project: str, day: int, **where: str) -> list[dict[str, Any]]:
    """The rows of one day."""
    wanted = {"project": project, **where}
    conditions = " and ".join(f"{column} = '{value}'" for column, value in wanted.items())
    at = (FIRST_DAY + timedelta(days=day)).strftime("%Y-%m-%d")
    return engine.rows(
        f"select * from drift_metrics where toDate(window.1) = '{at}' and {conditions}"
        " order by slice_key, slice_value, column_name, drift_type"
    )


def only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(rows) == 1
    return rows[0]


def lengths(seed: int, n: int, median: float) -> list[int]:
    drawn = np.random.default_rng(seed).lognormal(np.log(median), 0.5, n)
    return [int(x) for x in drawn]


def on_grid(values: list[int]) -> list[float]:
    """The values as the grid sees them: the middle of their cell."""
    found = []
    for value in values:
        width = 1 << max(0, value.bit_length() - 6)
        low = value // width * width
        found.append(low + (width - 1) / 2)
    return found


def test_numbers_are_compared_at_the_baselines_deciles(engine: Engine) -> None:
    """Against the seven days before: the index at shared, open-ended deciles; scipy's KS and Wasserstein."""
    past = [lengths(day, 300, 200) for day in WEEK]
    week = [length for day in past for length in day]
    today = lengths(99, 400, 320)
    store(engine, *(Answers("numbers", day, past[day]) for day in WEEK), Answers("numbers", 7, today))
    row = only(
        drift(engine, "numbers", 7, slice_key="model", column_name="output_tokens", drift_type="BASELINE")
    )
    before, after = on_grid(week), on_grid(today)
    edges = np.quantile(before, np.arange(1, 10) / 10, method="inverted_cdf")
    bins = [np.bincount(np.searchsorted(edges, side), minlength=10) for side in (before, after)]
    p, q = bins[0] / len(before), bins[1] / len(after)
    index = float(np.sum((q - p) * np.log(q / p)))
    spread = 1 / len(before) + 1 / len(after)
    ks = stats.ks_2samp(before, after)
    assert row["population_stability_index"] == pytest.approx(index, rel=1e-10)
    assert row["p_value"] == pytest.approx(stats.chi2.sf(index / spread, 9), rel=1e-9)
    assert row["threshold"] == pytest.approx(spread * stats.chi2.isf(0.001, 9), rel=1e-10)
    assert row["wasserstein_distance"] == pytest.approx(stats.wasserstein_distance(before, after), rel=1e-10)
    assert row["ks_test"]["statistic"] == pytest.approx(ks.statistic, rel=1e-10)
    assert row["ks_test"]["pvalue"] == pytest.approx(stats.kstwobign.sf(ks.statistic / spread**0.5), rel=1e-9)
    assert row["avg_delta"] == pytest.approx(np.mean(today) - np.mean(week), rel=1e-10)
    expected = {
        "window": {"start": FIRST_DAY + timedelta(days=7), "end": FIRST_DAY + timedelta(days=8)},
        "window_cmp": {"start": FIRST_DAY, "end": FIRST_DAY + timedelta(days=7)},
        "granularity": "1 day",
        "slice_value": "m1",
        "data_type": "bigint",
        "baseline": "trailing 7 days",
        "n": 400,
        "n_cmp": 2100,
        "count_delta": -1700,
        "percent_null_delta": 0,
        "percent_zeros_delta": 0,
        "js_distance": None,
        "chi_squared_test": {"statistic": None, "pvalue": None},
        "tv_distance": None,
        "l_infinity_distance": None,
        "effect_floor": 0.1,
        "status": "drift",
    }
    assert {name: _utc(row[name]) for name in expected} == expected
    assert row["top_contributor"] == "384 tokens and more: 9.4 % -> 37.2 %"


def _utc(value: Any) -> Any:
    """Engines hand out UTC times without saying so."""
    if isinstance(value, dict):
        return {
            k: v.replace(tzinfo=FIRST_DAY.tzinfo) if hasattr(v, "tzinfo") else v for k, v in value.items()
        }
    return value


def test_categories_are_compared_as_two_samples(engine: Engine) -> None:
    """Neither side is exact: scipy's contingency test, with a category that only one side has."""
    before, after = [800, 180, 0, 20], [250, 40, 110, 0]
    names = ["stop", "length", "content_filter", "tool_calls"]

    def reasons(counts: list[int]) -> list[str]:
        return [name for name, n in zip(names, counts, strict=True) for _ in range(n)]

    store(
        engine,
        Answers("kinds", 0, [5] * 1000, finish_reasons=reasons(before)),
        Answers("kinds", 1, [5] * 500, finish_reasons=[*reasons(after), *[""] * 100]),
    )
    row = only(
        drift(engine, "kinds", 1, slice_key="feature", column_name="finish_reason", drift_type="CONSECUTIVE")
    )
    expected = stats.chi2_contingency(np.array([before, after]), correction=False)
    shares = np.array(before) / 1000, np.array(after) / 400
    assert row["chi_squared_test"] == pytest.approx(
        {"statistic": expected.statistic, "pvalue": expected.pvalue}, rel=1e-9
    )
    assert row["tv_distance"] == pytest.approx(np.abs(shares[0] - shares[1]).sum() / 2)
    assert row["l_infinity_distance"] == pytest.approx(np.abs(shares[0] - shares[1]).max())
    assert row["percent_null_delta"] == pytest.approx(20)
    assert row["population_stability_index"] is None
    assert row["status"] == "drift"
    assert row["top_contributor"] == "content_filter: 0 % -> 27.5 %"


def test_slices_are_models_features_and_pairs(engine: Engine) -> None:
    """Each day gives three columns to each model, each feature and each pair that had calls."""
    store(
        engine,
        Answers("slices", 0, [1] * 3, model="a", feature="x"),
        Answers("slices", 0, [1] * 3, model="b", feature="x"),
        Answers("slices", 0, [1] * 3, model="b", feature=""),
        Answers("slices", 0, [1] * 3, model="z", feature="z", operation="tool"),
    )
    rows = drift(engine, "slices", 0, column_name="refused")
    found = {(row["slice_key"], row["slice_value"]): row["n"] for row in rows}
    assert found == {
        ("model", "a"): 3,
        ("model", "b"): 6,
        ("feature", "x"): 6,
        ("model,feature", "a,x"): 3,
        ("model,feature", "b,x"): 3,
    }


def test_too_few_values_say_so_and_nothing_else(engine: Engine) -> None:
    """Under 200 reported values on either side there is no statistic, and never an ok."""
    store(
        engine,
        Answers("few", 0, lengths(1, 500, 100)),
        Answers("few", 1, [*lengths(2, 199, 900), *[None] * 300]),
    )
    for row in drift(engine, "few", 1, slice_key="model", column_name="output_tokens"):
        assert row["status"] == "insufficient_data"
        assert (row["n"], row["n_cmp"]) == (199, 500)
        statistics = ("population_stability_index", "p_value", "q_value", "threshold", "wasserstein_distance")
        assert [row[name] for name in statistics] == [None] * 5
        assert row["ks_test"] == {"statistic": None, "pvalue": None}


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
    assert _utc(row["window_cmp"])["start"] == FIRST_DAY + timedelta(days=1)


@pytest.mark.parametrize(("constant", "moved"), [(5, 4), (5, 6), (0, 1), (3000, 90)])
def test_answers_that_never_vary_drift_when_they_do(engine: Engine, constant: int, moved: int) -> None:
    """When every answer has one length, any other length is drift, shorter or longer."""
    project = f"constant_{constant}_{moved}"
    store(
        engine,
        Answers(project, 0, [constant] * 300),
        Answers(project, 1, [constant] * 300),
        Answers(project, 2, [moved] * 300),
    )
    for day, status in ((1, "ok"), (2, "drift")):
        rows = drift(engine, project, day, slice_key="model", column_name="output_tokens")
        assert {row["status"] for row in rows} == {status}


def test_a_difference_too_small_to_matter_is_ok(engine: Engine) -> None:
    """With many calls a tiny shift is certain (p below 0.001), and still under the effect floor."""
    store(
        engine,
        Answers("tiny", 0, lengths(1, 12_000, 200)),
        Answers("tiny", 1, lengths(2, 12_000, 212)),
    )
    row = only(
        drift(engine, "tiny", 1, slice_key="model", column_name="output_tokens", drift_type="BASELINE")
    )
    assert row["p_value"] < 0.001
    assert row["population_stability_index"] > row["threshold"]
    assert row["population_stability_index"] < row["effect_floor"]
    assert row["status"] == "ok"


def test_q_values_are_benjamini_and_hochbergs(engine: Engine) -> None:
    """Over the day's comparisons of a project with one drift type, as scipy adjusts them."""
    store(
        engine,
        *(
            Answers(
                "many", day, lengths(10 * day + m, 250, 150 + 60 * day * (m == 0)), model=f"m{m}", feature=""
            )
            for day in (0, 1)
            for m in range(6)
        ),
    )
    rows = [row for row in drift(engine, "many", 1) if row["drift_type"] == "CONSECUTIVE"]
    expected = stats.false_discovery_control([row["p_value"] for row in rows])
    assert [row["q_value"] for row in rows] == pytest.approx(list(expected), rel=1e-12)


def test_identical_traffic_hardly_ever_drifts(engine: Engine) -> None:
    """Twelve models, three weeks, 250 calls a day of one law: no drift in some 2,800 comparisons."""
    generator = np.random.default_rng(7)
    for day in range(21):
        store(
            engine,
            *(
                Answers(
                    "null",
                    day,
                    [int(x) for x in generator.lognormal(5, 0.7, 250)],
                    model=f"m{m}",
                    feature=f"f{m % 3}",
                    finish_reasons=list(generator.choice(["stop", "length"], 250, p=[0.9, 0.1])),
                    refused=[int(x) for x in generator.random(250) < 0.03],
                )
                for m in range(12)
            ),
        )
    counts = {
        row["status"]: row["n"]
        for row in engine.rows(
            "select status, count() as n from drift_metrics where project = 'null' group by status"
        )
    }
    assert counts["ok"] > 2500
    assert counts.get("drift", 0) == 0
    small = engine.value(
        "select avg(p_value < 0.01) from drift_metrics where project = 'null' and drift_type = 'CONSECUTIVE'"
    )
    assert 0.003 < small < 0.02


@pytest.mark.parametrize("column", ["p_value", "top_contributor"])
def test_a_column_of_thousands_of_comparisons_can_be_read_alone(engine: Engine, column: str) -> None:
    """What rests on all others is by itself what it is beside them, within the SQL port's bound of memory."""
    bounded = f"from drift_metrics where project = 'null' settings max_memory_usage = {Limits().memory_bytes}"
    alone, beside = (engine.rows(f"select {asked} {bounded}") for asked in (column, "*"))
    assert len(alone) > 2500
    assert Counter(str(row[column]) for row in alone) == Counter(str(row[column]) for row in beside)


def test_only_the_model_whose_answers_change_is_a_cause(engine: Engine) -> None:
    """One of three models answers longer from day 8 on: it alone is named as a cause."""
    generator = np.random.default_rng(11)
    models, features = ("alpha", "beta", "gamma"), ("search", "chat")
    for day in range(12):
        store(
            engine,
            *(
                Answers(
                    "shift",
                    day,
                    [
                        int(x)
                        for x in generator.lognormal(5.8 if model == "beta" and day >= 8 else 5, 0.5, 220)
                    ],
                    model=model,
                    feature=feature,
                )
                for model in models
                for feature in features
            ),
        )
    rows = engine.rows("select * from drift_alerts where project = 'shift' and status = 'ALERT'")
    causes = {(row["slice"], row["column_name"]) for row in rows if row["explained_by"] == ""}
    assert causes == {("model=beta", "output_tokens")}
    assert {row["slice"] for row in rows} >= {"feature=chat", "model,feature=beta,chat"}
    days = {row["window_start"].day for row in rows if row["drift_type"] == "CONSECUTIVE"}
    assert days == {(FIRST_DAY + timedelta(days=8)).day}
    for row in rows:
        assert row["drift_value"] > row["threshold_value"]


def test_a_feature_of_one_model_is_the_models_shadow(engine: Engine) -> None:
    """When a model and a feature are the very same calls, the model is named as the cause."""
    for day, median in ((0, 100), (1, 300)):
        store(engine, Answers("same", day, lengths(day, 300, median), model="solo", feature="only"))
    rows = engine.rows(
        "select slice, explained_by from drift_alerts where project = 'same' and status = 'ALERT'"
    )
    assert {row["slice"]: row["explained_by"] for row in rows} == {
        "model=solo": "",
        "feature=only": "model=solo",
        "model,feature=solo,only": "model=solo",
    }


def test_profiles_describe_each_day(engine: Engine) -> None:
    """profile_metrics: counts, shares of nulls and zeros, extremes, quantiles and frequent items of a day."""
    store(
        engine,
        Answers("profile", 0, [0, 10, 20, 30, 40, None], finish_reasons=["stop"] * 4 + ["length", ""]),
    )
    rows = engine.rows("select * from profile_metrics where project = 'profile' and slice_key = 'model'")
    tokens = only([row for row in rows if row["column_name"] == "output_tokens"])
    names = ("count", "num_nulls", "avg", "min", "max", "num_zeros", "median", "distinct_count")
    assert [tokens[name] for name in names] == [6, 1, 20, 0, 40, 1, 20, 5]
    assert tokens["percent_null"] == pytest.approx(100 / 6)
    assert tokens["percent_zeros"] == pytest.approx(20)
    assert list(tokens["quantiles"]) == [0, 10, 20, 30, 40]
    reasons = only([row for row in rows if row["column_name"] == "finish_reason"])
    assert [(item["item"], item["count"]) for item in reasons["frequent_items"]] == [
        ("stop", 4),
        ("length", 1),
    ]
    assert (reasons["num_nulls"], reasons["distinct_count"], reasons["avg"]) == (1, 2, None)
