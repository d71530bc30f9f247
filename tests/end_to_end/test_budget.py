"""A budget set at a collector, and the program that it stops."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from collector_process import CollectorProcess, wait_until

import sightline
from sightline import Budget, BudgetExceeded
from sightline.budget import check


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """The SDK is off again after the test, however it ends."""
    yield
    sightline.shutdown()


def call(input_tokens: int, output_tokens: int) -> None:
    with sightline.llm_call(provider="openai", model="gpt-4o-mini") as opened:
        opened.record_usage(input_tokens=input_tokens, output_tokens=output_tokens)


def test_a_budget_of_the_collector_stops_a_program(tmp_path: Path) -> None:
    """What one process spends, the collector sums up, and any process that asks it is stopped."""
    with CollectorProcess(tmp_path / "data", "--segment-age-s", "0.2") as collector:
        collector.start()
        limit = {"limit_usd": "0.0003", "per": "month", "feature": "support"}
        assert requests.post(f"{collector.http}/api/budgets", json=limit, timeout=30).status_code == 201
        budget = Budget(collector=collector.http, refresh_s=0.1)
        sightline.init("shop", collector.otlp, instrument=False, budget=budget)
        with sightline.context(feature="support"):
            call(1_000, 50)
            call(1_000, 50)
            assert sightline.flush()
            collector.flush()
            wait_until(lambda: check().action == "deny")
            said = "0.00036 of the 0.0003 USD that the collector's budget 'month:feature=support' allows"
            with pytest.raises(BudgetExceeded, match=re.escape(said)):
                call(0, 0)
        with sightline.context(feature="search"):
            call(0, 0)
        sightline.shutdown()
        collector.flush()
        assert collector.ask(
            "select feature, count() as calls, countIf(status = 'error') as errors, sum(cost_usd) as usd"
            " from spans group by feature order by feature"
        ) == [
            {"feature": "search", "calls": 1, "errors": 0, "usd": 0},
            {"feature": "support", "calls": 3, "errors": 1, "usd": 0.00036},
        ]
        assert collector.stop() == 0
