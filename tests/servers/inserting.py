"""A collector's log and inserter, without its ports, and what of it is in the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from remembered_load import TRACE, request_template

from sightline_collector.health import Health
from sightline_collector.store import golden
from sightline_collector.store.engine import Engine
from sightline_collector.store.insert import Inserter
from sightline_collector.wal.appender import SegmentLimits
from sightline_collector.wal.dead_letter import DeadLetters
from sightline_collector.wal.log import Log, LogLimits
from sightline_collector.wal.segment import Signal

SPANS = 3
REQUESTS = 4
LIMIT_S = 60.0


class Collector:
    """A log and the inserter of its spans."""

    def __init__(self, store: Engine, folder: Path) -> None:
        self.store, self.folder, self.health = store, folder, Health()
        self.letters = DeadLetters(folder / "dead-letter", self.health)

    def run(self, work: Callable[[Log], Awaitable[None]]) -> None:
        """Take what `work` appends, and store it."""
        asyncio.run(self._run(work))

    async def _run(self, work: Callable[[Log], Awaitable[None]]) -> None:
        limits = LogLimits(segment=SegmentLimits(age_s=0.05))
        log = await Log.open(self.folder / "wal", limits=limits)
        with ThreadPoolExecutor(1) as threads:
            inserter = Inserter(
                Signal.TRACES, self.store, log, self.letters, self.health, self.folder, threads
            )
            inserting = asyncio.create_task(inserter.run())
            await work(log)
            await log.drain()
            await asyncio.wait_for(inserting, LIMIT_S)
        await log.close()

    def retries(self, reason: str) -> float:
        """How often an insert was to be tried again for a reason."""
        labels = {"signal": "traces", "reason": reason}
        return self.health.registry.get_sample_value("sightline_store_retries_total", labels) or 0.0


async def sends(log: Log) -> None:
    """Some requests, all acknowledged."""
    template = request_template(time.time_ns(), SPANS)
    bodies = [template.replace(TRACE, number.to_bytes(16, "big")) for number in range(1, REQUESTS + 1)]
    await asyncio.gather(*(log.append(Signal.TRACES, body, SPANS) for body in bodies))


def stored(engine: Engine) -> dict[str, int]:
    """Spans in the store by trace, without known requests that a server took after their proof had ended."""
    rows = engine.rows(
        f"select trace_id, count() as n from spans_v1 where not startsWith(writer, '{golden.WRITERS}')"
        " group by trace_id"
    )
    return {row["trace_id"]: row["n"] for row in rows}


ONCE = {f"{number:032x}": SPANS for number in range(1, REQUESTS + 1)}
