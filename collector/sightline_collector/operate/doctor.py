"""A running collector's doctor, asked over HTTP: what is wrong, and what to do."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sightline_collector.operate.entry import entry
from sightline_collector.operate.finding import Finding, as_rows, fail
from sightline_collector.operate.machine import machine
from sightline_collector.operate.running import Parts, ports, running, store_limit_bytes
from sightline_collector.operate.stored import stored
from sightline_collector.store.engine import Engine

STORE_S = 20.0
"""What all questions to the store may take together."""


class Doctor:
    """The route that looks at every part of one collector."""

    def __init__(self, folder: Path, engine: Engine, parts: Parts) -> None:
        self._folder = folder
        self._engine = engine
        self._parts = parts

    @property
    def routes(self) -> list[Route]:
        """Paths and methods."""
        return [Route("/api/doctor", self.look)]

    async def look(self, _: Request) -> Response:
        """Every finding, and the collector's time in seconds since 1970."""
        found = [
            *await ports(self._parts.listening),
            *await asyncio.to_thread(lambda: list(machine(self._folder, self._engine.url.path))),
            *running(self._parts),
            *entry(self._parts.registry, self._parts.gate, self._parts.tls, time.time()),
            *await self._stored(),
        ]
        return JSONResponse({"findings": as_rows(found), "now_s": time.time()})

    async def _stored(self) -> list[Finding]:
        limit_bytes = store_limit_bytes(self._parts.registry)
        try:
            async with asyncio.timeout(STORE_S):
                return await asyncio.to_thread(lambda: list(stored(self._engine, limit_bytes)))
        except TimeoutError:
            says = f"it did not answer in {STORE_S:.0f} s"
            return [fail("store", says, "see what it does: `sightline status`, and the collector's log")]
