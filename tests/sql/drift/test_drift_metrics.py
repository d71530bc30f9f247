"""What drift_metrics says of given answers: every number of a row, and when it says nothing."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
import scipy  # type: ignore[import-untyped]  # its parts come when they are asked for
from sql.drift.answers import FIRST_DAY, Answers, drift, in_utc, lengths, only, store

from sightline_collector.store.engine import Engine

WEEK = range(7)


def on_grid(values: list[int]) -> list[float]:
    """The values as the grid sees them: the middle of their cell."""
    found = []
    for value in values:
        width = 1 << max(0, value.bit_length() - 6)
        low = value // width * width
        found.append(low + (width - 1) / 2)
    return found


def index_at_deciles(before: list[float], after: list[float]) -> float:
    """The population stability index over ten bins, open at both ends, that hold a tenth of `before` each."""
    edges = np.quantile(before, np.arange(1, 10) / 10, method="inverted_cdf")
    bins = [np.bincount(np.searchsorted(edges, side), minlength=10) for side in (before, after)]
    p, q = bins[0] / len(before), bins[1] / len(after)
    return float(np.sum((q - p) * np.log(q / p)))


ROW_OF_NUMBERS = {
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
"""What a row says beside its statistics, of numbers against the seven days before."""


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
    index = index_at_deciles(before, after)
    spread = 1 / len(before) + 1 / len(after)
    ks = scipy.stats.ks_2samp(before, after)
    assert row["population_stability_index"] == pytest.approx(index, rel=1e-10)
    assert row["p_value"] == pytest.approx(scipy.stats.chi2.sf(index / spread, 9), rel=1e-9)
    assert row["threshold"] == pytest.approx(spread * scipy.stats.chi2.isf(0.001, 9), rel=1e-10)
    assert row["wasserstein_distance"] == pytest.approx(
        scipy.stats.wasserstein_distance(before, after), rel=1e-10
    )
    assert row["ks_test"]["statistic"] == pytest.approx(ks.statistic, rel=1e-10)
    assert row["ks_test"]["pvalue"] == pytest.approx(
        scipy.stats.kstwobign.sf(ks.statistic / spread**0.5), rel=1e-9
    )
    assert row["avg_delta"] == pytest.approx(np.mean(today) - np.mean(week), rel=1e-10)
    assert row["top_contributor"] == "384 tokens and more: 9.4 % -> 37.2 %"
    assert {name: in_utc(row[name]) for name in ROW_OF_NUMBERS} == ROW_OF_NUMBERS


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
    expected = scipy.stats.chi2_contingency(np.array([before, after]), correction=False)
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
    rows = drift(engine, "few", 1, slice_key="model", column_name="output_tokens")
    assert [row["drift_type"] for row in rows] == ["BASELINE", "CONSECUTIVE"]
    for row in rows:
        assert row["status"] == "insufficient_data"
        assert (row["n"], row["n_cmp"]) == (199, 500)
        statistics = ("population_stability_index", "p_value", "q_value", "threshold", "wasserstein_distance")
        assert [row[name] for name in statistics] == [None] * 5
        assert row["ks_test"] == {"statistic": None, "pvalue": None}


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
    expected = scipy.stats.false_discovery_control([row["p_value"] for row in rows])
    assert [row["q_value"] for row in rows] == pytest.approx(list(expected), rel=1e-12)


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
