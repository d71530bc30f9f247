"""What the boundary keeps out: each attack with the refusal it gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from collector.gateway.serving import Port

from sightline_collector.store.engine import Engine

SECRET = "/etc/hostname"
READONLY, DENIED = "READONLY", "ACCESS_DENIED"

WRITES = [
    "insert into spans_v1 (project) values ('x')",
    "insert into function file('/tmp/x', 'CSV', 'a Int8') values (1)",
    "create table t (a Int8) engine = Memory",
    "create temporary table t (a Int8)",
    "create view v as select 1",
    "create function f as x -> x",
    "drop table spans_v1",
    "drop view cost_by_model",
    "truncate table spans_v1",
    "alter table spans_v1 delete where 1",
    "alter table spans_v1 drop column model",
    "update spans_v1 set model = 'x' where 1",
    "delete from spans_v1 where 1",
    "rename table spans_v1 to x",
    "optimize table spans_v1",
    "attach table x",
    "detach table spans_v1",
    "exchange tables spans_v1 and dialects_v1",
    "system shutdown",
    "system flush logs",
    "system reload dictionaries",
    "kill query where 1",
    "set readonly = 0",
    "set max_threads = 1",
    "use system",
    "grant all on *.* to default",
    "create user x",
    "backup database default to File('/tmp/x')",
    "restore database default from File('/tmp/x')",
    "begin transaction",
    "move user x to y",
    "select 1 parallel with drop table spans_v1",
    "with x as (select 1) insert into spans_v1 (project) select 'x'",
    "select 1 into outfile '/tmp/sightline_attack'",
    "select 1 into outfile '/tmp/sightline_attack' truncate format CSV",
    "(select 1) into outfile '/tmp/sightline_attack'",
    "select 1 union all select 2 into outfile '/tmp/sightline_attack' and stdout",
    "explain select 1 into outfile '/tmp/sightline_attack'",
    "show tables into outfile '/tmp/sightline_attack'",
    "describe cost_by_model into outfile '/tmp/sightline_attack'",
    "select 1 /**/ into/**/outfile '/tmp/sightline_attack' format CSV settings max_threads = 1",
    "select 1 settings max_threads = 1 into outfile '/tmp/sightline_attack'",
]


@pytest.mark.parametrize("sql", WRITES)
def test_what_is_no_read_is_refused(port: Port, sql: str) -> None:
    """Statements that change, control or write a file are refused before they run."""
    answer = port.ask(sql)
    assert answer.status_code in (400, 403), answer.text
    assert READONLY in answer.text or "SYNTAX_ERROR" in answer.text
    assert not Path("/tmp/sightline_attack").exists()


SEVERAL = [
    "select 1; select 2",
    "select 1;drop table spans_v1",
    "select 1 -- \n; drop table spans_v1",
    "select 1 /* ; */ ; drop table spans_v1",
    "; drop table spans_v1",
    "select '\\''; drop table spans_v1",
    "select 1 format Null; drop table spans_v1",
    "select 1 \uff1b drop table spans_v1",
]


@pytest.mark.parametrize("sql", SEVERAL)
def test_several_statements_are_refused(port: Port, sql: str) -> None:
    """One request is one statement, whatever stands between them."""
    answer = port.ask(sql)
    assert answer.status_code == 400
    assert "SYNTAX_ERROR" in answer.text


FILES_AND_NETWORK = [
    f"select file('{SECRET}')",
    f"select FILE('{SECRET}')",
    f"select `file`('{SECRET}')",
    f"select /* x */ file /* y */ ('{SECRET}')",
    f"select arrayMap(file, ['{SECRET}'])",
    f"select arrayMap(x -> file(x), ['{SECRET}'])",
    f"with file as f select arrayMap(f, ['{SECRET}'])",
    f"with x -> file(x) as f select f('{SECRET}')",
    f"select * apply(file) from (select '{SECRET}')",
    f"select * apply(x -> file(x)) from (select '{SECRET}')",
    f"select columns('.*') apply file from (select '{SECRET}')",
    f"select t.* apply(file) from (select '{SECRET}') as t",
    f"select * replace(file(a) as a) from (select '{SECRET}' as a)",
    f"select (select file('{SECRET}'))",
    f"with (select file('{SECRET}')) as f select f",
    f"select 1 where 1 in (select length(file('{SECRET}')))",
    f"select 1 order by file('{SECRET}')",
    f"select 1 group by file('{SECRET}')",
    f"select 1 limit (select length(file('{SECRET}')))",
    f"select 1 limit 1 by file('{SECRET}')",
    f"select 1 having file('{SECRET}') = ''",
    f"select sum(1) over (partition by file('{SECRET}'))",
    f"select sum(1) over w window w as (order by file('{SECRET}'))",
    f"select 1 as a order by a with fill from length(file('{SECRET}'))",
    f"select 1 as a order by a with fill interpolate (b as file('{SECRET}'))",
    f"select * from (select 1) as a join (select 1) as b on file('{SECRET}') = ''",
    f"select 1 array join [file('{SECRET}')] as x",
    f"select 1 left array join [file('{SECRET}')] as x",
    f"select distinct on (file('{SECRET}')) 1",
    f"select 1 qualify file('{SECRET}') != ''",
    f"select model from cost_by_model prewhere file('{SECRET}') != ''",
    f"select 1 as a order by a with fill staleness length(file('{SECRET}'))",
    f"select 1 as a order by a with fill to 9 step length(file('{SECRET}'))",
    f"select 1 offset length(file('{SECRET}'))",
    f"select 1 as a order by a limit length(file('{SECRET}')) with ties",
    f"select 1 group by grouping sets ((file('{SECRET}')))",
    f"select 1 group by rollup(file('{SECRET}'))",
    f"select tuple(file('{SECRET}')).1, [file('{SECRET}')][1], map('a', file('{SECRET}'))['a']",
    f"select case file('{SECRET}') when '' then 1 end",
    f"select cast(file('{SECRET}') as String), file('{SECRET}')::String",
    f"select extract(year from file('{SECRET}')), interval file('{SECRET}') day",
    f"select 1 between file('{SECRET}') and 2, 'a' like file('{SECRET}')",
    f"select sum(1) over (order by 1 rows between length(file('{SECRET}')) preceding and current row)",
    f"with recursive t as (select file('{SECRET}') as n union all select n from t) select * from t",
    f"select 1 union all select file('{SECRET}')",
    f"select '' intersect select file('{SECRET}')",
    f"select '' except select file('{SECRET}')",
    f"select * from (from (select '{SECRET}' as p) select file(p))",
    f"select if(1, file('{SECRET}'), '')",
    f"select dictGetOrDefault('operations', 'operation', 'x', file('{SECRET}'))",
    f"select quantile(length(file('{SECRET}')))(1)",
    f"select count() filter (where file('{SECRET}') != '')",
    f"select * from values('a String', file('{SECRET}'))",
    f"select * from numbers(length(file('{SECRET}')))",
    f"select * from view(select file('{SECRET}'))",
    f"explain select file('{SECRET}')",
    f"explain syntax select file('{SECRET}')",
    f"explain query tree select file('{SECRET}')",
    f"describe (select file('{SECRET}'))",
    f"show tables where file('{SECRET}') != ''",
    f"show columns from cost_by_model where file('{SECRET}') != ''",
    f"select * from file('{SECRET}', 'LineAsString')",
    f"select * from File('{SECRET}')",
    f"describe file('{SECRET}', 'LineAsString')",
    "select * from filesystem('/etc')",
    "select * from url('http://127.0.0.1:1/', CSV, 'a Int8')",
    "describe url('http://127.0.0.1:1/')",
    "select * from s3('http://127.0.0.1:1/x', CSV, 'a Int8')",
    "select * from remote('127.0.0.1:1', system.one)",
    "select * from remote('127.0.0.1:1', view(select 1))",
    "select * from cluster('default', system.one)",
    "select * from mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "select * from postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "select * from mongodb('127.0.0.1:1', 'd', 't', 'u', 'p', 'a Int8')",
    "select * from redis('127.0.0.1:1', 'k', 'k String')",
    "select * from sqlite('/tmp/x', 't')",
    "select * from jdbc('x', 'y')",
    "select * from executable('x', CSV, 'a Int8')",
    "select * from python('x')",
    "select * from eval('select 1')",
    "select * from iceberg('http://127.0.0.1:1/')",
    "explain table override mysql('127.0.0.1:1', 'd', 't', 'u', 'p') columns (a Int8)",
    "select hasColumnInTable('127.0.0.1:1', 'u', 'p', 'd', 't', 'c')",
    "select aiGenerate('x', 'y')",
    "select evalMLMethod('x', 1)",
    "select joinGet('spans_v1', 'model', 1)",
    "select logTrace('x')",
    "select sleep(3)",
    "select sleepEachRow(3) from numbers(100)",
    "select getServerSetting('max_connections')",
    "select generateSerialID('x')",
    "select __getScalar('x')",
    "select dictGet('other.prices', 'a', 1)",
    "select dictGet(concat('other', '.prices'), 'a', 1)",
    "with 'other.prices' as d select dictGet(d, 'a', 1)",
    "select dictGet(other.prices, 'a', 1)",
    "select dictHas('other.prices' as d, 1)",
]  # fmt: skip


@pytest.mark.parametrize("sql", FILES_AND_NETWORK)
def test_files_and_other_machines_are_out_of_reach(port: Port, sql: str) -> None:
    """No function, table function or place in a statement reads a file, dials out or stalls."""
    answer = port.ask(sql)
    assert answer.status_code in (400, 403, 404), answer.text
    assert DENIED in answer.text or "SYNTAX_ERROR" in answer.text or "UNKNOWN_FUNCTION" in answer.text
    assert Path(SECRET).read_text() not in answer.text


PRIVATE = [
    "select * from spans_v1",
    "select * from `spans_v1`",
    'select * from "spans_v1" as s',
    "select * from test_attacks.spans_v1",
    "select * from {database}.spans_v1",
    "with spans_v1 as (select 1) select * from spans_v1",
    "with x as (select * from spans_v1) select * from x",
    "select (select count() from spans_v1)",
    "select 1 where 1 in spans_v1",
    "select 1 where 1 in (spans_v1)",
    "select 1 where 1 in {database}.spans_v1",
    "select 1 where 1 not in spans_v1",
    "select in(1, spans_v1)",
    "select globalNotIn(1, spans_v1)",
    "select nullIn(1, spans_v1)",
    "with spans_v1 as t select 1 in t",
    "with {database}.spans_v1 as t select 1 in t",
    "with (x -> x in spans_v1) as f select f(1)",
    "select arrayMap(x -> x in spans_v1, [1])",
    "select in(1, spans_v1 as t), 1 in t",
    "select 1 in (spans_v1 as t)",
    "with system.users as t select 1 in t",
    "select * from cost_by_model union all select * from spans_v1",
    "select * from cost_by_model except select * from spans_v1",
    "select * from cost_by_model as a join spans_v1 as b on 1",
    "select * from view(select * from spans_v1)",
    "from spans_v1",
    "describe spans_v1",
    "describe table {database}.spans_v1",
    "show create table spans_v1",
    "show create table {database}.spans_v1",
    "show columns from spans_v1",
    "show tables from default",
    "exists table spans_v1",
    "check table spans_v1",
    "explain select * from spans_v1",
    "explain settings select * from spans_v1",
    "select * from merge('{database}', '.*')",
    "select * from merge('.*')",
    "select * from loop(spans_v1)",
    "select * from dictionary('operations')",
    "select * from mergeTreeIndex({database}, spans_v1)",
    "select * from mergeTreeProjection({database}, spans_v1, usage_hourly)",
    "select * from viewIfPermitted(select * from spans_v1 else null('a Int8'))",
    "select * from viewExplain('EXPLAIN', '', (select * from spans_v1))",
    "select * from (explain select * from spans_v1)",
    "select * from default.x",
    "select * from `/etc/passwd`",
    "select * from '/etc/passwd'",
    "select * from default.`/etc/passwd`",
    "select * from system.parts",
    "select * from system.processes",
    "select * from system.users",
    "select * from system.server_settings",
    "select * from system.named_collections",
    "select * from system.stack_trace",
    "select * from `system`.`query_log`",
    "select 1 in system.users",
    "select * from information_schema.referential_constraints",
    "show processlist",
    "show grants",
    "show create user default",
    "show clusters",
    "show settings like 'x'",
    "show merges",
]


@pytest.mark.parametrize("sql", PRIVATE)
def test_only_views_and_a_few_system_tables_can_be_named(port: Port, engine: Engine, sql: str) -> None:
    """Private tables, other databases and the engine's state cannot be named, wherever a name can stand."""
    answer = port.ask(sql.replace("{database}", engine.database))
    assert answer.status_code in (400, 403), answer.text
    assert any(name in answer.text for name in (DENIED, READONLY, "SYNTAX_ERROR"))


def test_a_parameter_names_no_more_than_a_statement_may(port: Port) -> None:
    """Names given as parameters are judged like any other."""
    for table in ("spans_v1", "system.users", "file", "a\nb", "`spans_v1`"):
        answer = port.ask("select * from {t:Identifier}", param_t=table)
        assert answer.status_code in (400, 403, 404), table
    split = port.ask("select * from {d:Identifier}.{t:Identifier}", param_d="system", param_t="users")
    assert DENIED in split.text
    assert DENIED in port.ask("select 1 in {t:Identifier}", param_t="spans_v1").text


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 as `x\n   Function count (children 0)`",
        "select `a\nb` from (select 1 as `a\nb`)",
        "select 1 as `x) (children 5`",
        "select file('/etc/hostname') as `x\n ExpressionList`",
        "select dictGet('other.prices', 'a', 1) as `x) (children 1)\n     ExpressionList (children 1)`",
    ],
)
def test_names_cannot_forge_the_tree(port: Port, sql: str) -> None:
    """A name that would spoil the printed tree is refused."""
    assert DENIED in port.ask(sql).text


def test_no_column_of_a_view_has_a_private_name(engine: Engine) -> None:
    """Bare names of private relations are refused, so no column may need one."""
    views = names_of(engine, "engine = 'View'")
    private = names_of(engine, "engine != 'View'")
    columns = engine.rows(
        "select distinct name from system.columns"
        " where database = currentDatabase() and table in {views:Array(String)}",
        {"views": sorted(views)},
    )
    assert views
    assert private
    assert not {row["name"] for row in columns} & private


def names_of(engine: Engine, which: str) -> set[str]:
    """Relations of the store that are of a kind."""
    rows = engine.rows(f"select name from system.tables where database = currentDatabase() and {which}")
    return {row["name"] for row in rows}
