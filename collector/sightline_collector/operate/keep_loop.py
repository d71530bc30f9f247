"""The task that watches the store's size: measured every minute, kept within the budget if there is one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from threading import Event

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from sightline_collector.errors import Fault
from sightline_collector.operate.shedding import Shedder, Step
from sightline_collector.store.engine import Engine

INTERVAL_S = 60.0
JOIN_S = 5.0
"""How long a stop waits for the round under way: the engine goes on with it at the next start."""

log = structlog.get_logger(__name__)


class _Halted(Exception):  # noqa: N818 - no error: the collector stops
    """The round under way is not waited for: the store closes."""


class KeepLoop:
    """Rounds over one store. Without a budget it only measures."""

    def __init__(self, engine: Engine, registry: CollectorRegistry, budget_gb: float | None) -> None:
        self._budgeted = budget_gb is not None
        budget_bytes = (budget_gb or 0) * 1e9
        self._shedder = Shedder(engine, budget_bytes, self._shed, pause=self._pause)
        self._stopping = asyncio.Event()
        self._halted = Event()
        self._held = Gauge("sightline_store_bytes", "Of all tables on disk", registry=registry)
        limit = Gauge(
            "sightline_store_limit_bytes", "What they may take; 0: all that there is", registry=registry
        )
        limit.set(budget_bytes)
        self._sheddings = Counter(
            "sightline_store_sheddings",
            "Times that old content, or whole old weeks of rows, were let go for the budget",
            ("what",),
            registry=registry,
        )
        for what in ("content", "rows"):
            self._sheddings.labels(what)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Rounds inside the block."""
        keeping = asyncio.create_task(self._run(), name="keep")
        try:
            yield
        finally:
            self._stopping.set()
            self._halted.set()
            await asyncio.wait([keeping], timeout=JOIN_S)
            keeping.cancel()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            await asyncio.to_thread(self._round)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), INTERVAL_S)

    def _round(self) -> None:
        try:
            if self._budgeted:
                self._shedder.round()
            self._held.set(self._shedder.held_bytes())
        except _Halted:
            log.info("content is still being shed: the engine goes on at the next start")
        except Fault as e:
            log.warning("the store's size is not watched", error=str(e))
        except Exception:
            # The collector takes spans also when this is at fault.
            log.exception("the store's size is not watched")

    def _pause(self, seconds: float) -> None:
        if self._halted.wait(seconds):
            raise _Halted

    def _shed(self, step: Step) -> None:
        self._sheddings.labels(step.what).inc()
