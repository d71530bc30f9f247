"""Looks each second for what changed on disk: keys, certificates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

LOOK_S = 1.0
"""Between two looks: some files' times are read."""

Look = Callable[[], Awaitable[object]]

log = structlog.get_logger(__name__)


@asynccontextmanager
async def looking(refreshes: Sequence[Look], every_s: float = LOOK_S) -> AsyncIterator[None]:
    """Calls each again and again inside the block."""
    task = asyncio.create_task(_look(refreshes, every_s), name="look")
    try:
        yield
    finally:
        task.cancel()


async def _look(refreshes: Sequence[Look], every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        for refresh in refreshes:
            try:
                await refresh()
            except Exception:
                # Requests are judged by what is known, whatever befalls the files.
                log.exception("files could not be looked at")
