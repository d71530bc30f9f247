"""What the view cost_disagreements says of calls that the store really priced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import NOW_NS, attributes, insert

from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

SONNET = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.usage.input_tokens": 10_000,
    "gen_ai.usage.output_tokens": 1_000,
    "gen_ai.usage.cache_read.input_tokens": 8_000,
}
"""0.006 + 0.0024 + 0.015 = 0.0234 USD."""
THINKING = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "o3",
    "gen_ai.usage.input_tokens": 1_000,
    "gen_ai.usage.output_tokens": 1_000,
    "gen_ai.usage.reasoning.output_tokens": 600,
}
"""0.002 + 0.008 = 0.01 USD."""


@pytest.mark.parametrize(
    ("said", "reported", "cause"),
    [
        (SONNET, 0.0234, None),
        (SONNET, 0.045, "the sender reckons cached tokens at the full price of input"),
        (SONNET, 0.0474, "the sender counts cached tokens twice: as input and as cached"),
        (SONNET, 0.0117, "the sender reckons half: a batch, if the span does not say so"),
        (SONNET, 1.0, ""),
        (THINKING, 0.0148, "the sender counts reasoning tokens twice: as output and as reasoning"),
    ],
)
def test_a_cause_is_told_by_the_price_list(
    engine: Engine, tmp_path: Path, said: dict[str, Any], reported: float, cause: str | None
) -> None:
    """What a usual mistake of a sender would have cost is reckoned, and named where the report is that."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=b"t" * 16, span_id=b"s" * 8, start_time_unix_nano=NOW_NS, end_time_unix_nano=NOW_NS
    )  # fmt: skip
    span.attributes.extend(attributes(said | {"gen_ai.usage.cost": reported}))
    engine.command("truncate table spans_v1")
    insert(engine, Signal.TRACES, [(request, 1)], tmp_path / "segment", batch=1)
    found = engine.rows("select likely_cause from cost_disagreements")
    assert found == ([] if cause is None else [{"likely_cause": cause}])
