"""How many statements run at once, how many may wait, and what one reader may take of both.

::

    asked ─▶ waits for its reader's share ─▶ waits for a place ─▶ runs
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sightline_collector.gateway.limits import Limits
from sightline_collector.gateway.refusal import Refused


@dataclass(slots=True)
class _Share:
    """What one reader may take."""

    free: asyncio.Semaphore
    waiting_most: int
    waiting: int = 0


class Slots:
    """Places for running statements. Who finds the queue full, or waits too long, is told to come again."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._free = asyncio.Semaphore(limits.at_once)
        self._shares: dict[str, _Share] = {}  # no more than there are projects
        self.waiting = 0
        self.running = 0

    @asynccontextmanager
    async def place(self, reader: str = "") -> AsyncIterator[None]:
        """Holds a place. `reader` is a project, whose statements leave a place and half of the queue to
        others; "" where nobody is told apart. Raises Refused (429)."""
        share = self._share_of(reader)
        if self.waiting >= self.limits.waiting or share.waiting >= share.waiting_most:
            raise self._busy()
        async with AsyncExitStack() as held:
            self.waiting += 1
            share.waiting += 1
            try:
                async with asyncio.timeout(self.limits.wait_s):
                    await held.enter_async_context(share.free)
                    await held.enter_async_context(self._free)
            except TimeoutError:
                raise self._busy() from None
            finally:
                self.waiting -= 1
                share.waiting -= 1
            self.running += 1
            held.callback(self._ended)
            yield

    def _ended(self) -> None:
        self.running -= 1

    def _share_of(self, reader: str) -> _Share:
        if reader not in self._shares:
            at_once, waiting = self.limits.at_once, self.limits.waiting
            if reader:
                at_once, waiting = max(1, at_once - 1), max(1, waiting // 2)
            self._shares[reader] = _Share(asyncio.Semaphore(at_once), waiting)
        return self._shares[reader]

    def _busy(self) -> Refused:
        return Refused(
            202,
            "TOO_MANY_SIMULTANEOUS_QUERIES",
            f"{self.running} statements run and {self.waiting} wait",
            hint="Ask again in a second",
        )
