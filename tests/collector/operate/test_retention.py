"""What a store lets go of: content after its days, rows after theirs, the oldest when it is too large."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from collector.operate.logs import traces
from collector_process import wait_until
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import insert
from prometheus_client import CollectorRegistry

from sightline_collector.operate.keep_loop import KeepLoop
from sightline_collector.operate.keeping import KEPT, parse_keep
from sightline_collector.operate.retention import keep_for
from sightline_collector.operate.shedding import Shedder, Step
from sightline_collector.operate.stored import stored
from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

NOW = datetime.now(UTC)
WEDNESDAY = (NOW - timedelta(days=(NOW.weekday() - 2) % 7 or 7)).replace(hour=12, minute=0)
"""The last one that is over: in the middle of a week and of a day."""
BATCHES = count(1)
CONTENT_BYTES = 60_000
"""Of each span: no compression makes it less."""
UNDONE = "select count() from system.mutations where database = currentDatabase() and not is_done"
TOTALS = "select sum(calls) as n, sum(cost_usd) as cost, sum(input_tokens) as tokens from spans_v1"


@pytest.fixture
def store(engine: Engine) -> Engine:
    """The module's store, without spans, kept for ever."""
    keep_for(engine, None, None)
    for table in ("spans_v1", "sheddings_v1"):
        engine.command(f"truncate table {table}")
    return engine


def put(
    store: Engine, file: Path, ages: Sequence[float], project: str = "default", now: datetime = NOW
) -> None:
    """A model call with an answer for each age in days."""
    request = ExportTraceServiceRequest()
    for number, days in enumerate(ages):
        one = ExportTraceServiceRequest.FromString(traces(number)).resource_spans[0]
        span = one.scope_spans[0].spans[0]
        del one.scope_spans[0].spans[1:]
        span.start_time_unix_nano = int((now - timedelta(days=days)).timestamp() * 1e9)
        span.end_time_unix_nano = span.start_time_unix_nano + 10**9
        span.attributes[5].value.string_value = random.Random(number).randbytes(CONTENT_BYTES // 2).hex()
        request.resource_spans.append(one)
    now_ns = int(now.timestamp() * 1e9)
    insert(
        store, Signal.TRACES, [(request, len(ages))], file,
        batch=next(BATCHES), received_at_ns=now_ns, project=project,
    )  # fmt: skip


def ages(store: Engine, where: str, now: datetime = NOW) -> list[int]:
    """Of the spans for which it holds, the oldest first, in days."""
    rows = store.rows(f"select started_at from spans_v1 where {where} order by started_at")
    return [round((now - row["started_at"].replace(tzinfo=UTC)) / timedelta(days=1)) for row in rows]


def settled(store: Engine) -> bool:
    """Whether the engine has rewritten what it was told to."""
    return not store.value(UNDONE)


def recount(store: Engine) -> list[dict[str, Any]]:
    """The totals, from rows alone."""
    return store.rows(f"{TOTALS} settings optimize_use_projections = 0")


class TestDays:
    """--keep-content-days and --keep-days"""

    def test_content_goes_and_totals_stay(self, store: Engine, tmp_path: Path) -> None:
        """Answers older than their project's days are empty; rows, costs and roll-ups are as they were."""
        put(store, tmp_path / "a", [40, 10, 1])
        put(store, tmp_path / "b", [40, 10, 1], "shop")
        before = store.rows(TOTALS)
        assert keep_for(store, parse_keep("30,shop=5"), None) == ["feedback_v1", "logs_v1", "spans_v1"]
        wait_until(lambda: settled(store))
        assert ages(store, "output != '' and project = 'default'") == [10, 1]
        assert ages(store, "output != '' and project = 'shop'") == [1]
        assert ages(store, "output_key != '' and project = 'shop'") == [40, 10, 1]
        assert store.rows(TOTALS) == recount(store) == before

    def test_rows_go_with_their_part_of_the_totals(self, store: Engine, tmp_path: Path) -> None:
        """Rows older than their days are gone, and roll-ups are those of the rows that are left."""
        put(store, tmp_path / "a", [40, 10, 1])
        assert keep_for(store, None, parse_keep("30")) == sorted(kept.table for kept in KEPT)
        wait_until(lambda: settled(store))
        assert ages(store, "true") == [10, 1]
        assert store.rows(TOTALS) == recount(store)
        assert store.rows(TOTALS)[0]["n"] == 2

    def test_a_store_that_does_so_already_is_left_alone(self, store: Engine) -> None:
        """Each start says it once: the engine's own spelling of a TTL is known again, and taken back."""
        settings = parse_keep("30,shop=5"), parse_keep("forever,shop=90")
        assert keep_for(store, *settings)
        assert keep_for(store, *settings) == []
        assert keep_for(store, None, None) == sorted(kept.table for kept in KEPT)
        assert keep_for(store, None, None) == []


class TestBudget:
    """--store-gb"""

    def test_the_oldest_content_goes_first(self, store: Engine, tmp_path: Path) -> None:
        """Just as many of the oldest days as it takes are emptied; every row and total stays."""
        put(store, tmp_path / "a", [20, 16, 12, 8, 4, 0.4], now=WEDNESDAY)
        store.command("optimize table spans_v1 final")
        told: list[Step] = []
        shedder = Shedder(store, 0, told.append)
        budget = shedder.held_bytes() - CONTENT_BYTES // 2
        before = store.rows(TOTALS)
        steps = Shedder(store, budget, told.append, lambda: WEDNESDAY).round()
        left = ages(store, "output != ''", WEDNESDAY)
        assert [step.what for step in steps] == ["content"] * len(told)
        assert left == [20, 16, 12, 8, 4, 0][-len(left) :]
        assert 2 <= len(left) < 6
        assert shedder.held_bytes() < budget
        assert store.rows(TOTALS) == recount(store) == before
        assert Shedder(store, budget, clock=lambda: WEDNESDAY).round() == []

    def test_what_was_let_go_is_told(self, store: Engine, tmp_path: Path) -> None:
        """Each step is a row with the budget, and a warning of the doctor with how far it went."""
        put(store, tmp_path / "a", [20, 0.4], now=WEDNESDAY)
        shedder = Shedder(store, 0)
        budget = shedder.held_bytes() - CONTENT_BYTES // 4
        (step, *_) = Shedder(store, budget, clock=lambda: WEDNESDAY).round()
        (row, *_) = store.rows("select what, before, budget_bytes from sheddings_v1 order by at")
        assert row == {"what": "content", "before": row["before"], "budget_bytes": budget}
        assert row["before"].replace(tzinfo=UTC) == step.before
        finding = next(one for one in stored(store) if one.check == "budget")
        assert finding.says.startswith("let go in the last day: content before ")
        assert finding.state == "warn"

    def test_then_the_oldest_weeks_go(self, store: Engine, tmp_path: Path) -> None:
        """When no content is left, rows go by weeks, the oldest first; this week's stay in any case."""
        put(store, tmp_path / "a", [40, 20, 14, 0.2], now=WEDNESDAY)
        steps = Shedder(store, 1, clock=lambda: WEDNESDAY).round()
        whats = [step.what for step in steps]
        assert whats == sorted(whats)
        assert set(whats) == {"content", "rows"}
        assert (ages(store, "true", WEDNESDAY), ages(store, "output != ''", WEDNESDAY)) == ([0], [])
        assert store.rows(TOTALS) == recount(store)

    def test_a_stop_does_not_wait_for_the_engine(self, store: Engine, tmp_path: Path) -> None:
        """A collector that stops while content is being shed leaves it to the engine, and ends."""

        async def begin_and_stop() -> None:
            loop = KeepLoop(store, CollectorRegistry(), budget_gb=1e-9)
            async with loop.running():
                await asyncio.to_thread(wait_until, lambda: not settled(store))

        put(store, tmp_path / "a", [20])
        store.command("system stop merges spans_v1")
        asyncio.run(begin_and_stop())
        assert not settled(store)
        store.command("system start merges spans_v1")
        wait_until(lambda: settled(store))
        assert ages(store, "output != ''") == []

    def test_a_store_within_its_budget_is_left_alone(self, store: Engine, tmp_path: Path) -> None:
        """Nothing is written, nothing told."""
        put(store, tmp_path / "a", [20], now=WEDNESDAY)
        assert Shedder(store, 10**12, clock=lambda: WEDNESDAY).round() == []
        assert ages(store, "output != ''", WEDNESDAY) == [20]
