"""The drift statistics as SQL functions: reference values, and scipy's opinion of random histograms."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import scipy  # type: ignore[import-untyped]  # its parts come when they are asked for
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sightline_collector.store.engine import Engine

STEADY = [90, 8, 2, 0]
"""stop, length, tool_calls, content_filter: the reference of both cases."""
NEW_CATEGORY = [70, 20, 0, 10]
SAME_CATEGORIES = [70, 20, 10, 0]
RISING = list(range(100, 400, 10))
SHIFTED = [x + 60 for x in RISING]

law = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
histograms = st.integers(2, 30).flatmap(
    lambda k: st.tuples(*[st.lists(st.integers(1, 10_000), min_size=k, max_size=k)] * 2)
)


def says(engine: Engine, expression: str) -> float:
    return float(engine.value(f"select {expression}"))


@pytest.mark.parametrize(
    ("function", "current", "expected"),
    [
        ("psi", NEW_CATEGORY, 0.9557390414),
        ("psi", SAME_CATEGORIES[:3], 0.2889728065),
        ("js_distance", NEW_CATEGORY, 0.2472611420),
        ("js_distance", SAME_CATEGORIES[:3], 0.1846737659),
        ("tv_distance", NEW_CATEGORY, 0.22),
        ("tv_distance", SAME_CATEGORIES[:3], 0.20),
        ("l_infinity_distance", NEW_CATEGORY, 0.20),
        ("l_infinity_distance", SAME_CATEGORIES[:3], 0.20),
        ("chi2", NEW_CATEGORY, 19.64285714),
        ("chi2", SAME_CATEGORIES[:3], 12.97619048),
    ],
)
def test_finish_reasons_give_the_reference_values(
    engine: Engine, function: str, current: list[int], expected: float
) -> None:
    """Of the two finish-reason cases every statistic is known to eight digits and more."""
    found = says(engine, f"sightline_{function}({STEADY[: len(current)]}, {current})")
    assert found == pytest.approx(expected, rel=5e-9)


def test_a_finish_reason_shift_has_the_reference_p_values(engine: Engine) -> None:
    """Two degrees of freedom: 0.00152 for the statistic, 0.00073 for the calibrated index."""
    assert says(engine, "sightline_chi2_sf(12.976190476, 2)") == pytest.approx(0.00152144, rel=1e-5)
    index = says(engine, f"sightline_psi({STEADY[:3]}, {SAME_CATEGORIES[:3]})")
    assert index / (1 / 100 + 1 / 100) == pytest.approx(14.449, rel=1e-4)
    assert says(engine, f"sightline_chi2_sf({index} / 0.02, 2)") == pytest.approx(0.000729, rel=1e-3)


def test_two_proportions_are_the_two_by_two_case(engine: Engine) -> None:
    """480 of 500 against 450 of 500 valid: chi-squared is z squared, with z's two-sided p-value."""
    squared = says(engine, "sightline_chi2([480, 20], [450, 50])")
    assert math.sqrt(squared) == pytest.approx(3.7181829961, rel=1e-10)
    assert says(engine, f"sightline_chi2_sf({squared}, 1)") == pytest.approx(0.000200661, rel=1e-5)


def test_a_shift_seen_in_open_ended_quintiles(engine: Engine) -> None:
    """Thirty numbers moved by 60, at the reference's quintiles: 0.2 five times against 0, .2, .2, .2, .4."""
    edges = list(
        engine.value(
            f"select quantilesExactInclusive(0.2, 0.4, 0.6, 0.8)(x) from (select arrayJoin({RISING}) as x)"
        )
    )

    def binned(values: list[int]) -> list[int]:
        places = [sum(edge < value for edge in edges) for value in values]
        return [places.count(i) for i in range(5)]

    assert binned(RISING) == [6, 6, 6, 6, 6]
    assert binned(SHIFTED) == [0, 6, 6, 6, 12]
    found = says(engine, f"sightline_psi({binned(RISING)}, {binned(SHIFTED)})")
    assert found == pytest.approx(1.6580498377, rel=1e-9)


def test_a_shift_seen_by_the_ordered_statistics(engine: Engine) -> None:
    """Thirty numbers moved by 60: Wasserstein 60, Kolmogorov-Smirnov 0.2 with an asymptotic p of 0.586."""
    places = sorted({*RISING, *SHIFTED})
    before, after = ([values.count(p) for p in places] for values in (RISING, SHIFTED))
    assert says(engine, f"sightline_wasserstein({before}, {after}, {places})") == pytest.approx(60)
    assert says(engine, f"sightline_ks({before}, {after})") == pytest.approx(0.2)
    assert says(engine, "sightline_kolmogorov_sf(0.2 * sqrt(15))") == pytest.approx(0.58596972, rel=1e-7)


@law
@given(x=st.floats(0.001, 400), df=st.integers(1, 60))
def test_the_chi_squared_tail_is_exact(engine: Engine, x: float, df: int) -> None:
    """Even and odd degrees of freedom, near and far tail: scipy's value to ten digits."""
    assert says(engine, f"sightline_chi2_sf({x!r}, {df})") == pytest.approx(
        scipy.stats.chi2.sf(x, df), rel=1e-10, abs=1e-300
    )


def test_the_chi_squared_quantile_is_exact(engine: Engine) -> None:
    """Each threshold that the view uses is scipy's to ten digits, for 1 to 128 degrees of freedom."""
    found = engine.value("select groupArray(sightline_chi2_quantile(0.001, number + 1)) from numbers(128)")
    assert list(found) == pytest.approx(list(scipy.stats.chi2.isf(0.001, np.arange(1, 129))), rel=1e-10)


@pytest.mark.parametrize(
    ("n", "m", "bins", "alpha", "expected"),
    [(100, 100, 10, 0.01, 0.433), (500, 500, 5, 0.01, 0.053), (1000, 7000, 10, 0.001, 0.0319)],
)
def test_calibrated_thresholds(
    engine: Engine, n: int, m: int, bins: int, alpha: float, expected: float
) -> None:
    """(1/n + 1/m) times the chi-squared quantile of bins - 1 degrees of freedom."""
    found = says(engine, f"(1 / {n} + 1 / {m}) * sightline_chi2_quantile({alpha}, {bins - 1})")
    assert found == pytest.approx(expected, rel=0.01)


@law
@given(sides=histograms)
def test_category_statistics_are_scipys(engine: Engine, sides: tuple[list[int], list[int]]) -> None:
    """On random histograms the two-sample chi-squared and the Jensen-Shannon distance equal scipy's."""
    before, after = sides
    found = says(engine, f"sightline_chi2({before}, {after})")
    expected = scipy.stats.chi2_contingency(np.array(sides), correction=False)
    assert found == pytest.approx(float(expected.statistic), rel=1e-9, abs=1e-9)
    assert says(engine, f"sightline_chi2_sf({found!r}, {len(before) - 1})") == pytest.approx(
        float(expected.pvalue), rel=1e-7, abs=1e-12
    )
    assert says(engine, f"sightline_js_distance({before}, {after})") == pytest.approx(
        float(scipy.spatial.distance.jensenshannon(before, after)), rel=1e-7, abs=1e-7
    )


@law
@given(sides=histograms)
def test_ordered_statistics_are_scipys(engine: Engine, sides: tuple[list[int], list[int]]) -> None:
    """On random weighted samples the Wasserstein and Kolmogorov-Smirnov distances equal scipy's."""
    before, after = sides
    places = [i * i for i in range(len(before))]
    expected = scipy.stats.wasserstein_distance(places, places, before, after)
    found = says(engine, f"sightline_wasserstein({before}, {after}, {places})")
    assert found == pytest.approx(float(expected), rel=1e-9, abs=1e-9)
    steps = np.abs(np.cumsum(before) / sum(before) - np.cumsum(after) / sum(after))
    assert says(engine, f"sightline_ks({before}, {after})") == pytest.approx(float(steps.max()), abs=1e-12)


@law
@given(x=st.floats(0.01, 5))
def test_kolmogorovs_tail_is_scipys(engine: Engine, x: float) -> None:
    """The asymptotic p-value equals scipy's to twelve places."""
    assert says(engine, f"sightline_kolmogorov_sf({x!r})") == pytest.approx(
        float(scipy.stats.kstwobign.sf(x)), abs=1e-12
    )


def test_token_cells_tile_the_counts(engine: Engine) -> None:
    """Every count lies in the cell whose floor is the last not above it, and cells are 1/32 wide at most."""
    floors = [
        int(row["f"]) for row in engine.rows("select sightline_token_floor(number) as f from numbers(513)")
    ]
    assert floors == sorted(set(floors))
    assert floors[:65] == list(range(65))
    assert floors[512] == 1 << 20
    assert all(high - low <= max(1, low / 32) for low, high in pairwise(floors))
    counts = [*range(70), 127, 128, 1023, 1024, *floors[64:512], *(f - 1 for f in floors[65:513]), 1 << 40]
    rows = engine.rows(f"select sightline_token_cell(arrayJoin({counts})) as cell")
    expected = [max(i for i, f in enumerate(floors[:512]) if f <= count) for count in counts]
    assert [int(row["cell"]) for row in rows] == expected
