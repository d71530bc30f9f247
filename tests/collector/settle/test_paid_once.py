"""Each call is paid once, in a real store: whoever tells of it, in whatever order, however late."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from collector.settle.cases_of_sums import SUMS
from collector.settle.cases_of_twins import TWINS
from collector.settle.telling import Store, Told, Total, usd, used
from otlp_requests import NOW_NS

from sightline_collector.store.engine import Engine

CASES = SUMS | TWINS

ORDERS: dict[str, Callable[[list[Told]], list[Told]]] = {
    "in order": lambda told: told,
    "the last first": lambda told: told[::-1],
}


def _project(rule: str, order: str) -> str:
    return f"case-{list(CASES).index(rule)}-{list(ORDERS).index(order)}"


@pytest.fixture(scope="module")
def paid(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Total]:
    """What each case comes to, in a project of its own, when its spans come one by one."""
    store = Store(engine, tmp_path_factory.mktemp("settled"))
    waiting = {
        _project(rule, name): order(told)
        for rule, (told, _) in CASES.items()
        for name, order in ORDERS.items()
    }
    engine.command("truncate table spans_v1")
    store.take_in_steps(waiting)
    assert store.settle_all().corrections == 0
    return store.totals()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("rule", CASES)
def test_a_call_is_paid_once(paid: dict[str, Total], rule: str, order: str) -> None:
    """Whatever the order and the requests in which its spans come, the total is what the provider bills."""
    assert paid[_project(rule, order)] == CASES[rule][1]


def test_of_two_that_tell_of_a_call_the_one_that_knows_its_tier_is_paid(store: Store) -> None:
    """A gateway says that the answer was given in a cheaper tier, the client below it does not; or one tells
    the tier that was asked for, the other that it was not given."""
    days = 60 * 86_400  # Tiers have prices since October.
    outer = used(
        "chat", (1000, 100), **{"gen_ai.request.model": "o3", "openai.response.service_tier": "flex"}
    )
    inner = used("chat", (1000, 100), **{"gen_ai.request.model": "o3"})
    told = [Told(1, 0, outer, "gateway", start=days, seconds=3), Told(2, 1, inner, start=days)]
    asking = inner | {"llm.invocation_parameters": '{"service_tier": "priority"}'}
    answered = inner | {"openai.response.service_tier": "default"}
    told += [
        Told(1, 0, asking, "openinference.instrumentation.openai", start=days + 9, trace=2),
        Told(2, 1, answered, start=days + 9, trace=2),
    ]
    store.take(told, NOW_NS + days * 10**9)
    store.settle()
    assert store.total() == (2, Decimal("0.0014") + Decimal("0.0028"), 2000, 200)


@pytest.mark.parametrize("portion", [60, 10], ids=["at once", "ten by ten"])
def test_equal_calls_each_told_in_two_traces_are_paid_once(store: Store, portion: int) -> None:
    """However many equal calls an hour has, and however they come, each is one call without any id."""
    pairs = [
        [
            Told(2 * n, 0, used("chat", (12, 1)), "framework", start=10 * n - 900, trace=2 * n),
            Told(2 * n + 1, 0, used("chat", (12, 1)), "client", start=10 * n - 899.9, seconds=0.5,
                 trace=2 * n + 1),
        ]
        for n in range(1, 61)
    ]  # fmt: skip
    for first in range(0, 60, portion):
        store.take([told for pair in pairs[first : first + portion] for told in pair])
        store.settle()
    assert store.total() == (60, usd(720, 60), 720, 60)
    assert store.settle_all().corrections == 0
