"""Long conversations that a sender flattened are stored within what one insert may take of memory."""

from __future__ import annotations

from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import NOW_NS, attributes, insert

from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

SPANS, MESSAGES, BYTES = 24, 150, 4096
MANY = 5000


def test_long_flattened_conversations_are_stored(engine: Engine, tmp_path: Path) -> None:
    """Two dozen spans of 150 flattened messages of 4 KB, and one of 5000 short messages, are rows."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in range(SPANS + 1):
        count, size = (MESSAGES, BYTES) if number < SPANS else (MANY, 5)
        said = {f"llm.input_messages.{n}.message.content": "x" * size for n in range(count)}
        spans.add(
            trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"), name="chat", start_time_unix_nano=NOW_NS,
            end_time_unix_nano=NOW_NS, attributes=attributes(said | {"openinference.span.kind": "LLM"}),
        )  # fmt: skip
    insert(engine, Signal.TRACES, [(request, SPANS + 1)], tmp_path / "segment", batch=1)
    rows = engine.rows("""
        select JSONLength(input) as messages, count() as spans, any(input_key) as key,
            toString(mapKeys(any(attributes))) as left
        from spans_v1 group by messages order by messages
    """)
    common = {"key": "llm.input_messages", "left": "['openinference.span.kind']"}
    assert rows == [
        {"messages": MESSAGES, "spans": SPANS, **common}, {"messages": MANY, "spans": 1, **common},
    ]  # fmt: skip
