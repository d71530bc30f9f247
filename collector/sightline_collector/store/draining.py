"""How long a collector that was told to stop waits for its store. What is not stored then stays in the log.

all stored ───────────────────────────────▶ stop
the rest was refused, or none answers ────▶ stop at once
no segment was taken for STALL_S (server) ▶ stop
DRAIN_S have passed ──────────────────────▶ stop
"""

from __future__ import annotations

import asyncio
from asyncio import Task
from collections.abc import Sequence

from sightline_collector.store.insert import Inserter

DRAIN_S = 20.0
"""How long the store may take with what is left at the end; the next start carries on with the rest."""

STALL_S = 8.0
"""A server that takes no segment for so long does not answer. The embedded engine cannot be silent."""

LOOK_S = 0.1


async def drained(inserting: Sequence[tuple[Inserter, Task[None]]]) -> list[Task[None]]:
    """Wait for inserters of a log that takes no more, for as long as it helps. Those that are not done."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + DRAIN_S
    while late := [(inserter, task) for inserter, task in inserting if not task.done()]:
        if loop.time() > ends or all(inserter.stuck(STALL_S) for inserter, _ in late):
            break
        await asyncio.wait([task for _, task in late], timeout=LOOK_S)
    return [task for _, task in late]
