"""What a call's counts mean and what it costs: each trap of token accounting, from span to amount."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import attributes, insert
from view_cases import read_cases

from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

CASES: list[dict[str, Any]] = read_cases(Path(__file__).parent / "accounting.yaml")
NOON_NS = 1_795_176_000_000_000_000
"""2026-11-20T12:00:00Z: after the day from which prices by service tier are known."""


def request_of(case: dict[str, Any], number: int) -> ExportTraceServiceRequest:
    """A request of the case's one span; a key that begins with a dot is one of gen_ai.usage."""
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    scope_spans.scope.name = case.get("scope", "")
    span = scope_spans.spans.add(
        trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"), name=case.get("name", "call"),
        start_time_unix_nano=NOON_NS, end_time_unix_nano=NOON_NS,
    )  # fmt: skip
    said = {
        f"gen_ai.usage{key}" if key.startswith(".") else key: value for key, value in case["says"].items()
    }
    provider, _, model = case.get("call", "").partition(" ")
    if model:
        said |= {"gen_ai.provider.name": provider, "gen_ai.request.model": model}
        said = {"gen_ai.operation.name": "chat"} | said
    span.attributes.extend(attributes(said))
    return request


@pytest.fixture(scope="module")
def rows(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The rows of all cases, stored as one segment, in their order."""
    requests = [(request_of(case, number), 1) for number, case in enumerate(CASES)]
    file = tmp_path_factory.mktemp("accounting") / "segment"
    insert(engine, Signal.TRACES, requests, file, batch=1, received_at_ns=NOON_NS)
    return engine.rows("select * from spans_v1 order by span_id")


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["rule"] for case in CASES])
def test_a_call_costs_what_its_provider_bills(rows: list[dict[str, Any]], number: int) -> None:
    """Counts are told apart and paid once each, whichever of them the emitter put into which."""
    row, expected = rows[number], dict(CASES[number]["means"])
    usd = expected.pop("usd", None)
    assert {column: row[column] for column in expected} == expected
    assert usd is None or row["cost_usd"] == Decimal(str(usd))
