"""What came is charged anew when prices change: by corrections, once, and explained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from collector.prices.shop import open_shop
from conftest import fresh_database

from sightline_collector.errors import StoreUnreachable
from sightline_collector.prices.api import end_override, set_override
from sightline_collector.prices.load import load
from sightline_collector.prices.override import Override
from sightline_collector.prices.reprice import Done, Range, reprice
from sightline_collector.prices.reprice_bill import Change
from sightline_collector.settle.arrivals import of_time
from sightline_collector.settle.settling import settle_arrival
from sightline_collector.store.engine import Engine
from sightline_collector.store.migrate import migrate

JUNE = Range(since=datetime(2026, 6, 1, tzinfo=UTC), until=datetime(2026, 7, 1, tzinfo=UTC))
JUNE_NS = (int(JUNE.since.timestamp()) * 10**9, int(JUNE.until.timestamp()) * 10**9)
DRY = JUNE.model_copy(update={"dry_run": True})
TOTALS = "select sum(calls) as calls, sum(cost_usd) as usd, sum(unpriced) as unpriced from spans_v1"


@pytest.fixture(scope="module")
def opened(engine_folder: Path) -> Iterator[Engine]:
    """A store that is priced by a small list."""
    with open_shop(), fresh_database(engine_folder, "reprice_of_a_small_list") as engine:
        migrate(engine)
        yield engine


@pytest.fixture
def store(opened: Engine) -> Engine:
    """The store without overrides, and without spans."""
    for table in ("price_overrides_v1", "spans_v1"):
        opened.command(f"truncate table {table}")
    load(opened)
    return opened


def came(store: Engine, number: int, **fields: Any) -> None:
    """A call of big-1 on the tenth of June that was charged 4 USD, unless said otherwise."""
    row = {
        "trace_id": f"{number:032x}", "span_id": f"{number:016x}", "started_at": "2026-06-10 12:00:00",
        "received_at": "2026-06-10 12:00:05", "project": "default", "operation": "llm", "provider": "corner",
        "model": "big-1", "input_tokens": 10**6, "output_tokens": 0, "cost_usd": 4, "cost_status": "priced",
    }  # fmt: skip
    store.insert("spans_v1", [row | fields])


CHARGED = ("corner", 4, "priced")


def twins_came(
    store: Engine,
    *sold: tuple[str, int | None, str],
    starts: tuple[str, str] = ("12:00:00", "12:00:00"),
    detailed: int = 0,
) -> None:
    """One call, told of by two spans, each of a provider, and of a price and status as it came; so many of
    them, the first, say how much was read from a cache."""
    for place, (provider, usd, status) in enumerate(sold or (CHARGED, CHARGED)):
        came(
            store, place + 1, trace_id="a" * 32, scope_name="ab"[place], provider=provider, cost_usd=usd,
            started_at=f"2026-06-10 {starts[place]}", cost_status=status, duration_ms=2000,
            parent_span_id=f"{1:016x}" if place else "", response_id="resp-0123456789abcdef0123",
            cache_read_tokens=0 if place < detailed else None,
        )  # fmt: skip


def override(store: Engine, **fields: Any) -> str:
    """An override of the corner's models from the first of June on; its id."""
    said = {"provider": "corner", "model": "*", "valid_from": date(2026, 6, 1), **fields}
    return set_override(store, Override.model_validate(said)).id


def totals(store: Engine) -> tuple[int, Decimal, int]:
    """Calls, USD and unpriced calls of the whole ledger."""
    row = store.rows(TOTALS)[0]
    return row["calls"], row["usd"], row["unpriced"]


def test_prices_that_did_not_change_change_nothing(store: Engine) -> None:
    """What is charged right stays as it is."""
    came(store, 1)
    assert reprice(store, JUNE) == Done([], 0)


def test_a_new_price_is_charged_from_its_day_on(store: Engine) -> None:
    """A discount set afterwards is given to the calls of its days, by one correction each, with a reason."""
    came(store, 1)
    came(store, 2, started_at="2026-05-31 23:59:59", received_at="2026-06-01 00:00:05")
    override(store, discount_pct=25)
    everything = JUNE.model_copy(update={"since": datetime(2026, 5, 1, tzinfo=UTC)})
    assert reprice(store, everything) == Done([Change("big-1", 1, Decimal(4), Decimal(3))], 1)
    assert totals(store) == (2, Decimal(7), 0)
    assert store.rows("select why, because, cost_usd, calls from cost_corrections") == [
        {
            "why": "repriced",
            "because": "priced again by override corner/*@2026-06-01 of list 1: it was 4 USD (priced),"
            " it is 3 USD (priced)",
            "cost_usd": Decimal(-1),
            "calls": 0,
        }
    ]
    assert store.value("select cost_usd from spans where trace_id like '%1'") == 3


def test_doing_it_again_changes_nothing(store: Engine) -> None:
    """The second time every call is charged right."""
    came(store, 1)
    override(store, discount_pct=25)
    reprice(store, JUNE)
    assert reprice(store, JUNE) == Done([], 0)


def test_a_dry_run_writes_nothing(store: Engine) -> None:
    """It says what would change."""
    came(store, 1)
    override(store, discount_pct=25)
    assert reprice(store, DRY) == Done([Change("big-1", 1, Decimal(4), Decimal(3))], 0)
    assert totals(store) == (1, Decimal(4), 0)


def test_a_price_that_is_found_later_is_charged(store: Engine) -> None:
    """A call that was unpriced is priced once its model has a price, and no longer counted as unpriced."""
    came(store, 1, model="own", cost_usd=None, cost_status="unpriced_model")
    assert totals(store)[2] == 1
    override(store, model="own", prices={"input_tokens": "0.5", "output_tokens": 0})
    assert reprice(store, JUNE) == Done([Change("own", 1, Decimal(0), Decimal("0.5"))], 2)
    assert totals(store) == (1, Decimal("0.5"), 0)


def test_a_price_that_is_taken_back_is_taken_out(store: Engine) -> None:
    """Ended before the call, an override leaves it unpriced again; doing it twice does nothing more."""
    came(store, 1, model="own", cost_usd=None, cost_status="unpriced_model")
    made = override(store, model="own", prices={"input_tokens": "0.5", "output_tokens": 0})
    reprice(store, JUNE)
    end_override(store, made, date(2026, 6, 5))
    assert reprice(store, JUNE) == Done([Change("own", 1, Decimal("0.5"), Decimal(0))], 1)
    assert totals(store) == (1, Decimal(0), 1)
    assert reprice(store, JUNE) == Done([], 0)


def test_a_call_that_another_span_tells_of_stays_paid_once(store: Engine) -> None:
    """Of twins the one that is not counted adds nothing at the new price either."""
    twins_came(store)
    reprice(store, JUNE)
    override(store, discount_pct=25)
    reprice(store, JUNE)
    assert totals(store) == (1, Decimal(3), 0)


def test_a_price_decides_which_twin_is_paid(store: Engine) -> None:
    """A twin with a price is paid rather: what changes on the bill is said before, and it does change so."""
    twins_came(store, ("shelf", None, "unpriced_model"), ("corner", 4, "priced"), detailed=1)
    settle_arrival(store, of_time(*JUNE_NS), lambda: JUNE_NS[0])
    assert totals(store) == (1, Decimal(4), 0)
    override(store, provider="shelf", model="big-1", prices={"input_tokens": "100", "output_tokens": 0})
    bill = [Change("big-1", 1, Decimal(4), Decimal(100))]
    assert reprice(store, DRY) == Done(bill, 0)
    assert reprice(store, JUNE).changes == bill
    assert totals(store) == (1, Decimal(100), 0)
    assert settle_arrival(store, of_time(*JUNE_NS), lambda: JUNE_NS[0]).corrections == 0
    assert reprice(store, JUNE) == Done([], 0)


def test_a_call_of_another_hour_is_charged_with_its_twin(store: Engine) -> None:
    """What tells of one call is judged once, by all its new prices, though it began in two hours."""
    twins_came(store, ("corner", 4, "priced"), ("corner", 4, "priced"), starts=("12:59:59", "13:00:00"))
    settle_arrival(store, of_time(*JUNE_NS), lambda: JUNE_NS[0])
    override(store, discount_pct=25)
    bill = [Change("big-1", 1, Decimal(4), Decimal(3))]
    assert reprice(store, DRY) == Done(bill, 0)
    assert reprice(store, JUNE).changes == bill
    assert totals(store) == (1, Decimal(3), 0)


def test_whenever_it_is_cut_off_doing_it_again_is_right(store: Engine) -> None:
    """The new price and what follows of it are written together: no stop leaves one without the other."""
    twins_came(store)
    came(store, 3, weight=10, started_at="2026-06-10 13:00:00")
    settle_arrival(store, of_time(*JUNE_NS), lambda: JUNE_NS[0])
    override(store, discount_pct=25)
    seen = []
    for looks in range(4):
        with suppress(StoreUnreachable):
            reprice(store, JUNE, keep=cut_off_after(looks))
        seen.append(totals(store))
    assert seen == [(11, Decimal(usd), 0) for usd in (44, 44, 43, 33)]
    assert reprice(store, JUNE) == Done([], 0)


def test_what_the_store_refuses_is_told_as_such(store: Engine) -> None:
    """Of a trace whose correction is larger than an amount can be nothing is written, nor said to change."""
    for number in (1, 1, 1):
        came(store, number, cost_usd=900_000)
    came(store, 2)
    override(store, discount_pct=25)
    assert reprice(store, JUNE) == Done([Change("big-1", 1, Decimal(4), Decimal(3))], 1, failed_groups=1)
    assert totals(store) == (4, Decimal(2_700_003), 0)


def cut_off_after(looks: int) -> Callable[[], None]:
    """A store that answers so many times."""
    left = iter(range(looks))

    def keep() -> None:
        if next(left, None) is None:
            raise StoreUnreachable("gone", hint="")

    return keep


def test_it_goes_on_from_where_it_was_enough(store: Engine) -> None:
    """An answer may end after any hour that holds spans, and says from when on to ask again."""
    came(store, 1)
    came(store, 2, started_at="2026-06-20 05:30:00")
    override(store, discount_pct=25)
    first = reprice(store, JUNE, enough=lambda: True)
    later = datetime(2026, 6, 20, 5, tzinfo=UTC)
    one = [Change("big-1", 1, Decimal(4), Decimal(3))]
    assert first == Done(one, 1, int(later.timestamp()) * 10**9)
    assert reprice(store, JUNE.model_copy(update={"resume": later})) == Done(one, 1)


@pytest.mark.parametrize(
    ("since", "until"),
    [("0001-01-01T00:00:00+05:00", "2026-07-01"), ("2026-06-01", "9999-12-31T23:59:59-05:00")],
)
def test_times_without_spans_may_be_asked_for(store: Engine, since: str, until: str) -> None:
    """Whatever a calendar holds is a time; what lies before and after all spans costs nothing."""
    came(store, 1)
    override(store, discount_pct=25)
    asked = Range.model_validate({"since": since, "until": until, "dry_run": True})
    assert reprice(store, asked) == Done([Change("big-1", 1, Decimal(4), Decimal(3))], 0)


def test_an_agent_that_is_paid_is_priced_again(store: Engine) -> None:
    """A span whose usage nobody else tells of is paid, and so it gets the new price."""
    came(store, 1, operation="agent", cost_usd=None, cost_status="not_a_call", own_cost_usd=4)
    settle_arrival(store, of_time(*JUNE_NS), lambda: JUNE_NS[0])
    assert totals(store)[1] == 4
    override(store, discount_pct=25)
    reprice(store, JUNE)
    assert totals(store)[1] == 3


def test_a_stand_in_of_many_is_charged_for_all(store: Engine) -> None:
    """A sampled span's correction follows its price."""
    came(store, 1, weight=10)
    reprice(store, JUNE)
    override(store, discount_pct=25)
    reprice(store, JUNE)
    assert totals(store) == (10, Decimal(30), 0)


def test_another_project_is_left_alone(store: Engine) -> None:
    """Only the project that is named is charged anew."""
    came(store, 1)
    came(store, 2, project="other")
    override(store, discount_pct=25)
    reprice(store, JUNE.model_copy(update={"project": "other"}))
    assert totals(store)[1] == 7


def test_a_price_that_is_found_leaves_no_unpriced_call(store: Engine) -> None:
    """Of calls that were priced since none is listed as unpriced, however many each stands for."""
    came(store, 1, model="own", cost_usd=None, cost_status="unpriced_model", weight=10)
    came(store, 2, model="own", cost_usd=None, cost_status="unpriced_model")
    reprice(store, JUNE)
    made = override(store, model="own", prices={"input_tokens": "0.5", "output_tokens": 0})
    reprice(store, JUNE)
    assert store.rows("select * from unpriced_calls") == []
    end_override(store, made, date(2026, 6, 5))
    reprice(store, JUNE)
    assert store.rows("select reason, calls from unpriced_calls") == [
        {"reason": "unpriced_model", "calls": 11}
    ]
    assert store.rows("select distinct cost_usd from spans") == [{"cost_usd": None}]


def test_a_span_says_which_price_it_is_charged(store: Engine) -> None:
    """After repricing the span names the price in force, not the one that it came with."""
    came(store, 1, model="own", cost_usd=None, cost_status="unpriced_model")
    override(store, model="own", prices={"input_tokens": "0.5", "output_tokens": 0})
    reprice(store, JUNE)
    assert store.rows("select cost_status, price_source, price_id > 0 as known from spans") == [
        {"cost_status": "priced", "price_source": "override corner/own@2026-06-01", "known": 1}
    ]


def test_what_is_not_paid_is_no_change(store: Engine) -> None:
    """A twin that is not paid changes nothing on the bill, and what stands for many is many."""
    twins_came(store)
    came(store, 3, weight=10, started_at="2026-06-10 13:00:00")
    settle_arrival(store, of_time(*JUNE_NS), lambda: JUNE_NS[0])
    override(store, discount_pct=25)
    bill = [Change("big-1", 11, Decimal(44), Decimal(33))]
    assert reprice(store, DRY) == Done(bill, 0)
    assert reprice(store, JUNE).changes == bill
    assert totals(store) == (11, Decimal(33), 0)
    assert reprice(store, JUNE) == Done([], 0)


def test_a_span_of_another_project_with_the_same_ids_is_another(store: Engine) -> None:
    """Projects do not share spans: the price of one is not changed by what the other has paid."""
    came(store, 1, operation="agent", cost_usd=None, cost_status="not_a_call", own_cost_usd=4)
    settle_arrival(store, of_time(*JUNE_NS), lambda: JUNE_NS[0])
    never = {"operation": "token_count", "cost_usd": None, "cost_status": "not_a_call", "own_cost_usd": 4}
    came(store, 1, project="other", **never)
    override(store, discount_pct=25)
    assert reprice(store, DRY) == Done([Change("big-1", 1, Decimal(4), Decimal(3))], 0)
