"""`sightline dead-letter`, against a collector that has some."""

from __future__ import annotations

import json

import pytest
from collector.operate.conftest import LETTERS, Command
from collector.operate.logs import SPANS, traces
from collector_process import CollectorProcess
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sightline_collector.operate.readable import as_json
from sightline_collector.wal.segment import Signal


def names(sightline: Command) -> list[str]:
    """Of the dead letters there are, the oldest first."""
    _, out, _ = sightline("dead-letter", "list")
    return [word for word in out.split() if word.startswith("traces-")]


def test_list_says_what_and_why(sightline: Command) -> None:
    """A row has the request's signal, project, items, size, time and the engine's words with their code."""
    code, out, _ = sightline("dead-letter", "list")
    heading, _, first, *_, footer = out.splitlines()
    assert code == 0
    assert heading.split() == [
        "dead_letter", "signal", "project", "items", "size_bytes", "put_aside_at", "code", "why",
    ]  # fmt: skip
    assert first.split()[1:4] == ["traces", "default", str(SPANS)]
    assert first.endswith("2026-09-21 14:13:20 UTC  407   Decimal overflow")
    assert footer == f"{LETTERS} dead letters · {LETTERS * SPANS} items"


def test_show_prints_the_request(sightline: Command) -> None:
    """The request is OTLP/JSON with ids in hex, and says so when it is cut."""
    name = names(sightline)[0]
    code, out, _ = sightline("dead-letter", "show", name)
    span = json.loads(out)["resourceSpans"][0]["scopeSpans"][0]["spans"][1]
    assert (code, span["traceId"], span["spanId"]) == (0, f"{1:032x}", f"{1:016x}")
    _, cut, said = sightline("dead-letter", "show", name, "--characters", "100")
    assert out.startswith(cut[:-1])
    assert "more characters" in said


def test_json_is_the_request_but_for_ids() -> None:
    """What people read is protobuf's own JSON; only ids are in hex, as OTLP says."""
    body = traces(7)
    shown = json.loads(as_json(Signal.TRACES, body))
    own = MessageToDict(ExportTraceServiceRequest.FromString(body), use_integers_for_enums=True)
    for request in (shown, own):
        for span in request["resourceSpans"][0]["scopeSpans"][0]["spans"]:
            del span["traceId"], span["spanId"]
    assert shown == own


def test_replay_stores_it_and_removes_the_letter(sightline: Command, collector: CollectorProcess) -> None:
    """Sent through the door once more it is acknowledged, stored once, and no dead letter any longer."""
    name = names(sightline)[0]
    code, out, _ = sightline("dead-letter", "replay", name)
    assert (code, out) == (0, f"{name} was acknowledged again: {SPANS} items.\n")
    collector.flush()
    assert collector.ask(f"select count() as n from spans where trace_id = '{1:032x}'") == [{"n": SPANS}]
    assert name not in names(sightline)


def test_drop_asks_first(sightline: Command) -> None:
    """Without --yes nothing is dropped, and the items that would be gone are told."""
    before = names(sightline)
    code, _, said = sightline("dead-letter", "drop", before[-1])
    assert (code, names(sightline)) == (1, before)
    assert f"1 dead letters with {SPANS} items would be gone for good" in said
    assert "--yes" in said


def test_what_is_dropped_is_a_loss(sightline: Command, collector: CollectorProcess) -> None:
    """The letter goes, and its items stand in the collector's counter of losses with the reason."""
    last = names(sightline)[-1]
    code, _, _ = sightline("dead-letter", "drop", last, "--yes")
    assert (code, last in names(sightline)) == (0, False)
    counted = f'sightline_loss_items_total{{reason="dead_letter_given_up",signal="traces"}} {SPANS}.0'
    assert counted in collector.metrics()


def test_all_of_them_at_once(sightline: Command, collector: CollectorProcess) -> None:
    """--all takes each; afterwards the list says that there are none."""
    assert sightline("dead-letter", "replay", "--all")[0] == 0
    assert sightline("dead-letter", "list")[1].startswith("There are no dead letters. What still waits")
    collector.flush()
    numbers = ", ".join(f"'{number:032x}'" for number in range(1, LETTERS + 1))
    stored = f"select uniqExact(trace_id) as n from spans where trace_id in ({numbers})"
    assert collector.ask(stored) == [{"n": LETTERS - 1}]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("traces-1", "there is no dead letter of that name"),
        ("%2e%2e%2fwriter", "there is no dead letter of that name"),
        ("../wal/writer", "is not a collector's SQL port"),  # no such path is served
    ],
)
def test_a_name_that_is_none_is_told(sightline: Command, name: str, told: str) -> None:
    """A name that does not exist, or climbs out of the folder, finds nothing."""
    code, _, said = sightline("dead-letter", "show", name)
    assert code == 1
    assert told in said


def test_which_ones_must_be_said(sightline: Command) -> None:
    """Neither names nor --all, or both, is asked wrongly."""
    assert sightline("dead-letter", "replay")[0] == 1
    assert sightline("dead-letter", "drop", "x", "--all", "--yes")[0] == 1
