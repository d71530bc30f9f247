"""What operators and their machines ask: is it alive, is it ready, what has it counted; and: store it now."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from time import monotonic
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sightline_collector.errors import Fault
from sightline_collector.health import Health, LogState, fullness
from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

STORE_ANSWERS_S = 3.0
DISK_ANSWERS_S = 3.0
LAG_S = 60.0
"""Beyond this the store is behind: a minute is forty times what an acknowledged span should wait."""
FLUSH_S = 60.0

_REFUSE_ALL = ("bodies", "log_bytes", "log_records", "disk")
"""What refuses every request when it is full. With full memory one after the other is taken, and it may stay
full without them; a stranger who holds all places for slow messages takes no collector out of service."""

_COUNTED = {
    "received": "sightline_receive_items",
    "stored": "sightline_store_items",
    "dead_letters": "sightline_dead_letter_items",
}
_LOST = "sightline_loss_items"
_REFUSALS = "sightline_receive_refused_requests"


class Operations:
    """The routes for operators, over the parts of a running collector."""

    def __init__(
        self, engine: Engine, health: Health, log: LogState, flush: Callable[[], Awaitable[None]]
    ) -> None:
        self._engine = engine
        self._health = health
        self._log = log
        self._flush = flush
        self._started = monotonic()
        self._asking: asyncio.Future[Any] | None = None

    @property
    def routes(self) -> list[Route]:
        """Paths and methods."""
        return [
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics),
            Route("/api/status", self.status),
            Route("/api/flush", self.flush, methods=["POST"]),
        ]

    async def healthz(self, _: Request) -> Response:
        """200: the process lives."""
        return PlainTextResponse("Ok.\n")

    async def readyz(self, _: Request) -> Response:
        """200 when spans are taken, stored and found; else 503. Either way JSON with the reasons."""
        faults = (
            await self._store_fault(),
            await self._log_fault(),
            self._lag_fault(),
            self._full(),
        )
        reasons = [fault for fault in faults if fault]
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    async def metrics(self, _: Request) -> Response:
        """All counters, as Prometheus reads them."""
        return Response(self._health.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def status(self, _: Request) -> Response:
        """The numbers of `sightline status`, as JSON."""
        return JSONResponse(
            {
                "version": version("sightline"),
                "engine": self._engine.version,
                "store": str(self._engine.url),
                "up_s": round(monotonic() - self._started, 1),
                "items": await asyncio.to_thread(self._counted),
                "log": {
                    "bytes": self._log.size_bytes,
                    "limit_bytes": self._log.limit_bytes,
                    "waiting_segments": sum(self._log.waiting_segments(s) for s in Signal),
                    "oldest_age_s": round(self._log.oldest_age_s(), 3),
                },
            }
        )

    async def flush(self, _: Request) -> Response:
        """200 once all that was acknowledged before is stored; 504 when the store takes too long."""
        try:
            async with asyncio.timeout(FLUSH_S):
                await self._flush()
        except TimeoutError:
            why = f"the store did not take everything in {FLUSH_S:.0f} s; the rest stays in the log"
            return JSONResponse({"error": why}, 504)
        return JSONResponse({"flushed": True})

    async def _store_fault(self) -> str | None:
        # One question at a time: a silent store would take a thread for each, and then those of others.
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(asyncio.to_thread(self._engine.answers))
            self._asking.add_done_callback(_seen)
        try:
            async with asyncio.timeout(STORE_ANSWERS_S):
                await asyncio.shield(self._asking)
        except TimeoutError:
            return f"the store did not answer in {STORE_ANSWERS_S:.0f} s"
        except Fault as e:
            return str(e)
        return None

    async def _log_fault(self) -> str | None:
        try:
            async with asyncio.timeout(DISK_ANSWERS_S):
                await self._log.probe()
        except TimeoutError:
            return f"the log's disk did not take a write in {DISK_ANSWERS_S:.0f} s"
        except Fault as e:
            return str(e)
        return None

    def _lag_fault(self) -> str | None:
        age_s = self._log.oldest_age_s()
        if age_s < LAG_S:
            return None
        why = "; ".join(list(self._health.failing.values()))
        return f"the store is {age_s:.0f} s behind" + (f": {why}" if why else "")

    def _full(self) -> str | None:
        shares = fullness(self._health.registry)
        full = [name for name in _REFUSE_ALL if shares.get(name, 0.0) >= 1]
        return f"full: {', '.join(full)}; senders are told to come again" if full else None

    def _counted(self) -> dict[str, int]:
        """Items since the start: what was refused for good, and what else is lost."""
        counters: dict[str, Counter[tuple[str | None, str | None]]] = defaultdict(Counter)
        for metric in self._health.registry.collect():
            for sample in metric.samples:
                if sample.name.endswith("_total"):
                    kind = (sample.labels.get("signal"), sample.labels.get("reason"))
                    counters[metric.name][kind] += int(sample.value)
        lost, refusals = counters[_LOST], counters[_REFUSALS]
        refused = sum(items for kind, items in lost.items() if kind in refusals)
        said = {name: counters[counter].total() for name, counter in _COUNTED.items()}
        return {**said, "refused": refused, "lost": lost.total() - refused}


def _seen(asked: asyncio.Future[Any]) -> None:
    """An error that nobody waits for any more is no news."""
    if not asked.cancelled():
        asked.exception()
