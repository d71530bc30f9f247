"""What came is charged anew when prices change: by corrections, once, and explained."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from collector.prices.shop import open_shop
from conftest import fresh_database

from sightline_collector.prices.api import end_override, set_override
from sightline_collector.prices.load import load
from sightline_collector.prices.override import Override
from sightline_collector.prices.reprice import Change, Range, reprice
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


def twins_came(store: Engine) -> None:
    """One call, told of by two spans."""
    for span, scope in ((1, "a"), (2, "b")):
        came(
            store, span, trace_id="a" * 32, scope_name=scope, response_id="resp-0123456789abcdef0123",
            duration_ms=1000, parent_span_id="" if span == 1 else f"{1:016x}",
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
    assert reprice(store, JUNE) == ([], 0)


def test_a_new_price_is_charged_from_its_day_on(store: Engine) -> None:
    """A discount set afterwards is given to the calls of its days, by one correction each, with a reason."""
    came(store, 1)
    came(store, 2, started_at="2026-05-31 23:59:59", received_at="2026-06-01 00:00:05")
    override(store, discount_pct=25)
    everything = JUNE.model_copy(update={"since": datetime(2026, 5, 1, tzinfo=UTC)})
    assert reprice(store, everything) == ([Change("big-1", 1, Decimal(4), Decimal(3))], 1)
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
    assert reprice(store, JUNE) == ([], 0)


def test_a_dry_run_writes_nothing(store: Engine) -> None:
    """It says what would change."""
    came(store, 1)
    override(store, discount_pct=25)
    assert reprice(store, DRY) == ([Change("big-1", 1, Decimal(4), Decimal(3))], 0)
    assert totals(store) == (1, Decimal(4), 0)


def test_a_price_that_is_found_later_is_charged(store: Engine) -> None:
    """A call that was unpriced is priced once its model has a price, and no longer counted as unpriced."""
    came(store, 1, model="own", cost_usd=None, cost_status="unpriced_model")
    assert totals(store)[2] == 1
    override(store, model="own", prices={"input_tokens": "0.5", "output_tokens": 0})
    assert reprice(store, JUNE) == ([Change("own", 1, Decimal(0), Decimal("0.5"))], 2)
    assert totals(store) == (1, Decimal("0.5"), 0)


def test_a_price_that_is_taken_back_is_taken_out(store: Engine) -> None:
    """Ended before the call, an override leaves it unpriced again; doing it twice does nothing more."""
    came(store, 1, model="own", cost_usd=None, cost_status="unpriced_model")
    made = override(store, model="own", prices={"input_tokens": "0.5", "output_tokens": 0})
    reprice(store, JUNE)
    end_override(store, made, date(2026, 6, 5))
    assert reprice(store, JUNE) == ([Change("own", 1, Decimal("0.5"), Decimal(0))], 1)
    assert totals(store) == (1, Decimal(0), 1)
    assert reprice(store, JUNE) == ([], 0)


def test_a_call_that_another_span_tells_of_stays_paid_once(store: Engine) -> None:
    """Of twins the one that is not counted adds nothing at the new price either."""
    twins_came(store)
    reprice(store, JUNE)
    override(store, discount_pct=25)
    reprice(store, JUNE)
    assert totals(store) == (1, Decimal(3), 0)


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
    assert reprice(store, DRY) == (bill, 0)
    assert reprice(store, JUNE)[0] == bill
    assert totals(store) == (11, Decimal(33), 0)
    assert reprice(store, JUNE) == ([], 0)


def test_a_span_of_another_project_with_the_same_ids_is_another(store: Engine) -> None:
    """Projects do not share spans: the price of one is not changed by what the other has paid."""
    came(store, 1, operation="agent", cost_usd=None, cost_status="not_a_call", own_cost_usd=4)
    settle_arrival(store, of_time(*JUNE_NS), lambda: JUNE_NS[0])
    came(
        store, 1, project="other", operation="agent", cost_usd=None, cost_status="not_a_call", own_cost_usd=4
    )
    override(store, discount_pct=25)
    assert reprice(store, DRY) == ([Change("big-1", 1, Decimal(4), Decimal(3))], 0)
