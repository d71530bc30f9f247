"""A known request through the whole chain, compared column by column.

The engine accepts a chain that is broken: a view without a column, a column the target lacks. So after each
change of the schema one request with known content goes the way that all spans go, and its row is compared.
It is marked by a writer of its own, another each time, for several collectors may do so at once, and removed
again. What a killed one has left, or a server that went on without its client, is removed by a later one.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue

from sightline_collector.errors import OwnFault
from sightline_collector.store.batch import OF_BATCH, TABLES, Batch, CountDiffers, insert_segment
from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Entry, Signal, frame

WRITERS = "0" * 16
"""What the writer of a known request begins with; the rest is drawn."""

LEFT_S = 300
"""A proof takes seconds: rows this old were left behind."""

BATCH = 1
DURATION_MS = 1500.0
ATTRIBUTES: dict[str, AnyValue] = {
    "gen_ai.operation.name": AnyValue(string_value="chat"),
    "gen_ai.provider.name": AnyValue(string_value="openai"),
    "gen_ai.request.model": AnyValue(string_value="gpt-4o"),
    "gen_ai.usage.input_tokens": AnyValue(int_value=1000),
    "gen_ai.usage.output_tokens": AnyValue(int_value=100),
    "gen_ai.response.finish_reasons": AnyValue(
        array_value=ArrayValue(values=[AnyValue(string_value="stop")])
    ),
    "gen_ai.response.time_to_first_chunk": AnyValue(double_value=0.25),
    "sightline.feature": AnyValue(string_value="golden"),
}
EXPECTED: dict[str, Any] = {
    "trace_id": "ab" * 16, "span_id": "cd" * 8, "parent_span_id": "", "name": "chat gpt-4o",
    "kind": "client", "status": "ok", "service": "golden", "operation": "llm", "provider": "openai",
    "model": "gpt-4o", "feature": "golden", "finish_reason": "stop", "input_tokens": 1000,
    "output_tokens": 100, "cache_read_tokens": None, "duration_ms": DURATION_MS, "first_chunk_ms": 250.0,
    "project": "default", "batch": BATCH, "cost_status": "priced", "notes": [],
    "attribute_types": {
        "gen_ai.usage.input_tokens": "int", "gen_ai.usage.output_tokens": "int",
        "gen_ai.response.finish_reasons": "array", "gen_ai.response.time_to_first_chunk": "double",
    },
}  # fmt: skip

SELECT = f"select {', '.join(EXPECTED)} from spans_v1 where {OF_BATCH}"  # noqa: S608 - constants
LEFT = f"batch = {BATCH} and startsWith(writer, '{WRITERS}') and received_at < now() - {LEFT_S}"


class ChainBroken(OwnFault):
    """The golden request did not come out as it must."""

    reason = "chain_broken"


def prove(engine: Engine, scratch: Path) -> None:
    """Send the golden request through the chain. Raises ChainBroken that names the columns that differ."""
    scratch.mkdir(parents=True, exist_ok=True)
    _sweep(engine, Signal.TRACES)
    batch = Batch(engine, Signal.TRACES, BATCH, _writer())
    file = scratch / f"golden.{batch.writer}"
    file.write_bytes(_segment(time.time_ns(), batch.writer))
    try:
        insert_segment(engine, Signal.TRACES, file)
        rows = engine.rows(SELECT, {"batch": BATCH, "writer": batch.writer})
    finally:
        file.unlink()
        batch.delete()
    found = rows[0] if len(rows) == 1 else {}
    wrong = {name: found.get(name) for name, value in EXPECTED.items() if found.get(name) != value}
    if wrong:
        raise ChainBroken(
            f"on engine {engine.version} a known span comes out as {len(rows)} rows, wrong in {wrong}",
            hint="install the engine version that this release was tested with (chdb>=4.4)",
        )


def _writer() -> str:
    return WRITERS + secrets.token_hex(16 - len(WRITERS) // 2)


def _sweep(engine: Engine, signal: Signal) -> None:
    """Delete what killed proofs have left, if anything: on a full disk a deletion waits for room."""
    table = TABLES[signal][0]
    if engine.write_value(f"select count() from {table} where {LEFT}"):  # noqa: S608 - constants
        engine.command(f"delete from {table} where {LEFT}")  # noqa: S608


def chain_holds(engine: Engine, signal: Signal, scratch: Path) -> bool:
    """Whether a known request of the signal still becomes the rows it must. Raises StoreRefused."""
    if signal is Signal.TRACES:
        try:
            prove(engine, scratch)
        except ChainBroken:
            return False
        return True
    _sweep(engine, signal)
    batch = Batch(engine, signal, BATCH, _writer())
    file = scratch / f"golden.{signal}"
    file.write_bytes(_framed(_one_item(signal, time.time_ns()), time.time_ns(), batch.writer))
    try:
        batch.insert(file, 1)
    except CountDiffers:
        return False
    finally:
        file.unlink()
        batch.delete()
    return True


def _one_item(signal: Signal, now_ns: int) -> bytes:
    """A request of one log record, or of one point of a gauge."""
    if signal is Signal.LOGS:
        logs = ExportLogsServiceRequest()
        logs.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=now_ns)
        return bytes(logs.SerializeToString())
    metrics = ExportMetricsServiceRequest()
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="golden")
    metric.gauge.data_points.add(time_unix_nano=now_ns, as_int=1)
    return bytes(metrics.SerializeToString())


def _segment(now_ns: int, writer: str) -> bytes:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.append(
        KeyValue(key="service.name", value=AnyValue(string_value="golden"))
    )
    span = resource_spans.scope_spans.add().spans.add(
        trace_id=bytes.fromhex("ab" * 16), span_id=bytes.fromhex("cd" * 8), name="chat gpt-4o", kind=3,
        start_time_unix_nano=now_ns, end_time_unix_nano=now_ns + int(DURATION_MS * 1e6),
    )  # fmt: skip
    span.status.code = 1
    span.attributes.extend(KeyValue(key=key, value=value) for key, value in ATTRIBUTES.items())
    return _framed(request.SerializeToString(), now_ns, writer)


def _framed(body: bytes, now_ns: int, writer: str) -> bytes:
    length, trailer = frame(Entry(body, 1, "default", now_ns), BATCH, writer)
    return length + body + trailer
