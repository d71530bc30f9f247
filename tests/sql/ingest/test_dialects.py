"""Spans of every dialect, as its documents have them, become the columns that they mean."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import NOW_NS, attributes, insert
from view_cases import read_cases

from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

FOLDER = Path(__file__).parent / "dialects"
STARTED_NS = NOW_NS - 8_000_000_000
"""Eight seconds before everything here is received: 2026-09-21T14:13:12.123456789Z."""


def cases() -> list[dict[str, Any]]:
    """Every case of every file, in order."""
    return [case for file in sorted(FOLDER.glob("*.yaml")) for case in read_cases(file)]


CASES = cases()
IDS = [f"{number}-{case['dialect']}" for number, case in enumerate(CASES)]
WHOLE = [name for name, case in zip(IDS, CASES, strict=True) if "spread" not in case]
"""Cases without flattened messages, whose keys become one list."""


def request_of(case: dict[str, Any], number: int) -> ExportTraceServiceRequest:
    """A request of the case's one span."""
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    scope_spans.scope.name = case.get("scope", "")
    span = scope_spans.spans.add(
        trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"), name=case.get("name", "work"),
        kind=case.get("kind", 1), start_time_unix_nano=STARTED_NS, end_time_unix_nano=NOW_NS,
        trace_state=case.get("trace_state", ""),
    )  # fmt: skip
    span.attributes.extend(attributes(case["attributes"]))
    return request


@pytest.fixture(scope="module")
def rows(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The rows of all cases, stored as one segment, in their order."""
    requests = [(request_of(case, number), 1) for number, case in enumerate(CASES)]
    insert(engine, Signal.TRACES, requests, tmp_path_factory.mktemp("dialects") / "segment", batch=1)
    return engine.rows("select * from spans_v1 order by span_id")


@pytest.mark.parametrize("number", range(len(CASES)), ids=IDS)
def test_a_span_means_what_its_dialect_says(rows: list[dict[str, Any]], number: int) -> None:
    """The dialect is named, and each column is what the documents of the dialect say of the span."""
    expected = {"dialect": CASES[number]["dialect"], **CASES[number]["expected"]}
    row = {column: plain(rows[number][column]) for column in expected}
    assert row == expected


@pytest.mark.parametrize(
    "number", [number for number, case in enumerate(CASES) if "spread" not in case], ids=WHOLE
)
def test_no_attribute_is_lost(rows: list[dict[str, Any]], number: int) -> None:
    """What is not input or output stays under its own key, understood or not."""
    row, given = rows[number], CASES[number]["attributes"]
    assert set(row["attributes"]) == set(given) - {row["input_key"], row["output_key"]}


def plain(value: Any) -> Any:
    """Money as text without trailing zeros, durations to a microsecond."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return round(value, 3) if isinstance(value, float) else value
