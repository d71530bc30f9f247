"""A span is paid once, however often it is delivered, and no amount stops the ledger."""

from __future__ import annotations

from decimal import Decimal

from collector.settle.telling import Store, Told, usd, used
from otlp_requests import NOW_NS

AGENT = {"gen_ai.operation.name": "invoke_agent"}


def test_a_span_that_comes_twice_is_paid_once(store: Store) -> None:
    """A request that is delivered again changes no total."""
    told = [Told(1, 0, AGENT), Told(2, 1, used("chat", (100, 10)))]
    store.take(told)
    store.take(told, NOW_NS + 5)
    store.settle()
    assert store.total() == (1, usd(100, 10), 100, 10)
    statuses = store.engine.rows("select cost_status, counted from spans where operation = 'llm' order by 1")
    assert [tuple(row.values()) for row in statuses] == [("priced", 1), ("redelivered", 0)]


def test_a_request_that_holds_a_span_twice_is_paid_once(store: Store) -> None:
    """Rows that nothing tells apart share what the span costs."""
    told = [Told(1, 0, AGENT), Told(2, 1, used("chat", (100, 10)))]
    store.take([*told, *told])
    store.settle()
    assert store.total() == (1, usd(100, 10), 100, 10)
    assert store.settle_all().corrections == 0


def test_copies_that_differ_are_one_span(store: Store) -> None:
    """Of rows that nothing tells apart the one with the most usage counts, and no sum is negative."""
    store.take([Told(1, 0, used("chat", (100, 10))), *[Told(1, 0, used("chat", (0, 0)))] * 2])
    store.settle()
    rows = store.engine.rows("select calls, cost_usd, input_tokens from cost_by_model")
    assert [tuple(each.values()) for each in rows] == [(1, usd(100, 10), 100)]


def test_an_amount_beyond_what_an_entry_holds_is_cut(store: Store) -> None:
    """No weight stops the ledger: the trace beside it is settled, too."""
    dear = used("chat", (900_000_000, 10), **{"sightline.sample.weight": 1e6})
    twins = [Told(1, 0, used("chat", (100, 10)), seconds=3), Told(2, 1, used("chat", (100, 10)))]
    store.take({"dear": [Told(1, 0, dear)], "fair": twins})
    assert store.settle().failed_groups == 0
    rows = store.engine.rows("select project, calls, cost_usd from cost_by_model order by project")
    assert [tuple(each.values()) for each in rows] == [
        ("dear", 1_000_000, Decimal(900_000)),
        ("fair", 1, usd(100, 10)),
    ]
