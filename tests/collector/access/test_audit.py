"""What is written down of who read content, and that it is durable before anything is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from collector.access.keeping_keys import Kept, bearer
from collector.gateway.serving import Port, serving
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from otlp_requests import insert

from sightline_collector.access.audit import PROJECT, request
from sightline_collector.access.key import Scope
from sightline_collector.gateway.content import content_of
from sightline_collector.gateway.syntax import read_tree
from sightline_collector.store.engine import Engine
from sightline_collector.wal.segment import Signal, records

COLUMNS = {
    "spans": frozenset({"name", "input", "output", "events", "attributes", "cost_usd"}),
    "logs": frozenset({"body", "attributes", "at"}),
    "metrics": frozenset({"name", "attributes"}),
    "cost_by_model": frozenset({"model", "calls"}),
}
READS = {
    "select input from spans": "input of spans",
    "select s.output from spans as s where s.name = 'x'": "output of spans",
    "select name from spans where position(input, 'x') > 0": "input of spans",
    "select * from spans": "attributes, events, input, output of spans",
    "select * except (input) from spans": "attributes, events, input, output of spans",
    "select columns('in.*') from spans": "attributes, events, input, output of spans",
    "select count() from (select * from spans)": "attributes, events, input, output of spans",
    "select attributes['x'], events.name from spans": "attributes, events of spans",
    "with a as (select body from logs) select * from a": "attributes, body of logs",
    "select name, cost_usd from spans": "",
    "select count(*) from spans": "",
    "select * from metrics": "",
    "select * from cost_by_model": "",
    "select 'input' from spans": "",
}


@pytest.mark.parametrize("sql", READS)
def test_a_statement_reads_the_content_that_it_names(engine: Engine, sql: str) -> None:
    """Columns of content by their names, all of them for a *, none for a count."""
    tree = read_tree(engine.reads().text(f"explain ast {sql}"))
    assert content_of(tree, COLUMNS) == READS[sql]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audited")


@pytest.fixture(scope="module")
def port(engine: Engine, kept: Kept, folder: Path) -> Iterator[Port]:
    """A port that writes down who reads content."""
    with serving(engine, folder, gate=kept.gate, audited=True) as opened:
        yield opened


def written(folder: Path) -> list[dict[str, str]]:
    """What the log holds of acts, on disk at this moment."""
    acts = []
    for path in (folder / "wal").glob("logs-*"):
        content = path.read_bytes()
        for record in records(content):
            assert record.project == PROJECT
            logs = ExportLogsServiceRequest.FromString(bytes(record.body(content)))
            for pair in (scope.log_records[0].attributes for scope in logs.resource_logs[0].scope_logs):
                acts.append({one.key.rpartition(".")[2]: one.value.string_value for one in pair})
    return acts


def test_a_read_of_content_is_on_disk_with_its_answer(port: Port, kept: Kept, folder: Path) -> None:
    """Who read which columns of which view; a statement without content leaves nothing behind."""
    key, token = kept.add(Scope.READ)
    assert port.client.post("/", content="select name from spans", headers=bearer(token)).is_success
    assert port.client.post("/", content="select input from spans", headers=bearer(token)).is_success
    assert written(folder) == [
        {"act": "read_content", "key": key.id, "scope": "shop", "what": "input of spans", "outcome": "asked"}
    ]


def test_an_admins_act_is_on_disk_with_its_answer(port: Port, kept: Kept, folder: Path) -> None:
    """Method, path and status; who may not act is not an admin."""
    admin, token = kept.add(Scope.ADMIN, project="*")
    _, reader = kept.add(Scope.READ)
    before = written(folder)
    assert port.client.delete("/api/budgets/nothing", headers=bearer(reader) | JSON).status_code == 403
    assert port.client.delete("/api/budgets/nothing", headers=bearer(token) | JSON).status_code == 400
    (act,) = written(folder)[len(before) :]
    what = "DELETE /api/budgets/nothing"
    assert act == {"act": "admin", "key": admin.id, "scope": "*", "what": what, "outcome": "400"}


JSON = {"content-type": "application/json"}


def test_acts_come_into_the_store_and_nobody_can_forge_them(engine: Engine, tmp_path: Path) -> None:
    """What the collector wrote is a row of audit; the same record from a sender's project is none."""
    act = request(1_790_000_000_000_000_000, act="forget", key="", scope="*", what="w", outcome="erased")
    insert(engine, Signal.LOGS, [(act, 1)], tmp_path / "1", batch=1, project=PROJECT)
    insert(engine, Signal.LOGS, [(act, 1)], tmp_path / "2", batch=2, project="shop")
    rows = engine.rows("select act, key, scope, what, outcome from audit")
    assert rows == [{"act": "forget", "key": "", "scope": "*", "what": "w", "outcome": "erased"}]
