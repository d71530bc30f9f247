"""A span that is paid because nobody else tells of its usage says what is known of its price."""

from __future__ import annotations

from decimal import Decimal

from collector.settle.telling import Store, Told, usd, used


def test_a_paid_agent_without_a_price_is_unpriced(store: Store) -> None:
    """What a span is paid for because nobody else tells of it is never free in silence."""
    store.take([Told(1, 0, used("invoke_agent", (300, 30), **{"gen_ai.request.model": "house-model"}))])
    store.settle()
    assert store.total() == (1, Decimal(0), 300, 30)
    asked = "select cost_status, counted, cost_usd from spans"
    assert store.engine.rows(asked) == [{"cost_status": "unpriced_model", "counted": 1, "cost_usd": None}]
    asked = "select model, reason, calls, input_tokens from unpriced_calls"
    assert store.engine.rows(asked) == [
        {"model": "house-model", "reason": "unpriced_model", "calls": 1, "input_tokens": 300}
    ]


def test_a_paid_agent_says_how_it_is_priced(store: Store) -> None:
    """The span of no call of its own that is paid is told as priced."""
    store.take([Told(1, 0, used("invoke_agent", (300, 30)))])
    store.settle()
    assert store.engine.value("select cost_status from spans") == "priced"


def test_a_paid_agent_that_one_request_holds_twice_is_paid_once(store: Store) -> None:
    """Its copies share what it is paid, as copies of calls do."""
    store.take([Told(1, 0, used("invoke_agent", (300, 30)))] * 2)
    store.settle()
    assert store.total() == (1, usd(300, 30), 300, 30)


def test_a_paid_agent_says_what_a_call_of_its_usage_would_say(store: Store) -> None:
    """Its status is told by the price list, whatever it is: an assumed price is no sure one."""
    by_request = {"gen_ai.response.model": "shop-deployment"}
    store.take([
        Told(1, 0, used("invoke_agent", (300, 30)), trace=1),
        Told(1, 0, used("invoke_agent", (300, 30), **by_request), trace=2, start=3),
        Told(1, 0, used("chat", (300, 30), **by_request), trace=3, start=6),
    ])  # fmt: skip
    store.settle()
    found = store.engine.rows("select cost_status from spans order by trace_id")
    assert [row["cost_status"] for row in found] == ["priced", "assumed", "assumed"]
    assert store.settle_all().corrections == 0


def test_what_looks_things_up_is_no_sum_of_what_an_agent_answered(store: Store) -> None:
    """An agent that gives text is paid beside the vectors below it, which gave none."""
    vectors = used("embeddings", (8, 0), **{"gen_ai.request.model": "text-embedding-3-small"})
    store.take([Told(1, 0, used("invoke_agent", (300, 30)), seconds=9), Told(2, 1, vectors)])
    store.settle()
    assert store.total() == (2, usd(300, 30) + Decimal("0.00000016"), 308, 30)


def test_a_guard_that_says_what_it_used_is_paid_beside_its_call(store: Store) -> None:
    """A call is no sum of what its guards, evaluators, tools and searches say that they used."""
    others = ("GUARDRAIL", "EVALUATOR", "TOOL", "RETRIEVER")
    store.take([
        told
        for trace, kind in enumerate(others, 1)
        for told in (
            Told(1, 0, used("chat", (1000, 100)), seconds=9, start=20 * trace, trace=trace),
            Told(2, 1, used("", (50, 5), **{"openinference.span.kind": kind}), start=20 * trace, trace=trace),
        )
    ])  # fmt: skip
    store.settle()
    assert store.total() == (8, usd(4200, 420), 4200, 420)
