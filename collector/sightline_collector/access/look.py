"""Looks each second for what changed on disk: keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from sightline_collector.access.gate import Gate

LOOK_S = 1.0
"""Between two looks: two files' times are read."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def looking(gate: Gate, every_s: float = LOOK_S) -> AsyncIterator[None]:
    """Takes changes of keys inside the block."""
    task = asyncio.create_task(_look(gate, every_s), name="keys")
    try:
        yield
    finally:
        task.cancel()


async def _look(gate: Gate, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        try:
            await asyncio.to_thread(gate.refresh)
        except Exception:
            # Requests are judged by the keys that are known, whatever befalls their file.
            log.exception("keys could not be looked at")
