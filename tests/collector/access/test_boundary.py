"""The boundary between projects on the SQL port: each attack on it, and that ordinary questions work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from collector.access.keeping_keys import Kept, bearer
from collector.gateway.serving import Port, serving

from sightline_collector.access.boundary import LABELLED, PUBLIC, Boundary
from sightline_collector.access.key import Scope
from sightline_collector.sql.catalog import Catalog
from sightline_collector.store.engine import Engine

AT = "2026-11-20 10:00:00"
SECRET = "7h3-53cr37"
"""What the other project's rows hold, in every column that can hold it."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """The keys of the module's port."""
    return Kept(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def port(engine: Engine, kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """A store with rows of two projects side by side, asked with a key of the project `own`."""
    fill(engine)
    _, token = kept.add(Scope.READ, project="own")
    with serving(engine, tmp_path_factory.mktemp("boundary"), gate=kept.gate) as opened:
        opened.client.headers.update(bearer(token))
        yield opened


def fill(engine: Engine) -> None:
    """One granule holds both projects' rows: what is read of the one is read of the other."""
    for project, said, count in (("own", "1", 1), (SECRET, SECRET, 40)):
        span = {
            "project": project, "started_at": AT, "received_at": AT, "name": said, "service": said,
            "operation": "llm", "model": said, "user_id": said, "session_id": said, "response_id": said,
            "input": said, "output": said, "feature": said, "status_message": said, "cost_usd": "1",
        }  # fmt: skip
        engine.insert(
            "spans_v1", [{**span, "trace_id": f"{said}{i}", "span_id": f"{i}"} for i in range(count)]
        )
        engine.insert("logs_v1", [{"project": project, "at": AT, "body": said, "service": said}] * count)
        judged = {"project": project, "at": AT, "comment": said, "kind": "score", "name": said, "score": 1}
        engine.insert("feedback_v1", [{**judged, "feedback_id": f"{said}{i}"} for i in range(count)])
        engine.insert(
            "losses_v1", [{"project": project, "at": AT, "service": said, "reason": said, "items": 1}]
        )
        event = {"event_id": said, "at": AT, "kind": "rule", "key": said, "labels": {"project": project}}
        engine.insert("alert_events_v1", [{**event, "state": "firing", "severity": "info", "notify": 0}])
        budget = {"id": said, "set_at": AT, "project": project, "per": "day", "limit_usd": 1}
        engine.insert("budgets_v1", [{**budget, "thresholds": [50], "notify": []}])
    engine.command("optimize table spans_v1 final")
    engine.command("optimize table logs_v1 final")


# Each is refused, or answered as if the other project's rows did not exist.
ATTACKS = [
    "select * from spans",
    "select project, count() from spans group by project with totals",
    f"select count() from spans where project = '{SECRET}'",
    f"select count() from spans where project in ('own', '{SECRET}')",
    "select project from spans union all select project from logs",
    "select project from spans union distinct select project from cost_by_model",
    "(select project from spans) except (select 'own')",
    "select * from (select * from (select * from spans))",
    "with all as (select * from spans) select * from all",
    "with recursive r as (select input from spans union all select input || '!' from r where input = '1')"
    " select * from r",
    "select (select groupArray(input) from spans)",
    "select * from numbers(2) where toString(number) not in (select input from spans)",
    "select a.input, b.input from spans as a cross join spans as b",
    "select b.input from spans as a right join spans as b on a.trace_id = b.trace_id",
    "select b.* from (select 1 as one) as a left join spans as b on 1 = 1",
    "select b.input from (select 1 as one) as a full join spans as b on toString(a.one) = b.input",
    "select b.input from spans as a any join otel_traces_view as c on 1 = 1 join spans as b on 1 = 1",
    "select * from spans where exists (select 1 from logs)",
    "select * from view(select * from spans)",
    "select * from otel_traces_view",
    "select * from otel_logs_view",
    "select * from otel_traces_view_trace_id_ts",
    "select * from logs",
    "select * from metrics",
    "select * from feedback",
    "select * from feedback_answers",
    "select * from feedback_summary",
    "select * from trace_summary",
    "select * from session_summary",
    "select * from recent_traces",
    "select * from cost_by_model",
    "select * from cost_by_user",
    "select * from cost_by_feature",
    "select * from cost_daily",
    "select * from usage_hourly",
    "select * from latency_by_model",
    "select * from error_rates",
    "select * from profile_metrics",
    "select * from drift_metrics",
    "select * from span_loss",
    "select * from alerts",
    "select * from alert_history",
    "select * from budget_limits",
    "select * from budget_status",
    "select * from unpriced_calls",
    "select sum(calls) from cost_by_model having throwIf(sum(calls) != 1) = 0",
    # The engine's own words, and whether there are any, would tell of rows that are judged before the filter.
    "select count() from spans where toUInt8(input) = 1",
    f"select count() from spans where throwIf(input = '{SECRET}') = 0",
    "select count() from spans where throwIf(project != 'own') = 0",
    "select count() from spans where project != 'own' and toUInt8(input) = 1",
    "select count() from spans where user_id = 'nobody' or toUInt8(input) = 1",
    "select count() from spans prewhere toUInt8(input) = 1",
    "select count() from spans where toUInt8(trace_id) >= 0",
    "select count() from spans where throwIf(trace_id > '2') = 0",
    "select count() from spans where throwIf(startsWith(trace_id, '7')) = 0",
    "select count() from (select toUInt8(input) as v from spans) where v = 1",
    "select count() from spans where toUInt8(input) in (select 1)",
    "select count() from spans as a join spans as b on a.trace_id = b.trace_id where toUInt8(b.input) = 1",
    "select count() from spans as a left join spans as b on a.trace_id = b.trace_id and toUInt8(b.input) = 1",
    "select count() from spans array join range(toUInt8(input)) as r where r < 9",
    "select toUInt8(input) as v, count() from spans group by v",
    "select input from spans order by toUInt8(input) limit 1",
    "select distinct toUInt8(input) from spans",
    "select max(toUInt8(input)) over () from spans",
    "select count() from logs where toUInt8(body) = 1",
    "select count() from feedback where toUInt8(comment) = 1",
    "select count() from otel_traces_view where toUInt8(SpanName) = 1",
    "select count() from trace_summary where toUInt8(input) = 1",
    "select count() from cost_by_model where toUInt8(model) = 1",
    "select count() from cost_by_user where toUInt8(user_id) = 1",
    "select count() from latency_by_model where toUInt8(model) = 1",
    # What the engine knows of its tables.
    "select * from spans_v1",
    "select * from budgets_v1",
    "select name, total_rows, total_bytes, create_table_query from system.tables where total_rows > 0",
    "select * from system.columns where data_compressed_bytes > 0",
    "select * from information_schema.tables where table_rows > 0",
    "select * from system.parts",
    "select * from system.query_log",
    "select * from system.processes",
    "select * from merge(currentDatabase(), 'spans')",
    "select * from merge('', '^spans_v1$')",
    "select * from mergeTreeIndex(currentDatabase(), spans_v1)",
    "select * from mergeTreeProjection(currentDatabase(), spans_v1, usage_by_user)",
    "select * from loop(spans)",
    "select * from remote('localhost', currentDatabase(), spans)",
    "select * from cluster('default', currentDatabase(), spans)",
    "select * from dictionary('price_models')",
    "select joinGet('spans_v1', 'input', 1)",
    "select hasColumnInTable(currentDatabase(), 'spans_v1', 'input')",
    "select getSetting('additional_table_filters')",
    "select * from system.settings where name = 'additional_table_filters'",
    "select * from spans settings additional_table_filters = ''",
    "select * from spans settings additional_table_filters = {}",
    "select * from (select * from spans settings additional_table_filters = {})",
    "select * from spans settings query_plan_merge_filters = 1",
    "select * from spans settings optimize_move_to_prewhere = 1",
    "set additional_table_filters = {}",
    "explain estimate select * from spans",
    "explain indexes = 1 select * from spans",
    "explain pipeline select * from spans",
    "explain query tree select * from spans",
    "explain ast select * from spans",
    "explain syntax select * from spans",
    "describe (select (select any(input) from spans) as x)",
    "show create table spans",
    "show tables",
    "exists spans_v1",
]  # fmt: skip


@pytest.mark.parametrize("sql", ATTACKS)
def test_no_question_shows_another_projects_rows(port: Port, sql: str) -> None:
    """Neither answer nor error holds a word of another project, and what is counted is one's own."""
    answer = port.ask(sql)
    said = answer.text + str(answer.headers)
    assert SECRET not in said.replace(sql, "").replace(f"'{SECRET}'", "")
    assert answer.status_code in (200, 400, 403, 404, 500), said
    # Refused by its words, before a row was read; never for a value that was met.
    for code in ("CANNOT_PARSE", "FUNCTION_THROW_IF", "ILLEGAL_TYPE", "TOO_"):
        assert code not in said


@pytest.mark.parametrize(
    ("sql", "own"),
    [
        ("select count(), sum(cost_usd) from spans", "1\t1"),
        ("select project, calls from cost_by_model", "own\t1"),
        ("select user_id, calls from cost_by_user", "1\t1"),
        ("select count() from logs", "1"),
        ("select count(), any(comment) from feedback", "1\t1"),
        ("select sum(items) from span_loss", "1"),
        ("select count(), any(key) from alerts", "1\t1"),
        ("select count(), any(project) from budget_limits", "1\town"),
        ("select count() > 100 from prices", "1"),
        ("select count() from spans where toUInt8(input) = 1", "1"),
        ("select count() from spans as a join spans as b on a.trace_id = b.trace_id", "1"),
        ("select count() from (select model from cost_by_model union all select model from spans)", "2"),
    ],
)
def test_ones_own_rows_are_answered(port: Port, sql: str, own: str) -> None:
    """A reader of one project works with the same views, and prices are everyone's."""
    assert port.ask(sql).text.strip() == own


def test_a_key_of_all_projects_sees_all(port: Port, kept: Kept) -> None:
    """Read with project * has no filter."""
    _, everyone = kept.add(Scope.READ, project="*")
    answer = port.client.post("/", content="select count() from spans", headers=bearer(everyone))
    assert answer.text.strip() == "41"


@pytest.mark.parametrize(
    "setting",
    [
        "additional_table_filters",
        "query_plan_merge_filters",
        "optimize_move_to_prewhere",
        "force_index_by_date",
    ],
)
def test_the_filter_cannot_be_lifted_by_the_url(port: Port, setting: str) -> None:
    """A setting of the boundary in the URL is refused."""
    assert port.ask("select count() from spans", **{setting: "{}"}).status_code == 403


# Each is answered without paths and other databases, or refused.
LISTS = [
    "select * from system.databases",
    "select * from system.tables as t where t.database = 'system' or 1",
    "select tables.data_paths, metadata_path, table from system.tables",
    "select d.data_path, d.database from numbers(1) as n, system.databases d",
    "select * from system.tables t join system.databases as d on t.database = d.name",
    "with x as (select * from system.databases) select * from x union all select * from system.databases",
    "select * from view(select data_path from system.databases) where data_path like '%system.databases%'",
    "select (select groupArray(data_path) from system.databases)",
    "select 1 in (select data_path like '/%' from system.databases)",
    "select * from `system`.`databases`",
    "select * from system.databases as databases, system.tables as `system.databases`",
    "explain syntax select * from system.databases",
    "select * from information_schema.schemata",
    "select * from information_schema.tables",
    "select * from system.dictionaries",
    "select * from system.completions where context in ('database', 'table', 'column')",
    "select * from system.build_options",
    "select name, value from system.settings",
    "show databases",
    "show create table spans",
]


@pytest.mark.parametrize("project", ["own", "*"])
def test_no_list_tells_where_the_store_lies(
    port: Port, kept: Kept, engine: Engine, engine_folder: Path, project: str
) -> None:
    """Neither the path of its folder, nor what else the engine holds, to readers of one project or of all."""
    _, token = kept.add(Scope.READ, project=project)
    engine.command("create database if not exists somebody_elses")
    for sql in LISTS:
        answer = port.client.post("/", content=sql, headers=bearer(token))
        assert answer.status_code == 200, (sql, answer.text)
        assert str(engine_folder.parent) not in answer.text, sql
        assert "somebody_elses" not in answer.text, sql
    engine.command("drop database somebody_elses")


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 in system.databases",
        "select ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h') in system.databases",
        "with system.tables as t select 1 in t",
        "select * from {of:Identifier}.databases",
        "select * from system.{list:Identifier}",
    ],
)
def test_a_list_is_read_by_its_name_or_not_at_all(port: Port, sql: str) -> None:
    """What could not be read without its paths is refused."""
    answer = port.ask(sql, param_of="system", param_list="databases")
    assert answer.status_code in (400, 403, 404), answer.text


def test_what_was_read_is_not_told(port: Port) -> None:
    """Neither the header nor the answer's statistics count the rows that were read on the way."""
    answer = port.ask("select count() from spans format JSON", output_format_write_statistics="1")
    assert "rows_read" not in answer.text
    assert '"read_rows": "0"' in answer.headers["x-clickhouse-summary"]


def test_every_stored_table_is_filtered_or_known_to_be_public(engine: Engine) -> None:
    """A table that somebody adds is shut to readers of one project until it has one, or is listed."""
    said = Boundary(engine.reads(), engine.database).settings_of("own")["additional_table_filters"]
    names = [relation.name for relation in Catalog(engine.database).relations("tables")]
    open_tables = {name for name in names if f"{engine.database}.{name}\\'" not in said.replace("':", "\\':")}
    assert open_tables == {name for name in names if name.startswith(PUBLIC)}
    assert set(LABELLED) <= set(names)


@pytest.mark.parametrize("project", ["", "a'b", "a\\", "x" * 65, "a b"])
def test_what_is_no_project_is_no_filter(engine: Engine, project: str) -> None:
    """Only what a project may be called gets into a filter."""
    with pytest.raises(ValueError, match="is no project"):
        Boundary(engine.reads(), engine.database).settings_of(project)


def test_what_records_tell_of_a_span_is_its_own_projects(engine: Engine, port: Port) -> None:
    """Of two projects' spans with the same ids a reader sees what records of its own tell, and no more."""
    told = {"at": AT, "trace_id": "told", "span_id": "told", "event_name": "gen_ai.user.message"}
    for project, said in (("own", "mine"), (SECRET, SECRET)):
        engine.insert("logs_v1", [{**told, "project": project, "body": f'{{"content": "{said}"}}'}])
    span = {"trace_id": "told", "span_id": "told", "operation": "llm", "started_at": AT}
    engine.insert("spans_v1", [{**span, "project": project} for project in ("own", SECRET)])
    asked = "select input, output from spans where trace_id = 'told' format TSV"
    assert port.ask(asked).text == '[{"role":"user","content": "mine"}]\t\n'
    assert port.ask(asked.replace("spans", "trace_summary")).text == '[{"role":"user","content": "mine"}]\t\n'
