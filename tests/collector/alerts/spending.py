"""Model calls with a price, written straight into the span table."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

from sightline_collector.alerts.event import stored_time
from sightline_collector.store.engine import Engine

_numbers = count()


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
