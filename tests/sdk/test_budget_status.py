"""The collector's budgets: asked in the background, believed as long as they are fresh enough."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from sdk.programs import unused_port
from sdk.servers import OtlpSink
from sdk.sql_port import SqlPort, sql_port

import sightline
from sightline import Budget, BudgetExceeded, _clock, testing
from sightline._delivery.destination import Route
from sightline.budget import Decision, check
from sightline.budget._status import address_of, port_of
from sightline.budget._verdict import Status
from sightline.masking._hashing import Hasher
from sightline.privacy import Privacy

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def port() -> Iterator[SqlPort]:
    yield from sql_port()


def row(**changes: Any) -> dict[str, Any]:
    """One line of the collector's answer: half of a day's budget is spent."""
    return {
        "budget": "day", "per": "day", "ends_s": 4_000_000_000, "spend_usd": 25.5, "limit_usd": 50,
        "state": "ok", "project": "", "service": "", "feature": "", "model": "", "user_id": "", **changes,
    }  # fmt: skip


def asking(address: str, **changes: Any) -> Budget:
    return Budget(name="shared", collector=address, **{"refresh_s": 0.01, "timeout_s": 5.0, **changes})


def call(model: str = "gpt-4o-mini") -> None:
    with sightline.llm_call(provider="openai", model=model):
        pass


def test_what_the_collector_says_is_decided_by(port: SqlPort, until: Until) -> None:
    """An open budget allows, one that warns warns, one that is used up stops calls until its window ends."""
    port.rows = [row()]
    with testing.capture(budget=asking(port.url)) as seen:
        until(lambda: check().budget == "day")
        assert check() == Decision(
            "allow",
            "All processes together have spent 25.5 of the 50 USD that the collector's budget 'day' allows"
            " for the day",
            Decimal("25.5"),
            Decimal(50),
            "day",
        )
        port.rows = [row(), row(budget="hour", per="hour", state="warning")]
        until(lambda: check().action == "warn")
        call()
        port.rows = [row(budget="hour", per="hour", spend_usd=50.000001, state="exceeded")]
        until(lambda: check().action == "deny")
        with pytest.raises(
            BudgetExceeded, match=r"50\.000001 of the 50 USD .* Wait until 2096-10-02 07:06 UTC"
        ):
            call()
    decided = [span.attributes.get("sightline.budget.decision") for span in seen.spans]
    assert decided == ["warn", "deny"]


def test_a_window_that_is_over_says_nothing(port: SqlPort, until: Until) -> None:
    """A budget that was used up yesterday is open today, whatever is remembered of it."""
    port.rows = [row(ends_s=1_000, spend_usd=99, state="exceeded")]
    with testing.capture(budget=asking(port.url)):
        until(lambda: not check().stale)
        assert check() == Decision()


def test_nobody_waits_for_a_collector(port: SqlPort, until: Until) -> None:
    """A collector that never answers keeps nobody waiting: calls are allowed, and said to be uncertain."""
    port.silent.set()
    with testing.capture(budget=asking(port.url)) as seen:
        call()
        decision = check()
        assert (decision.action, decision.stale, len(seen.spans)) == ("allow", True, 1)
        port.silent.clear()


def test_a_collector_that_is_away_allows_or_denies_by_choice(caplog: pytest.LogCaptureFixture) -> None:
    """Open by default; closed by choice, from the first call on, with a reason that names the address."""
    address = f"http://127.0.0.1:{unused_port()}"
    with testing.capture(budget=asking(address)):
        call()
    with testing.capture(budget=asking(address, on_unknown="deny")):
        with pytest.raises(BudgetExceeded, match=f"collector at {address} has not told its budgets"):
            call()
        assert check().stale
    assert caplog.text.count("does not know the collector's budgets") == 1


def test_closed_by_choice_the_first_call_waits_for_the_first_answer(port: SqlPort) -> None:
    """A program that starts with a collector at hand is not denied its first call."""
    with testing.capture(budget=asking(port.url, on_unknown="deny")) as seen:
        call()
        assert port.answers >= 1
    assert "sightline.budget.decision" not in seen.spans[0].attributes


class Watch:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def now_ns(self) -> int:
        return _clock.SystemClock.now_ns()

    def elapsed_ns(self) -> int:
        return _clock.SystemClock.elapsed_ns() + self.ahead_ns


@pytest.mark.parametrize(("choice", "then"), [("allow", "allow"), ("deny", "deny")])
def test_an_old_answer_holds_for_a_while(port: SqlPort, until: Until, choice: Any, then: str) -> None:
    """When the collector goes away its last word counts up to `max_age_s`; after that the choice does."""
    port.rows = [row(state="warning")]
    watch = Watch()
    budget = asking(port.url, on_unknown=choice, max_age_s=60)
    with testing.capture(budget=budget, clock=watch):
        until(lambda: check().action == "warn")
        port.status = 503
        until(lambda: check().stale)
        assert check().action == "warn"
        watch.ahead_ns = 61 * 10**9
        assert (check().action, check().stale) == (then, True)
        port.status = 200
        until(lambda: check().action == "warn" and not check().stale)


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ({}, True),
        ({"service": "shop", "feature": "support", "user_id": "u1", "project": "default"}, True),
        ({"service": "other"}, False),
        ({"feature": "search"}, False),
        ({"user_id": "u2"}, False),
        ({"project": "team-a"}, False),
        ({"model": "gpt-4o"}, True),
        ({"model": "gpt-4o-2024-08-06"}, True),
        ({"model": "gpt-4o-mini"}, False),
        ({"model": "gpt-4o-mini-2024-07-18"}, False),
    ],
)
def test_a_budget_covers_the_calls_of_its_scope(scope: dict[str, str], covered: bool) -> None:
    """Each part of a scope must fit; a dated model is the one that its undated name asks for."""
    values = {"sightline.feature": "support", "user.id": "u1"}
    assert Status(**row(**scope)).covers("default", "shop", values, "gpt-4o") is covered


def test_a_user_is_covered_by_the_id_that_leaves(port: SqlPort, sink: OtlpSink, until: Until) -> None:
    """Where user ids leave as hashes, the collector's budget for such a hash is that user's."""
    key = "a key of the program's own"
    port.rows = [row(user_id=Hasher(key).user_id("u1"), spend_usd=50, state="exceeded")]
    privacy = Privacy(hash_key=key, hash_user_ids=True)
    sightline.init(endpoint=sink.url, instrument=False, content=privacy, budget=asking(port.url))
    until(lambda: check(user_id="u1").action == "deny")
    assert check(user_id="u2").action == "allow"


@pytest.mark.parametrize(
    ("collector", "endpoint", "address"),
    [
        (None, "http://c:4318/v1/traces", ""),
        ("auto", "http://c:4318/v1/traces", "http://c:4319"),
        ("auto", "https://user:secret@c/v1/traces", "https://c:4319"),
        ("auto", "http://[::1]:4318", "http://[::1]:4319"),
        ("auto", "c:4317", "http://c:4319"),
        ("https://sql.example.org", "http://c:4318", "https://sql.example.org"),
    ],
)
def test_the_address_is_said_or_that_of_the_spans(collector: str | None, endpoint: str, address: str) -> None:
    """By itself nobody is asked; "auto" is the documented port on the host that takes the spans."""
    assert address_of(collector, endpoint) == address


KEY = (("authorization", "Bearer a-key"),)


@pytest.mark.parametrize(
    ("collector", "endpoint", "goes_along"),
    [
        ("auto", "http://c:4318/v1/traces", True),
        ("auto", "https://c:4318/v1/traces", True),
        ("auto", "c:4317", True),
        ("http://c:9000", "http://c:4318", True),
        ("https://c:9000", "http://c:4318", True),
        ("http://c:9000", "https://c:4318", False),
        ("https://elsewhere.example.org", "http://c:4318", False),
    ],
)
def test_the_key_of_the_spans_goes_along_to_their_own_host(
    collector: str, endpoint: str, goes_along: bool
) -> None:
    """Budgets are asked for with the headers of `init()`: never elsewhere, never in the clear beside TLS."""
    port = port_of(Budget(collector=collector), Route(endpoint, headers=KEY))
    assert port is not None
    assert port.headers == (KEY if goes_along else ())


def test_budgets_are_asked_for_with_the_key_of_the_spans(port: SqlPort, sink: OtlpSink, until: Until) -> None:
    """What `init(headers=...)` says reaches the collector's SQL port, as it reaches its receivers."""
    port.rows = [row()]
    headers = {"Authorization": "Bearer a-key"}
    sightline.init(endpoint=sink.url, instrument=False, headers=headers, budget=asking(port.url))
    until(lambda: check().budget == "day")
    assert port.authorization == "Bearer a-key"
