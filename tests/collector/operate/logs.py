"""Log folders with known requests, as a collector that has died leaves them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from remembered_load import request_template

from sightline_collector.wal.log import Log
from sightline_collector.wal.segment import Signal

NOW_NS = 1_790_000_000_000_000_000
SPANS = 3


def traces(number: int) -> bytes:
    """A request of SPANS spans whose trace id is the number."""
    request = ExportTraceServiceRequest.FromString(request_template(NOW_NS, SPANS))
    for span in request.resource_spans[0].scope_spans[0].spans:
        span.trace_id = number.to_bytes(16, "big")
    encoded: bytes = request.SerializeToString(deterministic=True)
    return encoded


def write_log(folder: Path, bodies: Iterable[bytes], project: str = "default") -> None:
    """Append them as traces, as NOW_NS, to one segment; the log is given free again."""

    async def write() -> None:
        log = await Log.open(folder, clock_ns=lambda: NOW_NS)
        for body in bodies:
            await log.append(Signal.TRACES, body, SPANS, project)
        await log.close()

    asyncio.run(write())


def only_segment(folder: Path) -> Path:
    """The one segment of a log folder."""
    (segment,) = folder.glob("traces-*.segment")
    return segment
