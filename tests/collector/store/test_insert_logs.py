"""Log segments in doubt: their records come to three tables, of which a kill may have left any short."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from otlp_requests import attributes

from sightline_collector.health import Health
from sightline_collector.store.batch import insert_segment
from sightline_collector.store.engine import Engine
from sightline_collector.store.insert import Inserter
from sightline_collector.wal.appender import Segment
from sightline_collector.wal.dead_letter import DeadLetters
from sightline_collector.wal.log import Log
from sightline_collector.wal.segment import Entry, Signal, frame

TABLES = ("logs_v1", "feedback_v1", "losses_v1")
BATCH = 7


def left_segment(folder: Path, writer: str) -> Segment:
    """A segment with a judgement and a loss report, as an earlier process left it."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for event in ("gen_ai.evaluation.result", "sightline.loss"):
        values = attributes({"sightline.loss.items": 3, "gen_ai.evaluation.name": "accuracy"})
        records.add(time_unix_nano=time.time_ns(), event_name=event, attributes=values)
    entry = Entry(request.SerializeToString(), len(records), "default", time.time_ns())
    length, trailer = frame(entry, BATCH, writer)
    file = folder / "left.segment"
    file.write_bytes(length + entry.body + trailer)
    at = entry.received_at_ns
    return Segment(file, Signal.LOGS, BATCH, entry.items, 1, file.stat().st_size, at, at, in_doubt=True)


@pytest.mark.parametrize("lost", [(), *((table,) for table in TABLES), TABLES], ids=str)
def test_every_table_is_whole_after_a_log_segment_in_doubt(
    engine: Engine, tmp_path: Path, lost: tuple[str, ...]
) -> None:
    """Whichever tables a kill left without their rows, each holds them once afterwards."""

    async def again() -> None:
        log = await Log.open(tmp_path / "wal")
        segment = left_segment(tmp_path, log.writer)
        insert_segment(engine, Signal.LOGS, segment.path)
        for table in lost:
            engine.command(f"truncate table {table}")
        health = Health()
        with ThreadPoolExecutor(1) as threads:
            letters = DeadLetters(tmp_path / "dead-letter", health)
            inserter = Inserter(Signal.LOGS, engine, log, letters, health, tmp_path, threads)
            await asyncio.to_thread(inserter._store, segment, True)
        await log.drain()
        await log.close()

    for table in TABLES:
        engine.command(f"truncate table {table}")
    asyncio.run(again())
    counts = {table: engine.value(f"select count() from {table}") for table in TABLES}
    assert counts == {"logs_v1": 2, "feedback_v1": 1, "losses_v1": 1}
