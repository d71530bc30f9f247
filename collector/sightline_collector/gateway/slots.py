"""How many statements run at once, and how many may wait: a bound for both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sightline_collector.gateway.limits import Limits
from sightline_collector.gateway.refusal import Refused


class Slots:
    """Places for running statements. Who finds the queue full, or waits too long, is told to come again."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._free = asyncio.Semaphore(limits.at_once)
        self.waiting = 0
        self.running = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Holds a place. Raises Refused (429)."""
        if self.waiting >= self.limits.waiting:
            raise self._busy()
        self.waiting += 1
        try:
            async with asyncio.timeout(self.limits.wait_s):
                await self._free.acquire()
        except TimeoutError:
            raise self._busy() from None
        finally:
            self.waiting -= 1
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._free.release()

    def _busy(self) -> Refused:
        return Refused(
            202,
            "TOO_MANY_SIMULTANEOUS_QUERIES",
            f"{self.limits.at_once} statements run and {self.waiting} wait",
            hint="Ask again in a second",
        )
