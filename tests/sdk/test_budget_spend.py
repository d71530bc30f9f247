"""What was spent: each call once, of any thread, in bounded memory."""

import os
import threading
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sdk.programs import run
from sdk.servers import completion

import sightline
from sightline import Budget, BudgetExceeded, testing
from sightline.budget import Cap, _guard, _spend
from sightline.budget._spend import Spending, Spent

PLENTY = Budget(per_process=Cap(usd=1_000, calls=10**9))


def call(**tokens: int) -> None:
    with sightline.llm_call(provider="openai", model="gpt-4o-mini") as opened:
        opened.record_usage(input_tokens=1_000, output_tokens=50, **tokens)


def spent() -> Spent:
    """All that this process has spent."""
    assert _guard.current
    return _guard.current.spending.spent([("process", "")])["process"]


def finished(span_id: int, usd: str, trace_id: int = 1) -> Any:
    """A finished model call that knows its own cost."""
    values = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 1, "sightline.cost_usd": usd}
    ids = SimpleNamespace(trace_id=trace_id, span_id=span_id)
    return SimpleNamespace(context=ids, parent=None, start_time=0, _attributes=values)


def test_no_thread_loses_what_it_spends() -> None:
    """Eight threads that spend at the same time come to the exact sum."""

    def calls() -> None:
        for _ in range(100):
            call()

    with testing.capture(budget=PLENTY):
        threads = [threading.Thread(target=calls) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert spent() == Spent(Decimal("0.00018") * 800, 1_050 * 800, 800)


def test_a_cap_of_calls_holds_for_calls_that_begin_together() -> None:
    """Of twenty threads that ask before any call has ended, as many are let through as the cap allows."""
    ready, asked, denied = threading.Barrier(20), threading.Barrier(20), []

    def ask() -> None:
        ready.wait()
        try:
            with sightline.llm_call(provider="openai", model="gpt-4o-mini"):
                asked.wait()
        except BudgetExceeded:
            denied.append(1)
            asked.wait()

    with testing.capture(budget=Budget(per_process=Cap(calls=7))):
        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(denied), spent().calls) == (13, 7)


def test_a_call_is_paid_once_however_many_spans_tell_of_it() -> None:
    """Of a model call inside of another that carries the same usage only the inner one counts."""

    @sightline.llm(provider="openai", model="gpt-4o-mini")
    def ask() -> Any:
        with sightline.stage("postprocessing"):
            call()
        return completion()

    with testing.capture(budget=PLENTY) as seen:
        ask()
        assert spent() == Spent(Decimal("0.00018"), 1_050, 1)
    assert ["sightline.cost_usd" in span.attributes for span in seen.spans] == [True, False, False]


def test_a_call_inside_of_another_kind_of_call_is_paid_beside_it() -> None:
    """An embedding that is made on the way to an answer has tokens of its own."""
    with testing.capture(budget=PLENTY):
        with sightline.llm_call(provider="openai", model="gpt-4o-mini") as outer:
            small = "text-embedding-3-small"
            with sightline.llm_call(provider="openai", model=small, operation="embeddings") as inner:
                inner.record_usage(input_tokens=1_000)
            outer.record_usage(input_tokens=1_000, output_tokens=50)
        assert spent() == Spent(Decimal("0.0002"), 2_050, 2)


def test_a_call_that_says_nothing_of_tokens_is_none_beside_those_below() -> None:
    """A decorated function that returns no usage counts as what it calls, however many that are."""

    @sightline.llm(provider="openai", model="gpt-4o-mini")
    def ask() -> None:
        call()
        call()

    with testing.capture(budget=PLENTY):
        ask()
        assert spent().calls == 2


def test_one_of_two_calls_that_are_one_does_not_stop_the_other() -> None:
    """A decorated function around an instrumented client is one call under way, not two."""

    @sightline.llm(provider="openai", model="gpt-4o-mini")
    def ask() -> None:
        call()

    with testing.capture(budget=Budget(per_process=Cap(calls=2))):
        ask()
        ask()
        with pytest.raises(BudgetExceeded):
            ask()


@pytest.mark.parametrize("between", [sightline.step, sightline.agent])
def test_a_call_through_other_steps_is_the_call_above(
    between: Callable[[Callable[[], None]], Callable[[], None]],
) -> None:
    """What stands between two layers of one call does not make two of them; the next call is a second one."""

    @between
    def attempt() -> None:
        call()

    with testing.capture(budget=Budget(per_trace=Cap(calls=1))):
        with sightline.llm_call(provider="openai", model="gpt-4o-mini"):
            attempt()
            with pytest.raises(BudgetExceeded):
                attempt()
        assert spent().calls == 1


def test_a_call_on_the_way_to_an_answer_is_another_one() -> None:
    """A tool's call inside of a model call counts beside it, also when that one fails."""

    @sightline.tool
    def look_up() -> None:
        call()

    def fail() -> None:
        with sightline.llm_call(provider="openai", model="gpt-4o-mini"):
            look_up()
            raise TimeoutError

    with testing.capture(budget=PLENTY):
        with pytest.raises(TimeoutError):
            fail()
        assert spent().calls == 2
    with testing.capture(budget=Budget(per_trace=Cap(calls=1))), pytest.raises(BudgetExceeded):
        fail()


def test_usage_that_sums_up_the_calls_below_is_not_spent_again() -> None:
    """A span marked as aggregated costs nothing by itself."""
    spending = Spending()
    span = finished(1, "5")
    span._attributes["sightline.usage.aggregated"] = True
    spending.ended(span)
    assert spending.spent([("process", "")]) == {"process": Spent()}


def test_a_call_in_the_other_dialect_is_spent_too() -> None:
    """OpenInference's names for model and tokens are priced like OpenTelemetry's; what was denied is none."""
    spending = Spending()
    told = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4o-mini",
        "llm.token_count.prompt": 1_000,
        "llm.token_count.completion": 50,
    }
    for span_id, more in ((1, {}), (2, {"sightline.budget.decision": "deny"})):
        span = finished(span_id, "0")
        span._attributes = told | more
        spending.ended(span)
    assert spending.spent([("process", "")]) == {"process": Spent(Decimal("0.00018"), 1_050, 1)}


def test_what_is_remembered_is_bounded_and_what_is_forgotten_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beyond the bound the traces not heard of for longest are forgotten; health tells how many."""
    monkeypatch.setattr(_spend, "BOUNDS", {**_spend.BOUNDS, "trace": 3})
    spending = Spending()
    for trace_id in (1, 2, 3, 1, 4, 5):
        spending.ended(finished(trace_id, "1", trace_id))
    one, two, five = (spending.spent([("trace", trace_id)])["trace"].calls for trace_id in (1, 2, 5))
    assert ((one, two, five), dict(spending.forgotten)) == ((2, 0, 1), {"trace": 2})
    assert sightline.health().spend_forgotten == {}


def test_calls_that_never_end_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of calls under way the oldest are given up, and counted so."""
    monkeypatch.setattr(_spend, "UNDER_WAY_MAX", 2)
    spending = Spending()
    for span_id in (1, 2, 3):
        spending.admit(span_id, (), [("process", "")], lambda _: None)
    assert spending.spent([("process", "")])["process"].calls == 2
    assert spending.forgotten == {"under_way": 1}


def test_a_span_that_ends_in_the_middle_of_a_question_is_counted_after_it() -> None:
    """The garbage collector may end a stream at any line: nothing hangs, nothing is lost."""
    spending = Spending()

    def interrupted(before: dict[Any, Spent]) -> Spent:
        spending.ended(finished(1, "0.5"))
        assert spending.spent([("process", "")]) == before
        return before["process"]

    assert spending.admit(2, (), [("process", "")], interrupted) == Spent()
    assert spending.spent([("process", "")])["process"] == Spent(Decimal("0.5"), 1, 2)


@given(st.lists(st.decimals(0, 10**9, places=12), max_size=30))
def test_sums_of_money_are_exact(amounts: list[Decimal]) -> None:
    """Any amounts with the twelve places of a price add up to their sum, to the last digit."""
    spending = Spending()
    for number, amount in enumerate(amounts):
        spending.ended(finished(number + 1, f"{amount:f}"))
    whole = sum(int(amount.scaleb(12)) for amount in amounts)
    assert spending.spent([("process", "")])["process"].usd.scaleb(12) == whole


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_counts_for_itself() -> None:
    """A child begins at nothing, with a free lock, and is stopped at its own cap."""
    program = """
import os
import sightline
from sightline import Budget
from sightline.budget import _guard
from sightline.budget import Cap, check

def call():
    with sightline.llm_call(provider="openai", model="gpt-4o-mini"):
        pass

sightline.init(endpoint="http://127.0.0.1:9", instrument=False, budget=Budget(per_process=Cap(calls=2)))
call()
with _guard.current.spending._lock:
    child = os.fork()
if child == 0:
    calls = 0
    try:
        while calls < 9:
            call()
            calls += 1
    finally:
        os._exit(calls)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), check().reason, flush=True)
os._exit(0)
"""
    assert run(program).startswith("2 This process has made 1 of the 2 model calls")
