"""What a sampler left out is in the totals: exactly, whatever share it keeps."""

from __future__ import annotations

from decimal import Decimal

from collector.settle.telling import Store, Told, usd, used

from sightline_collector.settle.amounts import Amounts

KEPT_7_OF_10 = "ot=th:4ccccccccccccc"
"""Of OpenTelemetry's tracestate: three tenths are rejected."""


def test_calls_stand_for_parts_of_calls(store: Store) -> None:
    """Seven calls of ten that a sampler keeps are ten in every view, and cost as much."""
    told = [
        Told(n, 0, used("chat", (70, 7)), trace=n, start=2 * n, trace_state=KEPT_7_OF_10) for n in range(1, 8)
    ]
    store.take(told)
    store.settle()
    found = {
        store.engine.value(f"select sum({calls}) from {view}")
        for view, calls in (
            ("cost_by_model", "calls"), ("cost_daily", "calls"), ("usage_hourly", "calls"),
            ("trace_summary", "model_calls"),
        )
    }  # fmt: skip
    assert found == {7 * Decimal("1.428571")}
    cost = store.engine.value("select cost_usd from cost_by_feature")
    assert abs(cost - usd(700, 70)) < Decimal("1e-9")


def test_parts_of_tokens_do_not_all_go_one_way() -> None:
    """Many small calls come to what they stand for, though each has whole tokens."""
    three = Amounts(input_tokens=3)
    total = sum(three.times(1.5, n / 1000).input_tokens for n in range(1000))
    assert total == 4500


def test_a_failed_attempt_is_a_call(store: Store) -> None:
    """An attempt that failed before it used a token counts as a call, costs nothing and is not unpriced."""
    store.take([
        Told(1, 0, {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
                    "gen_ai.provider.name": "openai", "error.type": "timeout"}, failed=True),
        Told(2, 0, used("chat", (100, 10)), start=2),
    ])  # fmt: skip
    store.settle()
    asked = "select calls, errors, unpriced_calls, cost_usd, cost_per_call_usd from cost_by_model"
    assert [tuple(row.values()) for row in store.engine.rows(asked)] == [
        (2, 1, 0, usd(100, 10), usd(100, 10))
    ]
