"""Money, from the program to the collector and back: summed up whatever is sampled, stopped at a limit."""

import re
from collections.abc import Iterator

import pytest
import requests
from collector_process import CollectorProcess, wait_until

import sightline
from sightline import Budget, BudgetExceeded, Sampling
from sightline.budget import check


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """A running collector."""
    with CollectorProcess(tmp_path_factory.mktemp("money") / "data", "--segment-age-s", "0.2") as running:
        running.start()
        yield running
        assert running.stop() == 0


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """The SDK is off again after the test, however it ends."""
    yield
    sightline.shutdown()


def call(input_tokens: int, output_tokens: int) -> None:
    with sightline.llm_call(provider="openai", model="gpt-4o-mini") as opened:
        opened.record_usage(input_tokens=input_tokens, output_tokens=output_tokens)


def test_a_budget_of_the_collector_stops_a_program(collector: CollectorProcess) -> None:
    """What one process spends, the collector sums up, and any process that asks it is stopped."""
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


def test_sampled_or_not_the_collector_says_the_same(collector: CollectorProcess) -> None:
    """Calls, costs and failures are those of all traces; other spans are reckoned in by their weight."""
    traces = 400
    settings = Sampling(0.25, {"quiet": 0.0})
    sightline.init("shop", collector.otlp, instrument=False, sampling=settings)

    @sightline.tool
    def look_up(fails: bool) -> None:
        if fails:
            raise LookupError

    @sightline.workflow
    def work(number: int) -> None:
        with sightline.stage("tidy"):
            call(1_000, 50)
        try:
            look_up(fails=number % 20 == 0)
        except LookupError:
            return

    for number in range(traces):
        with sightline.context(feature="quiet" if number % 4 == 0 else "loud"):
            work(number)
    left_out = sightline.health().sampled_out
    sightline.shutdown()
    collector.flush()
    (stored,) = collector.ask("select count() as spans from spans where feature in ('quiet', 'loud')")
    assert stored["spans"] + left_out == 4 * traces
    rows = collector.ask(
        "select operation, sum(calls) as n, sum(errors) as failed, sum(cost_usd) as usd from usage_hourly"
        " where feature in ('quiet', 'loud') group by operation order by operation"
    )
    by_operation = {row.pop("operation"): row for row in rows}
    assert by_operation["llm"] == {"n": traces, "failed": 0, "usd": 0.072}
    assert (by_operation["workflow"]["n"], by_operation["tool"]["failed"]) == (traces, traces // 20)
    # Of 300 loud traces 280 have a tool that did not fail: each is chosen, or not, by its random id.
    estimated, failed = by_operation["tool"]["n"], by_operation["tool"]["failed"]
    assert estimated % 4 == failed % 4
    assert abs(estimated - failed - 300) < 5 * (300 * 0.75 / 0.25) ** 0.5
