"""What a small segment's statement leaves out: never what one of its spans needs."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from otlp_requests import NOW_NS, attributes, insert

from sightline_collector.sql.catalog import DATA
from sightline_collector.store import steps
from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal

RARE = tuple(steps.MARKS)
LONG = "x" * 122
VALUES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "scalars": ({"a": "b", "n": 1, "d": 0.5, "yes": True, "none": None, "long": LONG}, set()),
    "one short string in a list": ({"gen_ai.response.finish_reasons": ["stop"]}, set()),
    "an empty list": ({"a": []}, {"unfolded_spans"}),
    "two strings in a list": ({"a": ["b", "c"]}, {"unfolded_spans"}),
    "one long string in a list": ({"a": [LONG]}, {"unfolded_spans"}),
    "a map": ({"a": {"b": 1}}, {"unfolded_spans"}),
    "a large map": ({"a": {f"key {n}": "x" * 100 for n in range(200)}}, {"unfolded_spans"}),
    "bytes": ({"a": b"\x00"}, {"unfolded_spans"}),
    "flattened messages": ({"llm.input_messages.0.message.content": "hi"}, {"gathered_spans"}),
    "both": ({"gen_ai.prompt.0.content": "hi", "a": {"b": 1}}, {"unfolded_spans", "gathered_spans"}),
}


def request(values: dict[str, Any], event: str = "") -> ExportTraceServiceRequest:
    """A request of one span with these attributes and, by its name, an event."""
    events = [Span.Event(name=event, attributes=attributes({"content": "hi"}))] if event else []
    span = Span(
        trace_id=b"\x01" * 16, span_id=b"\x02" * 8, name="work", start_time_unix_nano=NOW_NS - 1000,
        end_time_unix_nano=NOW_NS, attributes=attributes(values), events=events,
    )  # fmt: skip
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])])


@pytest.mark.parametrize("name", VALUES)
def test_steps_without_a_mark_are_left_out(name: str, tmp_path: Path) -> None:
    """A small segment keeps those of the rare steps that one of its values needs, and no other."""
    values, needed = VALUES[name]
    (tmp_path / "segment").write_bytes(request(values).SerializeToString())
    assert steps.left_out(RARE, tmp_path / "segment") == set(RARE) - needed


def test_an_event_of_a_model_call_is_a_mark(tmp_path: Path) -> None:
    """Events that hold messages keep the step that reads them; others do not."""
    for event, needed in (("gen_ai.user.message", True), ("gen_ai.choice", True), ("exception", False)):
        (tmp_path / "segment").write_bytes(request({}, event).SerializeToString())
        assert ("conversed_spans" not in steps.left_out(RARE, tmp_path / "segment")) is needed, event


def test_every_flattened_key_is_marked(engine: Engine) -> None:
    """Whatever key the table of flattened messages names is found, in a segment's bytes and in a span."""
    for row in csv.DictReader((DATA / "message_keys.csv").read_text("utf8").splitlines()):
        key = row["key"].replace(".N.", ".10.")
        assert steps.FLATTENED.search(key.encode()), key
        assert engine.value("select sightline_spread_key({key:String})", {"key": key}) == 1, key


def test_a_large_segment_goes_all_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left out of what is not searched."""
    monkeypatch.setattr(steps, "SMALL_BYTES", 0)
    (tmp_path / "segment").write_bytes(request({"a": "b"}).SerializeToString())
    assert steps.left_out(RARE, tmp_path / "segment") == set()


def test_other_signals_are_not_searched(tmp_path: Path) -> None:
    """A way without rare steps leaves nothing out and does not read its segment."""
    assert steps.left_out(("otlp_items", "spelled_logs"), tmp_path / "absent") == set()


def test_rows_are_equal_either_way(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out of a statement changes no column of any row."""
    bodies = [request(values) for values, _ in VALUES.values()] + [request({}, "gen_ai.user.message")]
    for number, body in enumerate(bodies):
        body.resource_spans[0].scope_spans[0].spans[0].name = f"span {number:02}"
        insert(engine, Signal.TRACES, [(body, 1)], tmp_path / "segment", batch=1)
    monkeypatch.setattr(steps, "SMALL_BYTES", 0)
    insert(engine, Signal.TRACES, [(body, 1) for body in bodies], tmp_path / "segment", batch=2)
    asked = "select * except (batch) from spans_v1 where batch = {batch:UInt64} order by name"
    alone, together = (engine.rows(asked, {"batch": batch}) for batch in (1, 2))
    assert len(alone) == len(bodies)
    assert alone == together


def test_the_ranks_of_flattened_keys_have_room_for_their_lists() -> None:
    """A rank has four bits for its list, of which 0 is none."""
    rows = csv.DictReader((DATA / "message_keys.csv").read_text("utf8").splitlines())
    assert len({row["list"] for row in rows}) < 16
