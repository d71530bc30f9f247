"""A budget's window, and model calls with a price, written straight into the span table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from sightline_collector.alerts.budget import Window
from sightline_collector.alerts.event import stored_time
from sightline_collector.store.engine import Engine

_numbers = count()

MARCH_3 = datetime(2025, 3, 3, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOW = Window(
    budget="day:feature=support",
    scope="feature=support",
    per="day",
    start=MARCH_3,
    end=MARCH_3 + DAY,
    spend_usd=Decimal("41.2"),
    limit_usd=Decimal(50),
    thresholds=(50, 80, 100),
    unpriced_calls=3,
    forecast_usd=61.8,
    drivers=(("support / gpt-4o", 30.1), ("support / gpt-5-mini", 11.1)),
    set_at=MARCH_3 - DAY,
)


def spend(
    engine: Engine,
    at: datetime,
    usd: float | None,
    *,
    calls: int = 1,
    came: datetime | None = None,
    **columns: Any,
) -> None:
    """Calls at a time, each at a price (None: without one), received when they `came`, at once otherwise."""
    shared = {
        "project": "default",
        "operation": "llm",
        "feature": "support",
        "model": "m1",
        "started_at": stored_time(at, "seconds"),
        "received_at": stored_time(came or at, "seconds"),
        "cost_usd": usd,
        **columns,
    }
    rows = []
    for _ in range(calls):
        number = next(_numbers)
        rows.append({**shared, "trace_id": f"{number:032x}", "span_id": f"{number:016x}"})
    engine.insert("spans_v1", rows)
