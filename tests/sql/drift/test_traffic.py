"""What weeks of traffic come to: no drift where nothing changes, and the one cause where something does."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from sql.drift.answers import FIRST_DAY, Answers, lengths, store

from sightline_collector.gateway.limits import Limits
from sightline_collector.store.engine import Engine


@pytest.fixture(scope="module")
def identical(engine: Engine) -> Engine:
    """Twelve models, three weeks, 250 calls a day of one law: some 2,800 comparisons."""
    generator = np.random.default_rng(7)
    store(engine, *(_drawn(generator, day, number) for day in range(21) for number in range(12)))
    return engine


def _drawn(generator: np.random.Generator, day: int, number: int) -> Answers:
    return Answers(
        "null",
        day,
        [int(x) for x in generator.lognormal(5, 0.7, 250)],
        model=f"m{number}",
        feature=f"f{number % 3}",
        finish_reasons=list(generator.choice(["stop", "length"], 250, p=[0.9, 0.1])),
        refused=[int(x) for x in generator.random(250) < 0.03],
    )


def test_identical_traffic_hardly_ever_drifts(identical: Engine) -> None:
    """Where the law stays the same no comparison is drift, and p values are small as often as they say."""
    counts = {
        row["status"]: row["n"]
        for row in identical.rows(
            "select status, count() as n from drift_metrics where project = 'null' group by status"
        )
    }
    assert counts["ok"] > 2500
    assert counts.get("drift", 0) == 0
    small = identical.value(
        "select avg(p_value < 0.01) from drift_metrics where project = 'null' and drift_type = 'CONSECUTIVE'"
    )
    assert 0.003 < small < 0.02


def test_a_column_of_thousands_of_comparisons_can_be_read_alone(identical: Engine) -> None:
    """What rests on all others is by itself what it is beside them, within the SQL port's bound of memory."""
    bounded = f"from drift_metrics where project = 'null' settings max_memory_usage = {Limits().memory_bytes}"
    beside = identical.rows(f"select * {bounded}")
    assert len(beside) > 2500
    for column in ("p_value", "top_contributor"):
        alone = identical.rows(f"select {column} {bounded}")
        assert Counter(str(row[column]) for row in alone) == Counter(str(row[column]) for row in beside)


def test_only_the_model_whose_answers_change_is_a_cause(engine: Engine) -> None:
    """One of three models answers longer from day 8 on: it alone is named as a cause."""
    generator = np.random.default_rng(11)
    models, features = ("alpha", "beta", "gamma"), ("search", "chat")
    store(
        engine,
        *(
            Answers(
                "shift",
                day,
                [int(x) for x in generator.lognormal(5.8 if model == "beta" and day >= 8 else 5, 0.5, 220)],
                model=model,
                feature=feature,
            )
            for day in range(12)
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
    days = (
        Answers("same", day, lengths(day, 300, median), model="solo", feature="only")
        for day, median in ((0, 100), (1, 300))
    )
    store(engine, *days)
    rows = engine.rows(
        "select slice, explained_by from drift_alerts where project = 'same' and status = 'ALERT'"
    )
    assert {row["slice"]: row["explained_by"] for row in rows} == {
        "model=solo": "",
        "feature=only": "model=solo",
        "model,feature=solo,only": "model=solo",
    }
