"""Budgets: what is stopped, what is warned of, and what the program is told."""

import asyncio
import decimal
import inspect
from collections.abc import AsyncGenerator, Generator
from decimal import Decimal
from typing import Any

import pytest
from sdk.servers import OtlpSink, completion

import sightline
from sightline import Budget, BudgetExceeded, _runtime, testing
from sightline.budget import Cap, Decision, check, enforce
from sightline.testing import Captured

COST = Decimal("0.00018")  # of one `call`


def call(input_tokens: int = 1_000, output_tokens: int = 50) -> None:
    """A model call of 1,050 tokens."""
    with sightline.llm_call(provider="openai", model="gpt-4o-mini") as opened:
        opened.record_usage(input_tokens=input_tokens, output_tokens=output_tokens)


@sightline.agent
def runaway() -> None:
    """An agent that never comes to an end by itself."""
    while True:
        call()


def decisions(seen: Captured) -> list[str | None]:
    """What was decided of each model call, in the order of their ends."""
    return [
        span.attributes.get("sightline.budget.decision")
        for span in seen.spans
        if span.attributes.get("gen_ai.operation.name") == "chat"
    ]


@pytest.mark.parametrize(
    ("cap", "allowed"),
    [
        (Cap(calls=7), 7),
        (Cap(usd=COST * 3), 3),
        (Cap(usd=COST * 3 + Decimal("1e-12")), 4),
        ("0.00018", 1),
        (Cap(tokens=2_100), 2),
        (Cap(usd=1, calls=2), 2),
        (Cap(usd=0), 0),
    ],
)
def test_a_runaway_agent_is_stopped_where_its_trace_is_at_the_cap(cap: Any, allowed: int) -> None:
    """Calls are made until the cap is reached; the next one is not made, and the agent ends with an error."""
    with testing.capture(budget=Budget(per_trace=cap, warn_at=1)) as seen:
        with pytest.raises(BudgetExceeded):
            runaway()
        assert decisions(seen) == [None] * allowed + ["deny"]
        with pytest.raises(BudgetExceeded):  # another trace has a cap of its own
            runaway()
    assert len(seen.spans) == 2 * (allowed + 2)


def test_a_denied_call_leaves_a_span_that_says_so() -> None:
    """The span has the request, the decision and the error; it has no usage and no cost."""
    with testing.capture(budget=Budget(name="agents", per_trace=0)) as seen, pytest.raises(BudgetExceeded):
        call()
    (span,) = seen.spans
    said = (
        "This trace has spent 0 of the 0 USD that budget 'agents' allows a trace: no further call is made."
        " Stop here, or raise Budget(per_trace=...)."
    )
    assert (span.status, span.status_message) == ("error", said)
    assert span.attributes == {
        "sightline.operation": "llm",
        "sightline.stage": "model_inference",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "sightline.budget.decision": "deny",
        "error.type": "BudgetExceeded",
    }


def test_the_error_carries_the_decision() -> None:
    """What was spent, the limit and the budget are values on the exception, and words in its text."""
    with testing.capture(budget=Budget(name="agents", per_trace=0.00036)):
        with pytest.raises(
            BudgetExceeded, match=r"spent 0\.00036 of the 0\.00036 USD that budget 'agents'"
        ) as e:
            runaway()
        assert e.value.decision == Decision(
            "deny", str(e.value), Decimal("0.00036"), Decimal("0.00036"), "agents"
        )


def test_a_session_is_capped_over_all_its_traces() -> None:
    """Traces of one session add up; another session, and calls outside of any, go on."""
    with testing.capture(budget=Budget(per_session=Cap(calls=2))):
        for _ in range(2):
            with sightline.context(session_id="s1"):
                call()
        with (
            sightline.context(session_id="s1"),
            pytest.raises(BudgetExceeded, match="This session has made 2"),
        ):
            call()
        with sightline.context(session_id="s2"):
            call()
        call()


@pytest.mark.parametrize("kind", ["user_day", "feature_day", "process", "day", "month"])
def test_every_other_sum_has_a_cap_of_its_own(kind: str) -> None:
    """A user's day, a feature's day, the process, its day and its month are each stopped at their cap."""
    caps: dict[str, Any] = {f"per_{kind}": Cap(calls=1)}
    with testing.capture(budget=Budget(**caps)), sightline.context(user_id="u1", feature="support"):
        call()
        with pytest.raises(BudgetExceeded, match=rf"raise Budget\(per_{kind}=\.\.\.\)"):
            call()
        with sightline.context(user_id="u2", feature="search"):
            assert check().action == ("allow" if kind in ("user_day", "feature_day") else "deny")


def test_near_its_cap_a_call_is_made_and_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """From `warn_at` on the span says so, and the log does, once."""
    budget = Budget(per_process=Cap(calls=4), warn_at=0.5)
    with testing.capture(budget=budget) as seen:
        for _ in range(4):
            call()
    assert decisions(seen) == [None, None, "warn", "warn"]
    assert caplog.messages == [
        "This process has made 2 of the 4 model calls that budget 'budget' allows a process"
    ]


def test_whoever_asks_is_told_of_the_cap_that_is_nearest() -> None:
    """`check` answers with the cap of which most is used, and makes no call."""
    budget = Budget(per_trace=1, per_process=0.001, per_month=Cap(calls=1_000))
    with testing.capture(budget=budget) as seen:
        call()
        assert check() == Decision(
            "allow",
            "This process has spent 0.00018 of the 0.001 USD that budget 'budget' allows a process",
            COST,
            Decimal("0.001"),
            "budget",
        )
    assert len(seen.spans) == 1


def test_one_may_ask_for_somebody_else() -> None:
    """Feature, user and session come from the surroundings unless they are said."""
    with testing.capture(budget=Budget(per_user_day=Cap(calls=1))):
        with sightline.context(user_id=7):
            call()
            assert (check().action, check(user_id="8").action) == ("deny", "allow")
        assert (check().action, check(user_id=7).action) == ("allow", "deny")


def test_without_a_budget_everything_is_allowed(seen: Captured) -> None:
    """Nothing is counted, asked or marked where no budget is in use."""
    call()
    enforce()
    assert check() == Decision("allow", "no budget applies")
    assert decisions(seen) == [None]


@pytest.fixture
def thrifty() -> Budget:
    """A budget for functions of their own: one call a trace."""
    return Budget(name="thrifty", per_trace=Cap(calls=1))


def test_a_function_may_have_a_budget_of_its_own(thrifty: Budget) -> None:
    """Only calls of that function are stopped by it; what the trace spent elsewhere counts."""
    ran = []

    @sightline.llm(model="gpt-4o-mini", provider="openai", budget=thrifty)
    def ask(question: str) -> Any:
        ran.append(question)
        return completion()

    @sightline.workflow
    def work() -> None:
        call()
        call()
        ask("why?")

    with testing.capture() as seen:
        ask("first")
        with pytest.raises(BudgetExceeded, match="made 2 of the 1 model calls that budget 'thrifty'"):
            work()
    assert ran == ["first"]
    assert decisions(seen) == [None, None, None, "deny"]
    assert list(inspect.signature(ask).parameters) == ["question"]


def test_functions_of_every_kind_are_stopped_before_they_begin() -> None:
    """Coroutines, generators and asynchronous generators do no work once their budget is used up."""
    none, ran = Budget(per_trace=0), []

    @sightline.llm(budget=none)
    async def coroutine() -> None:
        ran.append("coroutine")

    @sightline.llm(budget=none)
    def stream() -> Generator[str]:
        ran.append("stream")
        yield "a"

    @sightline.llm(budget=none)
    async def astream() -> AsyncGenerator[str]:
        ran.append("astream")
        yield "a"

    async def read() -> None:
        async for _ in astream():
            pass

    with testing.capture() as seen:
        for work in (lambda: asyncio.run(coroutine()), lambda: list(stream()), lambda: asyncio.run(read())):
            with pytest.raises(BudgetExceeded):
                work()
    assert (ran, decisions(seen)) == ([], ["deny"] * 3)


def test_work_that_calls_no_model_is_never_stopped() -> None:
    """A tool or step runs on over any budget: half of an action is worse than its cost."""

    @sightline.tool
    def refund() -> str:
        return "done"

    with testing.capture(budget=Budget(per_trace=0)):
        assert refund() == "done"


@pytest.mark.parametrize("wrong", [0.5, "1", object()])
def test_what_is_no_budget_is_refused(wrong: Any) -> None:
    """`init` and `@llm` take a Budget; other decorators take none."""
    with pytest.raises(sightline.ConfigurationError, match=r"Budget\(per_trace=0\.5\)"):
        sightline.init(budget=wrong)
    with pytest.raises(sightline.ConfigurationError, match=r"@llm takes a sightline\.Budget"):
        sightline.llm(budget=wrong)(runaway)
    with pytest.raises(sightline.ConfigurationError, match=r"the other decorators none"):
        sightline.step(budget=Budget())(runaway)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"per_trace": -1}, "a cap is -1; it must be an amount in USD"),
        ({"per_trace": "much"}, "a cap is 'much'"),
        ({"per_trace": float("nan")}, "a cap is nan"),
        ({"per_day": True}, "a cap is True"),
        ({"warn_at": 0}, "warn_at is 0; it must be above 0, at most 1"),
        ({"max_age_s": 0}, "max_age_s is 0; it must be seconds"),
        ({"on_unknown": "maybe"}, "on_unknown is 'maybe'; it may be 'allow' or 'deny'"),
        ({"on_unpriced": "warn"}, "on_unpriced is 'warn'; it may be 'allow' or 'deny'"),
        ({"collector": "localhost:4319"}, "such as http://127.0.0.1:4319"),
    ],
)
def test_a_wrong_budget_is_refused_in_words(settings: Any, message: str) -> None:
    """The error names the setting, its value, and what it may be."""
    with pytest.raises(sightline.ConfigurationError, match=message):
        Budget(**settings)


def test_a_wrong_cap_is_refused_in_words() -> None:
    """Tokens and calls are whole numbers."""
    with pytest.raises(sightline.ConfigurationError, match=r"calls is 1\.5; it must be a whole number"):
        Cap(calls=1.5)  # type: ignore[arg-type]


def test_an_amount_is_what_was_written() -> None:
    """0.1 is a tenth, not its nearest double."""
    assert Budget(per_trace=0.1).caps == (("trace", Cap(usd=Decimal("0.1"))),)


def test_estimated_usage_counts() -> None:
    """An answer without usage is estimated, priced, and charged."""
    with testing.capture(budget=Budget(per_process=1)) as seen:
        with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages="why?") as opened:
            opened.record("because")
        assert check().spent_usd > 0
    assert seen.spans[0].attributes["sightline.usage.estimated"] is True


def unpriced_call() -> None:
    with sightline.llm_call(provider="openai", model="nobody-knows") as opened:
        opened.record_usage(input_tokens=10, output_tokens=1)


def test_calls_without_a_known_price_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """They add nothing to the amount, so the calls after them are warned: how many, and of which model."""
    with testing.capture(budget=Budget(per_process=1)) as seen:
        for _ in range(3):
            unpriced_call()
        assert check().action == "warn"
        assert check().reason.endswith(
            "a process, beside 3 calls that have no known price, last to 'nobody-knows'"
        )
    assert decisions(seen) == [None, "warn", "warn"]
    assert len(caplog.messages) == 1


def test_calls_without_a_known_price_may_be_denied() -> None:
    """Who chose so is stopped after the first of them; caps of calls and tokens are not concerned."""
    with testing.capture(budget=Budget(per_process=1, on_unpriced="deny")):
        unpriced_call()
        with pytest.raises(BudgetExceeded, match=r"last to 'nobody-knows': no further .*on_unpriced='allow'"):
            call()
    with testing.capture(budget=Budget(per_process=Cap(calls=9, tokens=999), on_unpriced="deny")):
        unpriced_call()
        assert check().action == "allow"


def test_a_failed_call_is_a_call_and_a_denied_one_is_none() -> None:
    """An agent that tries again and again is stopped; being stopped does not use anything up."""
    with testing.capture(budget=Budget(per_process=Cap(calls=2))):
        for _ in range(2):
            with pytest.raises(TimeoutError), sightline.llm_call(provider="openai", model="gpt-4o-mini"):
                raise TimeoutError
        for _ in range(3):
            with pytest.raises(BudgetExceeded, match="made 2 of the 2"):
                call()


def test_a_clients_call_is_stopped_where_enforce_is_called() -> None:
    """Inside of a model call's span it marks that span, whose call is under way; elsewhere it only raises."""
    foreign = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini"}
    with testing.capture(budget=Budget(per_process=Cap(calls=1))) as seen:
        tracer = _runtime.current.tracer
        with sightline.stage("one"):
            enforce()
        with tracer.start_as_current_span("chat", attributes=foreign):
            enforce()
            assert check().action == "deny"
        with pytest.raises(BudgetExceeded), tracer.start_as_current_span("chat", attributes=foreign):
            enforce()
        with pytest.raises(BudgetExceeded), sightline.stage("two"):
            enforce()
    assert [span.attributes.get("sightline.budget.decision") for span in seen.spans] == [
        None, None, "deny", None,
    ]  # fmt: skip


def test_the_programs_own_arithmetic_does_not_matter() -> None:
    """Sums are exact where the program rounds its decimals to two digits."""
    with testing.capture(budget=Budget(per_process=1)), decimal.localcontext(decimal.Context(prec=2)):
        for _ in range(3):
            call(1_001, 51)
        assert str(check().spent_usd) == "0.00054225"


def test_init_takes_a_budget(sink: OtlpSink) -> None:
    """From `init` to `shutdown` it holds; a new start begins at nothing."""
    for _ in range(2):
        sightline.init(endpoint=sink.url, instrument=False, budget=Budget(per_process=Cap(calls=2)))
        call()
        call()
        with pytest.raises(BudgetExceeded):
            call()
        sightline.shutdown()
        call()
    assert len(sink.spans) == 6
