"""An erasure from a collector that runs: log, store, projections, dead letters, each byte of its folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from collector_process import CollectorProcess
from migrated_stores import MigratedFolder
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import NOW_NS, attributes

from sightline_collector.access.erasure import digest
from sightline_collector.access.redaction import NO_TRACE, Redaction
from sightline_collector.access.search import PART, SCHEMA, Needles, Searched, search
from sightline_collector.access.subject import Subject
from sightline_collector.access.unfinished import FOLDER
from sightline_collector.cli import main
from sightline_collector.wal.dead_letter import DeadLetters
from sightline_collector.wal.segment import Entry, Signal, frame, records

# The engine takes its time until old files are gone: a look every dozen seconds, more on a busy machine.
pytestmark = pytest.mark.timeout(400)

ANN, BOB = "ann-7f3a@shop.example", "bob-19c2@shop.example"
CAROL = 'Carol "Caz" O\'Neil'
"""Has no rows of her own: only Bob speaks of her."""
COUSIN = f"{ANN}.org"
"""Somebody else, whose id begins like Ann's."""
NUMBER = 90817263544
"""A user's id that is no text; of theirs there is a dead letter only."""
OF = {ANN: bytes.fromhex("a1" * 16), BOB: bytes.fromhex("b2" * 16)}
SUBJECT = Subject(ANN, traces=frozenset({OF[ANN].hex()}))


def conversation(*users: str) -> ExportTraceServiceRequest:
    """For each user a trace: a call that names them, and a child that names no one and quotes them."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for user in users:
        said = {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.id": f"resp_of_{OF[user].hex()[:8]}",
            "user.id": user,
        }
        scope.spans.add(
            trace_id=OF[user], span_id=b"parent..", name="chat", start_time_unix_nano=NOW_NS,
            end_time_unix_nano=NOW_NS + 1, attributes=attributes(said),
        )  # fmt: skip
        scope.spans.add(
            trace_id=OF[user], span_id=b"child...", parent_span_id=b"parent..", name="tool",
            start_time_unix_nano=NOW_NS, end_time_unix_nano=NOW_NS + 1,
            attributes=attributes({"input.value": f"I am {user}"}),
        )  # fmt: skip
    return request


def gossip() -> ExportTraceServiceRequest:
    """A call of Bob's that names the others wherever a span has text, and costs something."""
    request = ExportTraceServiceRequest()
    messages = [{"role": "user", "content": f"Ask {ANN}, {ANN} or {COUSIN}. {CAROL} knows."}]
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.input.messages": json.dumps(messages),
        "gen_ai.output.messages": json.dumps(messages),
        "user.id": BOB,
        "sightline.feature": f"call {ANN}",
        "http.url": f"https://shop.example/users/{quote(ANN, safe='')}/",
        f"of {CAROL}": [ANN, {CAROL: 1}],
        "traceparent": f"00-{OF[ANN].hex()}-{b'parent..'.hex()}-01",
    }
    span = request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=b"g" * 16, span_id=b"gossip..", name=f"GET /users/{ANN}", start_time_unix_nano=NOW_NS,
        end_time_unix_nano=NOW_NS + 1, attributes=attributes(said),
    )  # fmt: skip
    span.events.add(name=f"@{CAROL}", time_unix_nano=NOW_NS, attributes=attributes({"who": ANN}))
    span.links.add(trace_id=OF[ANN], span_id=b"parent..", attributes=attributes({"who": ANN}))
    span.status.message = f"{ANN} is not at home"
    return request


def hearsay() -> ExportLogsServiceRequest:
    """A comment of Bob's, and a line of his, on the others."""
    request = judgement(BOB)
    record, line = request.resource_logs[0].scope_logs[0].log_records
    record.attributes.extend(attributes({"gen_ai.evaluation.explanation": f"{CAROL} said so, not {ANN}"}))
    line.body.string_value = f"{ANN} ({CAROL}) called"
    line.attributes.extend(attributes({"user.id": BOB, "of": ANN}))
    return request


def judgement(user: str) -> ExportLogsServiceRequest:
    """A thumb of the user's, and a line that quotes them within their trace."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    named = {
        "gen_ai.evaluation.name": "user_feedback",
        "gen_ai.evaluation.score.label": "up",
        "user.id": user,
    }
    scope.log_records.add(
        time_unix_nano=NOW_NS,
        event_name="gen_ai.evaluation.result",
        trace_id=OF[user],
        attributes=attributes(named),
    )
    scope.log_records.add(time_unix_nano=NOW_NS, trace_id=OF[user]).body.string_value = f"{user} called"
    return request


def numbered() -> ExportLogsServiceRequest:
    """A line of a user whose id is a number."""
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.attributes.extend(attributes({"user.id": NUMBER}))
    return request


def refused_before(folder: Path) -> None:
    """Dead letters with what they said, as an earlier run has left them."""

    class Losses:
        def lost(self, signal: Signal, reason: str, items: int) -> None:
            raise AssertionError("nothing is lost")

    letters = DeadLetters(folder, Losses())
    for signal, request, items in (
        (Signal.TRACES, conversation(ANN, BOB), 4),
        (Signal.TRACES, gossip(), 1),
        (Signal.LOGS, numbered(), 1),
    ):
        body = request.SerializeToString()
        length, trailer = frame(Entry(body, items, "default", NOW_NS), 7, "5" * 32)
        framed = length + body + trailer
        letters.put(signal, framed, records(framed)[0], f"cannot read {CAROL}", 1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not in the data folder."""
    return tmp_path_factory.mktemp("beside") / "disk"


@pytest.fixture(scope="module")
def collector(
    tmp_path_factory: pytest.TempPathFactory, migrated: MigratedFolder, store: Path
) -> Iterator[CollectorProcess]:
    """A collector that holds what two users said, its store on another disk."""
    folder = tmp_path_factory.mktemp("forgetting") / "data"
    folder.mkdir()
    refused_before(folder / "dead-letter")
    migrated.copy(store / "store")
    with CollectorProcess(folder, "--store", f"chdb:{store}", "--data", str(folder)) as running:
        running.start()
        protobuf = {"content-type": "application/x-protobuf"}
        for path, body in (
            ("traces", conversation(ANN, BOB)),
            ("traces", gossip()),
            ("logs", judgement(ANN)),
            ("logs", hearsay()),
        ):
            sent = httpx.post(f"{running.otlp}/v1/{path}", content=body.SerializeToString(), headers=protobuf)
            assert sent.status_code == 200
        running.flush()
        yield running
        running.stop()


def holding(store: Path, subject: Subject) -> set[str]:
    """What of a subject is in a store's files: user, trace."""
    return {found.what for found in search(store, Needles(subject), Searched())}


def counts(collector: CollectorProcess, user: str) -> list[dict[str, Any]]:
    trace = OF[user].hex()
    return collector.ask(
        f"select (select count() from spans where trace_id = '{trace}') as spans,"
        f" (select count() from logs where trace_id = '{trace}') as logs,"
        f" (select count() from feedback where user_id = '{user}') as thumbs,"
        f" (select sum(calls) from cost_by_user where user_id = '{user}') as calls"
    )


def totals(collector: CollectorProcess) -> list[dict[str, Any]]:
    """What Bob's calls add up to, of rows and of roll-ups."""
    sums = "sum(calls), sum(cost_usd), sum(input_tokens) from"
    return [
        *collector.ask(f"select sum(cost_usd), sum(input_tokens) from spans where user_id = '{BOB}'"),
        *collector.ask(f"select {sums} cost_by_user where user_id = '{BOB}'"),
        *collector.ask(f"select {sums} cost_by_feature where feature != ''"),
    ]


def test_what_others_say_of_someone_is_left_unless_it_is_asked_for(
    collector: CollectorProcess, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The certificate is not complete, lists what holds the name, and says how to redact it."""
    assert main(["forget", "--user", CAROL, "--yes", "--url", collector.http]) == 1
    said = capsys.readouterr()
    certificate = json.loads(said.out)
    assert not certificate["complete"]
    found = certificate["search"]["found"]
    assert {one["what"] for one in found} == {"user"}
    assert {one["file"].startswith(f"{store}/store/") for one in found} == {True, False}
    assert "--redact-mentions" in certificate["mentions"]
    assert "--redact-mentions" in said.err


def test_a_forgotten_user_is_in_no_row_and_in_no_file(
    collector: CollectorProcess, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was found before is found nowhere after, nor where others name them; others keep everything else,
    totals and all; the certificate adds up."""
    folder = collector.folder
    added_up = totals(collector)
    before = counts(collector, BOB)
    assert before == [{"spans": 2, "logs": 2, "thumbs": 1, "calls": 2}]
    assert counts(collector, ANN) == [{"spans": 2, "logs": 2, "thumbs": 1, "calls": 1}]
    assert holding(store, SUBJECT) == {"user", "trace"}

    paper = tmp_path / "certificate.json"
    arguments = ["forget", "--user", ANN, "--certificate", str(paper), "--yes", "--url", collector.http]
    assert main([*arguments, "--redact-mentions", "--also", CAROL]) == 0
    assert "nothing is left" in capsys.readouterr().err

    assert counts(collector, ANN) == [{"spans": 0, "logs": 0, "thumbs": 0, "calls": 0}]
    assert counts(collector, BOB) == before
    assert totals(collector) == added_up
    redaction = Redaction([ANN, CAROL], SUBJECT.traces)
    assert {one.what for one in search(folder, Needles(SUBJECT, redaction), Searched(), store)} == {PART}
    assert holding(store, Subject(BOB, traces=frozenset({OF[BOB].hex()}))) == {"user", "trace"}
    certificate = json.loads(paper.read_text())
    erased = {table["table"]: table["erased"] for table in certificate["tables"] if table["erased"]}
    assert erased == {"spans_v1": 2, "logs_v1": 2, "feedback_v1": 1}
    assert certificate["mentions"]["rows"] == {"spans_v1": 1, "logs_v1": 2, "feedback_v1": 1}
    assert certificate["dead_letters"] == {"searched": 3, "changed": 3, "removed": 0, "items": 2}
    assert (certificate["complete"], certificate["traces"]) == (True, 1)
    assert {one["what"] for one in certificate["search"]["found"]} == {PART}
    assert certificate["sha256"] == digest(certificate)
    assert ANN not in paper.read_text()
    assert not any((folder / FOLDER).iterdir())


def test_what_others_said_stands_without_the_names(collector: CollectorProcess) -> None:
    """Wherever a span, a log record or a judgement has text: whoever only has a longer id is named still."""
    messages = f'[{{"role": "user", "content": "Ask [redacted], [redacted] or {COUSIN}. [redacted] knows."}}]'
    (span,) = collector.ask(
        "select name, feature, user_id, status_message, input, output, attributes['http.url'] as url,"
        " attributes['of [redacted]'] as list, attributes['traceparent'] as parent,"
        " events.name, events.attributes, links.trace_id, links.attributes from spans"
        " where span_id = lower(hex('gossip..'))"
    )
    assert span == {
        "name": "GET /users/[redacted]", "feature": "call [redacted]", "user_id": BOB,
        "status_message": "[redacted] is not at home", "input": messages, "output": messages,
        "url": "https://shop.example/users/[redacted]/", "list": '["[redacted]",{"[redacted]":1}]',
        "parent": f"00-{NO_TRACE}-{b'parent..'.hex()}-01",
        "events.name": ["@[redacted]"], "events.attributes": [{"who": "[redacted]"}],
        "links.trace_id": [NO_TRACE], "links.attributes": [{"who": "[redacted]"}],
    }  # fmt: skip
    (line,) = collector.ask("select body, attributes from logs where body != ''")
    assert line["body"] == "[redacted] ([redacted]) called"
    assert line["attributes"] == {"user.id": BOB, "of": "[redacted]"}
    (thumb,) = collector.ask("select comment from feedback")
    assert thumb["comment"] == "[redacted] said so, not [redacted]"


def test_an_erasure_is_written_down_by_its_hash(collector: CollectorProcess) -> None:
    """The audit says that it was, by a hash and not for whom; the letter that is left is the other's."""
    collector.flush()
    before, row = collector.ask("select act, scope, what, outcome from audit order by at")
    assert before["outcome"] == "incomplete"
    assert (row["act"], row["scope"], row["outcome"]) == ("forget", "*", "complete")
    assert f"subject {SUBJECT.digest}" in row["what"]
    letters = httpx.get(f"{collector.http}/api/dead-letters").json()["dead_letters"]
    assert {letter["why"] for letter in letters} == {"cannot read [redacted]"}
    kept, about_others = (
        httpx.get(f"{collector.http}/api/dead-letters/{letter['dead_letter']}").content
        for letter in sorted(letters, key=lambda letter: -letter["items"])
        if letter["signal"] == "traces"
    )
    assert ExportTraceServiceRequest.FromString(kept) == conversation(BOB)
    span = ExportTraceServiceRequest.FromString(about_others).resource_spans[0].scope_spans[0].spans[0]
    assert (span.name, span.links[0].trace_id) == ("GET /users/[redacted]", bytes(16))


def test_an_erasure_without_yes_is_none(
    collector: CollectorProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    """It asks once more, and says how."""
    assert main(["forget", "--user", BOB, "--url", collector.http]) == 1
    assert "--yes" in capsys.readouterr().err
    assert counts(collector, BOB)[0]["spans"] == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"user": ""}',
        b'{"user": 1}',
        b'{"user": "a", "session": 1}',
        b"{",
        b'{"user": "anna", "also": ["Ann Lee"]}',
        b'{"user": "ann", "redact_mentions": true}',
        b'{"user": "redact", "redact_mentions": true}',
        b'{"user": "anna", "redact_mentions": 1}',
    ],
)
def test_what_is_no_id_is_refused(collector: CollectorProcess, body: bytes) -> None:
    """400, and nothing is erased."""
    headers = {"content-type": "application/json"}
    assert httpx.post(f"{collector.http}/api/forget", content=body, headers=headers).status_code == 400


def test_who_is_in_no_table_is_certified_too(collector: CollectorProcess) -> None:
    """Nothing found and nothing left is a complete erasure; a dead letter of theirs goes, and what is left of
    one whose request somebody has removed."""
    gone = next((collector.folder / "dead-letter").glob("traces-*.otlp"))
    gone.unlink()
    said = httpx.post(f"{collector.http}/api/forget", json={"user": str(NUMBER)}, timeout=60).json()
    assert (said["complete"], said["traces"], sum(table["erased"] for table in said["tables"])) == (
        True,
        0,
        0,
    )
    assert said["dead_letters"] == {"searched": 3, "changed": 0, "removed": 2, "items": 1}
    assert not gone.with_suffix(".json").exists()


def test_who_is_called_as_a_word_of_the_schema_is_certified_too(
    collector: CollectorProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    """The engine keeps our statements, one of which says nobody: it is told, and the erasure is complete."""
    assert main(["forget", "--user", "nobody", "--yes", "--url", collector.http]) == 0
    said = capsys.readouterr()
    certificate = json.loads(said.out)
    assert certificate["complete"]
    assert {one["what"] for one in certificate["search"]["found"]} == {SCHEMA}
    assert "nothing is left" in said.err
