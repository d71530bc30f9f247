"""What real emitters sent, as they sent it: what the collector makes of it is what their documents say."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml
from corpora import recording
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otlp_requests import insert
from view_cases import Row, as_expected

from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

CORPORA = Path(__file__).parent
DIALECTS = sorted(file.parent.name for file in CORPORA.glob("*/expected.yaml"))
SIZE_MAX = 64_000
ON_THE_WAY_NS = 10**9
MEASURED = "measured"
"""Stands for a value that differs from run to run: there must be one."""

batches = itertools.count(1)


def requests_of(dialect: str) -> list[tuple[ExportTraceServiceRequest, int]]:
    """The recorded requests, each with its number of spans."""
    bodies = recording.read(CORPORA / dialect / "requests.binpb")
    requests = [ExportTraceServiceRequest.FromString(body) for body in bodies]
    return [(request, len(spans_of(request))) for request in requests]


def spans_of(request: ExportTraceServiceRequest) -> list[Span]:
    return [span for r in request.resource_spans for s in r.scope_spans for span in s.spans]


def stored(engine: Engine, dialect: str, tmp_path: Path) -> list[Row]:
    """The rows that a recording becomes, in the order in which the spans began."""
    requests = requests_of(dialect)
    ended = max(span.end_time_unix_nano for request, _ in requests for span in spans_of(request))
    batch = next(batches)
    insert(
        engine, Signal.TRACES, requests, tmp_path / "segment",
        batch=batch, received_at_ns=ended + ON_THE_WAY_NS, project=dialect,
    )  # fmt: skip
    asked = "select * from spans where batch = {batch:UInt64} order by started_at, parent_span_id, span_id"
    return list(engine.rows(asked, {"batch": batch}))


def meets(value: Any, wanted: Any) -> bool:
    """Whether a text holds all fragments of a list, or there is a value where one was measured."""
    if isinstance(wanted, list) and isinstance(value, str):
        return all(fragment in value for fragment in wanted)
    return wanted == MEASURED and value is not None


def as_said(row: Row, wanted: Row) -> Row:
    """The row in the words of the expectation, where it meets them."""
    return row | {key: said for key, said in wanted.items() if meets(row.get(key), said)}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_recording_becomes_the_rows_that_the_dialect_means(
    engine: Engine, dialect: str, tmp_path: Path
) -> None:
    """Operation, model, tokens, cost, session, tool, agent and text of each span are what was really done."""
    expected = yaml.safe_load((CORPORA / dialect / "expected.yaml").read_text("utf8"))["spans"]
    rows = stored(engine, dialect, tmp_path)
    assert [row["name"] for row in rows] == [wanted["name"] for wanted in expected]
    said = [as_said(row, wanted) for row, wanted in zip(rows, expected, strict=True)]
    assert as_expected(said, expected) == expected


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_recording_is_small_and_says_how_it_was_made(dialect: str) -> None:
    """Beside the requests are the program that sent them and what it ran with, each at an exact version."""
    folder = CORPORA / dialect
    assert (folder / "requests.binpb").stat().st_size < SIZE_MAX
    assert (folder / "make.py").exists()
    assert all("==" in line for line in (folder / "requirements.txt").read_text("utf8").splitlines())
