"""What real emitters sent, as they sent it: what the collector makes of it is what their documents say."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from corpora import recording
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otlp_requests import WRITER
from view_cases import Row, as_expected

from sightline_collector.settle.arrivals import of_batches
from sightline_collector.settle.settling import settle_arrival
from sightline_collector.store.batch import insert_segment
from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Entry, Signal, frame

CORPORA = Path(__file__).parent
DIALECTS = sorted(file.parent.name for file in CORPORA.glob("*/expected.yaml"))
SIZE_MAX = 64_000
BATCH = 1
ON_THE_WAY_NS = 10**9
A_PLACE = re.compile(rb"/(root|Users|site-packages|node_modules)/")
VERSION = re.compile(r"==\d")
"""An exact one."""

SCATTERED = ".scattered"
MEASURED = "measured"
"""Stands for a value that differs from run to run: there must be one."""


@pytest.fixture(scope="module")
def store(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A store that was sent all recordings, as they were and scattered, and has settled them."""
    file = tmp_path_factory.mktemp("corpora") / "segment"
    with file.open("wb") as segment:
        for dialect in DIALECTS:
            requests = requests_of(dialect)
            segment.writelines(record(request, dialect) for request in requests)
            for delay_ns in (0, 0, ON_THE_WAY_NS):
                segment.writelines(
                    record(request, dialect + SCATTERED, delay_ns) for request in scattered(requests)
                )
    insert_segment(engine, Signal.TRACES, file)
    file.write_bytes(b"".join(log_record(body, dialect) for dialect, body in logs()))
    insert_segment(engine, Signal.LOGS, file)
    settle_arrival(engine, of_batches(WRITER, 0, BATCH), time.time_ns)
    return engine


def requests_of(dialect: str) -> list[ExportTraceServiceRequest]:
    bodies = recording.read(CORPORA / dialect / "requests.binpb")
    return [ExportTraceServiceRequest.FromString(body) for body in bodies]


def record(request: ExportTraceServiceRequest, project: str, delay_ns: int = 0) -> bytes:
    """The request as a segment of the log has it, received a moment after its last span ended."""
    spans = spans_of(request)
    received = max(span.end_time_unix_nano for span in spans) + ON_THE_WAY_NS + delay_ns
    body = request.SerializeToString()
    length, trailer = frame(Entry(body, len(spans), project, received), BATCH, WRITER)
    return length + body + trailer


def logs() -> Iterator[tuple[str, bytes]]:
    """The recorded requests of log records, each with its dialect."""
    for dialect in DIALECTS:
        for body in recording.read(CORPORA / dialect / "logs.binpb"):
            yield dialect, body


def spans_of(request: ExportTraceServiceRequest) -> list[Span]:
    return [span for r in request.resource_spans for s in r.scope_spans for span in s.spans]


def records_in(request: ExportLogsServiceRequest) -> list[LogRecord]:
    return [one for r in request.resource_logs for s in r.scope_logs for one in s.log_records]


def log_record(body: bytes, project: str) -> bytes:
    """The request as a segment of the log has it, received a moment after its last record was made."""
    request = ExportLogsServiceRequest.FromString(body)
    told = records_in(request)
    received = max(one.observed_time_unix_nano for one in told) + ON_THE_WAY_NS
    length, trailer = frame(Entry(body, len(told), project, received), BATCH, WRITER)
    return length + body + trailer


def scattered(requests: list[ExportTraceServiceRequest]) -> list[ExportTraceServiceRequest]:
    """Every span in a request of its own, the last first."""
    alone = []
    for request in requests:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    one = ExportTraceServiceRequest()
                    group = one.resource_spans.add(resource=resource.resource)
                    group.scope_spans.add(scope=scope.scope).spans.append(span)
                    alone.append(one)
    return alone[::-1]


def expectation(dialect: str) -> dict[str, Any]:
    expected: dict[str, Any] = yaml.safe_load((CORPORA / dialect / "expected.yaml").read_text("utf8"))
    return expected


def meets(value: Any, wanted: Any) -> bool:
    """Whether a text holds all fragments of a list, or there is a value where one was measured."""
    if isinstance(wanted, list) and isinstance(value, str):
        return all(fragment in value for fragment in wanted)
    return bool(wanted == MEASURED and value is not None)


def differences(rows: list[Row], expected: list[Row]) -> list[str]:
    """What the rows do not have as expected, a line a value."""
    said = [
        row | {key: wish for key, wish in wanted.items() if meets(row.get(key), wish)}
        for row, wanted in zip(rows, expected, strict=True)
    ]
    return [
        f"{number}, {wanted.get('name', 'a message')}: {key} is {found[key]!r}, not {wish!r}"
        for number, (found, wanted) in enumerate(zip(as_expected(said, expected), expected, strict=True))
        for key, wish in wanted.items()
        if found[key] != wish
    ]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_recording_becomes_the_rows_that_the_dialect_means(store: Engine, dialect: str) -> None:
    """Operation, model, tokens, cost, session, tool, agent and text of each span are what was really done."""
    asked = (
        "select * from spans where project = {dialect:String} order by started_at, parent_span_id, span_id"
    )
    rows, expected = list(store.rows(asked, {"dialect": dialect})), expectation(dialect)["spans"]
    assert [row["name"] for row in rows] == [wanted["name"] for wanted in expected]
    wrong = differences(rows, expected)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if "messages" in expectation(name)])
def test_a_recordings_conversations_are_read_as_they_were_held(store: Engine, dialect: str) -> None:
    """Who said what to whom, in order, wherever the dialect puts it: on spans, flattened, in log records."""
    asked = (
        "select direction, role, parts, source from messages where project = {project:String}"
        " order by started_at, span_id, indexOf(['system', 'input', 'output'], direction), position"
    )
    rows, expected = list(store.rows(asked, {"project": dialect})), expectation(dialect)["messages"]
    assert len(rows) == len(expected)
    wrong = differences(rows, expected)
    assert not wrong, "\n".join(wrong)


def bill(store: Engine, project: str, view: str, calls: str) -> Row:
    """What a view says that all of a project came to."""
    asked = (
        f"select sum({calls}) as calls, sum(input_tokens) as input_tokens,"
        f" sum(output_tokens) as output_tokens, sum(cost_usd) as cost_usd"
        f" from {view} where project = {{project:String}}"
    )
    (row,) = store.rows(asked, {"project": project})
    return dict(row)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_recording_costs_what_its_provider_bills(store: Engine, dialect: str) -> None:
    """Calls, tokens and USD of a whole recording are the provider's, by trace as by model."""
    expected = expectation(dialect)["total"]
    by_trace = bill(store, dialect, "trace_summary", "model_calls")
    by_model = bill(store, dialect, "cost_by_model", "calls")
    assert as_expected([by_trace, by_model], [expected] * 2) == [expected] * 2


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_recording_costs_the_same_in_pieces(store: Engine, dialect: str) -> None:
    """Each span alone, the last one first, twice at one moment and once more later: the bill is no other."""
    expected = expectation(dialect)["total"]
    by_trace = bill(store, dialect + SCATTERED, "trace_summary", "model_calls")
    by_model = bill(store, dialect + SCATTERED, "cost_by_model", "calls")
    assert as_expected([by_trace, by_model], [expected] * 2) == [expected] * 2


CALLS = {
    "trace_summary": "model_calls", "cost_by_model": "calls", "cost_by_feature": "calls",
    "cost_by_user": "calls", "cost_by_prompt": "calls", "cost_daily": "calls", "spans": "counted",
    "usage_hourly": "if(operation in ('llm', 'embedding', 'rerank'), calls, 0)",
}  # fmt: skip
"""Each view that says what was paid, and how it says for how many calls."""


def bills(store: Engine, view: str) -> dict[str, tuple[int, Decimal, int]]:
    """Calls, USD and tokens of each recording, whole and in pieces, as a view has them."""
    times = "* counted" if view == "spans" else ""
    rows = store.rows(
        f"select project, sum({CALLS[view]}) as calls, sum(cost_usd) as usd,"
        f" sum((ifNull(input_tokens, 0) + ifNull(output_tokens, 0)) {times}) as tokens"
        f" from {view} group by project having calls > 0"
    )
    return {row["project"]: (int(row["calls"]), Decimal(row["usd"] or 0), int(row["tokens"])) for row in rows}


@pytest.mark.parametrize("view", [view for view in CALLS if view != "trace_summary"])
def test_a_view_charges_what_the_traces_come_to(store: Engine, view: str) -> None:
    """Of every recording, to the last digit and token."""
    assert bills(store, view) == bills(store, "trace_summary")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_recording_is_small_and_says_how_it_was_made(dialect: str) -> None:
    """Beside requests that name no place are the program that sent them and the versions it ran with."""
    folder = CORPORA / dialect
    requests = (folder / "requests.binpb").read_bytes()
    assert len(requests) < SIZE_MAX
    assert not A_PLACE.search(requests)
    assert (folder / "make.py").exists() or (folder / "make.mjs").exists()
    assert all(VERSION.search(requirement) for requirement in requirements_of(folder))


def test_recorded_log_records_belong_to_recorded_spans() -> None:
    """Spans and log records of a dialect are of one run; some records name no span at all."""
    assert list(logs()) != []
    for dialect, body in logs():
        traces = {span.trace_id for request in requests_of(dialect) for span in spans_of(request)}
        told = {one.trace_id for one in records_in(ExportLogsServiceRequest.FromString(body))}
        assert told <= traces | {b""}


def requirements_of(folder: Path) -> list[str]:
    """What is installed for a program, as Python's or Node's installer is told."""
    if (folder / "requirements.txt").exists():
        return (folder / "requirements.txt").read_text("utf8").splitlines()
    packages = json.loads((folder / "package.json").read_text("utf8"))["dependencies"]
    return [f"{name}=={version}" for name, version in packages.items()]
