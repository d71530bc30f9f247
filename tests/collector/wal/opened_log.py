"""A log opened for a test, and what is in its folder."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from sightline_collector.wal import segment
from sightline_collector.wal.appender import SegmentLimits
from sightline_collector.wal.log import Log, LogLimits
from sightline_collector.wal.segment import Record

NEVER_S = 3600.0

SLOW = LogLimits(segment=SegmentLimits(age_s=NEVER_S))


def run(path: Path, scenario: Callable[[Log], Awaitable[None]], limits: LogLimits = SLOW) -> None:
    async def opened() -> None:
        log = await Log.open(path, limits=limits)
        try:
            await scenario(log)
        finally:
            await log.close()

    asyncio.run(asyncio.wait_for(opened(), 60))


def records_of(path: Path) -> list[tuple[bytes, Record]]:
    content = path.read_bytes()
    found = segment.records(content, batch=int(path.stem.split("-")[1]))
    return [(bytes(one.body(content)), one) for one in found]


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*-*.*"))


def bodies_in(folder: Path) -> list[bytes]:
    return [body for path in files_in(folder) for body, _ in records_of(path)]
