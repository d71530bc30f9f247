"""An erasure from a collector that runs: log, store, projections, dead letters, each byte of its folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from collector_process import CollectorProcess
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp_requests import NOW_NS, attributes

from sightline_collector.access.erasure import digest
from sightline_collector.access.search import Needles, Searched, search
from sightline_collector.access.subject import Subject
from sightline_collector.cli import main
from sightline_collector.wal.dead_letter import DeadLetters
from sightline_collector.wal.segment import Entry, Signal, frame, records

# The engine takes its time until old files are gone: a look every dozen seconds, more on a busy machine.
pytestmark = pytest.mark.timeout(400)

ANN, BOB = "ann-7f3a@shop.example", "bob-19c2@shop.example"
OF = {ANN: bytes.fromhex("a1" * 16), BOB: bytes.fromhex("b2" * 16)}
SUBJECT = Subject(ANN, traces=frozenset({OF[ANN].hex()}))


def conversation(*users: str) -> ExportTraceServiceRequest:
    """For each user a trace: a call that names them, and a child that names no one and quotes them."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for user in users:
        said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "user.id": user}
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


def refused_before(folder: Path) -> None:
    """A dead letter with what both said, as an earlier run has left it."""

    class Losses:
        def lost(self, signal: Signal, reason: str, items: int) -> None:
            raise AssertionError("nothing is lost")

    length, trailer = frame(
        Entry(body := conversation(ANN, BOB).SerializeToString(), 4, "default", NOW_NS), 7, "5" * 32
    )
    framed = length + body + trailer
    DeadLetters(folder, Losses()).put(Signal.TRACES, framed, records(framed)[0], "why", 1)


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """A collector that holds what two users said."""
    folder = tmp_path_factory.mktemp("forgetting") / "data"
    folder.mkdir()
    refused_before(folder / "dead-letter")
    with CollectorProcess(folder) as running:
        running.start()
        protobuf = {"content-type": "application/x-protobuf"}
        for path, body in (
            ("traces", conversation(ANN, BOB)),
            ("logs", judgement(ANN)),
            ("logs", judgement(BOB)),
        ):
            sent = httpx.post(f"{running.otlp}/v1/{path}", content=body.SerializeToString(), headers=protobuf)
            assert sent.status_code == 200
        running.flush()
        yield running
        running.stop()


def holding(folder: Path, subject: Subject) -> set[str]:
    """What of a subject is in the folder's files: user, trace."""
    return {found.what for found in search(folder, Needles(subject), Searched())}


def counts(collector: CollectorProcess, user: str) -> list[dict[str, Any]]:
    trace = OF[user].hex()
    return collector.ask(
        f"select (select count() from spans where trace_id = '{trace}') as spans,"
        f" (select count() from logs where trace_id = '{trace}') as logs,"
        f" (select count() from feedback where user_id = '{user}') as thumbs,"
        f" (select sum(calls) from cost_by_user where user_id = '{user}') as calls"
    )


def test_a_forgotten_user_is_in_no_row_and_in_no_file(
    collector: CollectorProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was found before is found nowhere after; others keep everything; the certificate adds up."""
    folder = collector.folder
    before = counts(collector, BOB)
    assert before == [{"spans": 2, "logs": 2, "thumbs": 1, "calls": 1}] == counts(collector, ANN)
    assert holding(folder, SUBJECT) == {"user", "trace"}

    paper = tmp_path / "certificate.json"
    arguments = ["forget", "--user", ANN, "--certificate", str(paper), "--yes", "--url", collector.http]
    assert main(arguments) == 0
    assert "nothing is left" in capsys.readouterr().err

    assert counts(collector, ANN) == [{"spans": 0, "logs": 0, "thumbs": 0, "calls": 0}]
    assert counts(collector, BOB) == before
    assert holding(folder, SUBJECT) == set()
    assert holding(folder, Subject(BOB, traces=frozenset({OF[BOB].hex()}))) == {"user", "trace"}
    certificate = json.loads(paper.read_text())
    erased = {table["table"]: table["erased"] for table in certificate["tables"] if table["erased"]}
    assert erased == {"spans_v1": 2, "logs_v1": 2, "feedback_v1": 1}
    assert certificate["dead_letters"] == {"searched": 1, "changed": 1, "removed": 0, "items": 2}
    assert (certificate["complete"], certificate["traces"], certificate["search"]["found"]) == (True, 1, [])
    assert certificate["sha256"] == digest(certificate)
    assert ANN not in paper.read_text()


def test_an_erasure_is_written_down_by_its_hash(collector: CollectorProcess) -> None:
    """The audit says that it was, by a hash and not for whom; the letter that is left is the other's."""
    collector.flush()
    (row,) = collector.ask("select act, scope, what, outcome from audit")
    assert (row["act"], row["scope"], row["outcome"]) == ("forget", "*", "complete")
    assert f"subject {SUBJECT.digest}" in row["what"]
    (letter,) = httpx.get(f"{collector.http}/api/dead-letters").json()["dead_letters"]
    kept = httpx.get(f"{collector.http}/api/dead-letters/{letter['dead_letter']}").content
    assert ExportTraceServiceRequest.FromString(kept) == conversation(BOB)
    assert letter["items"] == 2


def test_an_erasure_without_yes_is_none(
    collector: CollectorProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    """It asks once more, and says how."""
    assert main(["forget", "--user", BOB, "--url", collector.http]) == 1
    assert "--yes" in capsys.readouterr().err
    assert counts(collector, BOB)[0]["spans"] == 2


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"user": ""}', b'{"user": 1}', b'{"user": "a", "session": 1}', b"{"]
)
def test_what_is_no_id_is_refused(collector: CollectorProcess, body: bytes) -> None:
    """400, and nothing is erased."""
    headers = {"content-type": "application/json"}
    assert httpx.post(f"{collector.http}/api/forget", content=body, headers=headers).status_code == 400


def test_who_is_not_there_is_certified_too(collector: CollectorProcess) -> None:
    """Nothing found and nothing left is a complete erasure."""
    said = httpx.post(f"{collector.http}/api/forget", json={"user": "nobody@shop.example"}, timeout=60).json()
    assert (said["complete"], said["traces"], sum(table["erased"] for table in said["tables"])) == (
        True,
        0,
        0,
    )
