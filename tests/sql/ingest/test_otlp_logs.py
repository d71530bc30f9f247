"""What becomes of log records: their rows, and those that are feedback or tell of losses."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from otlp_requests import NOW_NS, WRITER, any_value, attributes, insert

from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal, varint

batches = itertools.count(1)
AT_NS = NOW_NS - 5_000_000_001
EVALUATION = "gen_ai.evaluation.result"
LOSS = "sightline.loss"
IN_NS = {
    "logs_v1": "received_at at observed_at",
    "feedback_v1": "received_at at",
    "losses_v1": "received_at at",
}


def request(*records: LogRecord, resource: Any = None, scope: Any = None) -> ExportLogsServiceRequest:
    """One request of one resource and one scope."""
    scope_logs = ScopeLogs(log_records=records)
    scope_logs.scope.name, scope_logs.scope.version = "a.scope", "1.2"
    scope_logs.scope.attributes.extend(attributes(scope or {}))
    resource_logs = ResourceLogs(scope_logs=[scope_logs])
    resource_logs.resource.attributes.extend(attributes(resource or {}))
    return ExportLogsServiceRequest(resource_logs=[resource_logs])


def record(values: Any = None, **fields: Any) -> LogRecord:
    """A record with a time, and the given fields."""
    return LogRecord(**{"time_unix_nano": AT_NS} | fields, attributes=attributes(values or {}))


def store(engine: Engine, tmp_path: Path, *records: LogRecord, **options: Any) -> int:
    """Insert records as one batch; its number. A row of logs_v1 has come of each record."""
    batch = next(batches)
    body = request(*records, **{k: options.pop(k) for k in ("resource", "scope") if k in options})
    insert(engine, Signal.LOGS, [(body, len(records))], tmp_path / "segment", batch=batch, **options)
    counted = "select count() from logs_v1 where batch = {batch:UInt64}"
    assert engine.value(counted, {"batch": batch}) == len(records)
    return batch


def rows(engine: Engine, table: str, batch: int, order: str = "at") -> list[dict[str, Any]]:
    """All columns of a batch's rows, times in ns."""
    times = ", ".join(f"toUnixTimestamp64Nano({column}) as {column}" for column in IN_NS[table].split())
    final = "final" if table == "feedback_v1" else ""
    return engine.rows(
        f"select * replace ({times}) from {table} {final} where batch = {{batch:UInt64}} order by {order}",
        {"batch": batch},
    )


PLAIN: dict[str, Any] = {
    "received_at": NOW_NS, "writer": WRITER, "project": "default", "at": AT_NS, "observed_at": NOW_NS,
    "trace_id": "", "span_id": "", "flags": 0, "severity_number": 0, "severity": "", "severity_text": "",
    "event_name": "", "service": "", "body": "", "body_type": "empty", "scope_name": "a.scope",
    "scope_version": "1.2", "attributes": {}, "attribute_types": {}, "resource_attributes": {},
    "resource_types": {}, "scope_attributes": {}, "dropped_attributes": 0, "notes": [],
}  # fmt: skip
"""The row of `record()`."""


def test_every_field_of_a_log_record_has_its_place(engine: Engine, tmp_path: Path) -> None:
    """Times to the nanosecond, ids as hex, severity as number, level and text, typed body and attributes."""
    full = record(
        {"n": 1, "tags": ["a"], "t": "x"}, observed_time_unix_nano=AT_NS + 9, severity_number=18,
        severity_text="ERROR2", trace_id=b"\xab" * 16, span_id=b"\xcd" * 8, flags=1, event_name="it.happened",
        body=any_value({"text": "hi", "n": [1, None]}), dropped_attributes_count=4,
    )  # fmt: skip
    resource = {"service.name": "shop", "worker": 7}
    batch = store(engine, tmp_path, full, resource=resource, scope={"s": True}, project="team-a")
    assert rows(engine, "logs_v1", batch) == [
        PLAIN | {
            "batch": batch, "project": "team-a", "observed_at": AT_NS + 9, "trace_id": "ab" * 16,
            "span_id": "cd" * 8, "flags": 1, "severity_number": 18, "severity": "error",
            "severity_text": "ERROR2", "event_name": "it.happened", "service": "shop",
            "body": '{"text":"hi","n":[1,null]}', "body_type": "map",
            "attributes": {"n": "1", "tags": '["a"]', "t": "x"},
            "attribute_types": {"n": "int", "tags": "array"},
            "resource_attributes": {"service.name": "shop", "worker": "7"},
            "resource_types": {"worker": "int"}, "scope_attributes": {"s": "true"}, "dropped_attributes": 4,
        }
    ]  # fmt: skip
    assert rows(engine, "feedback_v1", batch) == []
    assert rows(engine, "losses_v1", batch) == []


ODD: dict[str, tuple[LogRecord, dict[str, Any]]] = {
    "nothing but a time": (record(), {}),
    "an empty text": (record(body=any_value("")), {"body_type": "string"}),
    "a body of zero": (record(body=any_value(0)), {"body": "0", "body_type": "int"}),
    "a body of bytes": (record(body=any_value(b"\xff")), {"body": "/w==", "body_type": "bytes"}),
    "no time, but seen at one": (
        LogRecord(observed_time_unix_nano=AT_NS), {"observed_at": AT_NS}),
    "no time at all": (LogRecord(), {"at": NOW_NS, "notes": ["time_out_of_range"]}),
    "the last time there is": (
        LogRecord(time_unix_nano=2**64 - 1), {"at": NOW_NS, "notes": ["time_out_of_range"]}),
    "ids of a wrong length": (
        record(trace_id=b"\1" * 17, span_id=b"\2"),
        {"trace_id": "01" * 17, "span_id": "02", "notes": ["trace_id_length", "span_id_length"]}),
    "the lowest severity": (record(severity_number=1), {"severity_number": 1, "severity": "trace"}),
    "the highest severity": (record(severity_number=24), {"severity_number": 24, "severity": "fatal"}),
    "the event's former name": (
        record({"event.name": "old"}), {"event_name": "old", "attributes": {"event.name": "old"}}),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_odd_records_are_stored_within_bounds_and_noted(engine: Engine, tmp_path: Path, case: str) -> None:
    """What is absent stays absent, and what cannot be true is replaced and said."""
    given, expected = ODD[case]
    batch = store(engine, tmp_path, given)
    assert rows(engine, "logs_v1", batch) == [PLAIN | {"batch": batch} | expected]


def test_a_severity_beyond_the_scale_is_none(engine: Engine, tmp_path: Path) -> None:
    """An enum may be any 64-bit integer on the wire: 300 and -1 are no severity."""
    for number in (300, 2**64 - 1):
        odd = record().SerializeToString() + b"\x10" + varint(number)
        scope = b"\x12" + varint(len(odd)) + odd
        resource = b"\x12" + varint(len(scope)) + scope
        body = b"\x0a" + varint(len(resource)) + resource
        batch = next(batches)
        insert(engine, Signal.LOGS, [(body, 1)], tmp_path / "segment", batch=batch)
        (row,) = rows(engine, "logs_v1", batch)
        assert row == PLAIN | {"batch": batch, "scope_name": "", "scope_version": ""}


JUDGEMENT: dict[str, Any] = {
    "received_at": NOW_NS, "writer": WRITER, "project": "default", "at": AT_NS, "trace_id": "ab" * 16,
    "span_id": "cd" * 8, "response_id": "", "session_id": "", "user_id": "", "service": "", "feature": "",
    "source": "", "kind": "comment", "name": "", "score": None, "label": "", "comment": "",
    "correction": "", "error_type": "",
}  # fmt: skip


def judgement(values: Any, **fields: Any) -> LogRecord:
    """An evaluation event of one span."""
    named = {"event_name": EVALUATION, "trace_id": b"\xab" * 16, "span_id": b"\xcd" * 8}
    return record(values, **named | fields)


def test_an_evaluation_event_is_feedback(engine: Engine, tmp_path: Path) -> None:
    """Every column of feedback comes from an attribute of the contract."""
    given = judgement({
        "sightline.feedback.id": "f1", "sightline.feedback.source": "annotator",
        "sightline.feedback.kind": "correction", "sightline.feedback.correction": "12 EUR",
        "gen_ai.evaluation.name": "accuracy", "gen_ai.evaluation.score.value": 0.25,
        "gen_ai.evaluation.score.label": "poor", "gen_ai.evaluation.explanation": "wrong price",
        "gen_ai.response.id": "r1", "user.id": "u1", "session.id": "s1", "sightline.feature": "support",
        "error.type": "timeout",
    })  # fmt: skip
    batch = store(engine, tmp_path, given, resource={"service.name": "shop"}, project="team-a")
    assert rows(engine, "feedback_v1", batch) == [
        JUDGEMENT | {
            "batch": batch, "project": "team-a", "feedback_id": "f1", "source": "annotator",
            "kind": "correction", "correction": "12 EUR", "name": "accuracy", "score": 0.25, "label": "poor",
            "comment": "wrong price", "response_id": "r1", "user_id": "u1", "session_id": "s1",
            "feature": "support", "service": "shop", "error_type": "timeout",
        }
    ]  # fmt: skip


FOREIGN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a thumb": (
        {"gen_ai.evaluation.name": "user_feedback", "gen_ai.evaluation.score.value": 1.0,
         "gen_ai.evaluation.score.label": "up"},
        {"name": "user_feedback", "source": "user", "kind": "thumbs", "score": 1.0, "label": "up"}),
    "a score that is an int": (
        {"gen_ai.evaluation.name": "toxicity", "gen_ai.evaluation.score.value": 0},
        {"name": "toxicity", "kind": "score", "score": 0.0}),
    "a score that is no number": (
        {"gen_ai.evaluation.score.value": float("nan")}, {"kind": "comment"}),
    "a label": ({"gen_ai.evaluation.score.label": "pass"}, {"kind": "label", "label": "pass"}),
    "a comment": ({"gen_ai.evaluation.explanation": "meh"}, {"kind": "comment", "comment": "meh"}),
    "a correction": ({"sightline.feedback.correction": "x"}, {"kind": "correction", "correction": "x"}),
    "a conversation": ({"gen_ai.conversation.id": "c1"}, {"session_id": "c1"}),
    "a response": ({"gen_ai.response.id": "r1"}, {"response_id": "r1"}),
    "a failure": ({"error.type": "Timeout"}, {"kind": "error", "error_type": "Timeout"}),
    "a score in spite of a failure": (
        {"error.type": "Timeout", "gen_ai.evaluation.score.value": 0},
        {"kind": "score", "score": 0.0, "error_type": "Timeout"}),
}  # fmt: skip


@pytest.mark.parametrize("case", FOREIGN)
def test_what_the_sender_does_not_say_is_told_from_what_there_is(
    engine: Engine, tmp_path: Path, case: str
) -> None:
    """The kind follows from what was given; the source stays empty unless it is user feedback."""
    values, expected = FOREIGN[case]
    batch = store(engine, tmp_path, judgement(values))
    (row,) = rows(engine, "feedback_v1", batch)
    assert len(row.pop("feedback_id")) == 32
    assert row == JUDGEMENT | {"batch": batch} | expected


def test_an_older_event_name_attribute_makes_feedback_too(engine: Engine, tmp_path: Path) -> None:
    """Before log records had an event name, it was the attribute event.name."""
    values = {"event.name": EVALUATION, "sightline.feedback.id": "older"}
    batch = store(engine, tmp_path, record(values))
    assert [row["feedback_id"] for row in rows(engine, "feedback_v1", batch)] == ["older"]


def test_feedback_sent_again_under_its_id_replaces_the_former(engine: Engine, tmp_path: Path) -> None:
    """The latest judgement counts, whichever arrives last, and another project's same id is another's."""
    for label, at_ns, project in (("up", 1, "p1"), ("down", 3, "p1"), ("late", 2, "p1"), ("up", 0, "p2")):
        values = {"sightline.feedback.id": "same", "gen_ai.evaluation.score.label": label}
        again = judgement(values, time_unix_nano=AT_NS + at_ns)
        store(engine, tmp_path, again, project=project)
    found = engine.rows(
        "select project, label from feedback_v1 final where feedback_id = 'same' order by all"
    )
    assert found == [{"project": "p1", "label": "down"}, {"project": "p2", "label": "up"}]


def test_feedback_without_an_id_is_counted_once_however_often_it_is_sent(
    engine: Engine, tmp_path: Path
) -> None:
    """The same event has the same hash; one that differs in anything that matters has another."""
    values = {"gen_ai.evaluation.name": "hashed", "user.id": "u1"}
    for _ in range(2):
        store(engine, tmp_path, judgement(values))
    store(engine, tmp_path, judgement(values | {"user.id": "u2"}))
    store(engine, tmp_path, judgement(values, time_unix_nano=AT_NS + 1))
    assert engine.value("select count() from feedback_v1 final where name = 'hashed'") == 3


def test_a_loss_report_is_counted(engine: Engine, tmp_path: Path) -> None:
    """How many items of which signal were lost, where and why."""
    told = {
        "sightline.loss.items": 7,
        "sightline.loss.signal": "traces",
        "sightline.loss.reason": "queue_full",
    }
    records = [
        record(told | {"sightline.loss.where": "collector"}, event_name=LOSS),
        record(told, event_name=LOSS, time_unix_nano=AT_NS + 1),
        record({}, event_name=LOSS, time_unix_nano=AT_NS + 2),
        record({"sightline.loss.items": 2**62}, event_name=LOSS, time_unix_nano=AT_NS + 3),
        record({"sightline.loss.items": -1}, event_name=LOSS, time_unix_nano=AT_NS + 4),
    ]
    batch = store(engine, tmp_path, *records, resource={"service.name": "shop"})
    frame = {"received_at": NOW_NS, "batch": batch, "writer": WRITER, "project": "default", "service": "shop"}
    known = {"signal": "traces", "reason": "queue_full", "items": 7}
    unknown = {"place": "sender", "signal": "", "reason": "", "items": 1}
    assert rows(engine, "losses_v1", batch) == [
        frame | known | {"at": AT_NS, "place": "collector"},
        frame | known | {"at": AT_NS + 1, "place": "sender"},
        frame | unknown | {"at": AT_NS + 2},
        frame | unknown | {"at": AT_NS + 3},
        frame | unknown | {"at": AT_NS + 4},
    ]


def test_the_readable_view_has_the_columns_of_the_exporter(engine: Engine, tmp_path: Path) -> None:
    """Whoever reads otel_logs elsewhere reads otel_logs_view here."""
    given = record(
        {"k": 1}, severity_number=9, severity_text="INFO", body=any_value("hi"), trace_id=b"\xab" * 16,
        span_id=b"\xcd" * 8, flags=1, event_name="it",
    )  # fmt: skip
    store(engine, tmp_path, given, resource={"service.name": "viewed"}, scope={"s": 1})
    (row,) = engine.rows(
        "select * replace (toUnixTimestamp64Nano(Timestamp) as Timestamp, toUnixTimestamp(TimestampTime) as"
        " TimestampTime) from otel_logs_view where ServiceName = 'viewed'"
    )
    assert row == {
        "Timestamp": AT_NS, "TimestampTime": AT_NS // 10**9, "TraceId": "ab" * 16, "SpanId": "cd" * 8,
        "TraceFlags": 1, "SeverityText": "INFO", "SeverityNumber": 9, "ServiceName": "viewed", "Body": "hi",
        "ResourceSchemaUrl": "", "ResourceAttributes": {"service.name": "viewed"}, "ScopeSchemaUrl": "",
        "ScopeName": "a.scope", "ScopeVersion": "1.2", "ScopeAttributes": {"s": "1"},
        "LogAttributes": {"k": "1"}, "EventName": "it", "project": "default",
    }  # fmt: skip
