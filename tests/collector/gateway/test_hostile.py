"""What a hostile reader tries after the plain attacks: texts that are read as columns, work without bound,
settings by another way, look-alikes, and words of SQL wherever a name or a label can stand."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from urllib.parse import quote

import pytest
from collector.gateway.serving import Port

from sightline_collector.store.engine import Engine

SECRET = "/etc/hostname"
DENIED, READONLY, SYNTAX = "ACCESS_DENIED", "READONLY", "SYNTAX_ERROR"
INJECTION = "x'; drop table spans_v1; --"
HIDDEN = f"a UInt8, b String ALIAS file('{SECRET}')"

GAPS = ["\t", "\n", "\r", "\f", "\v", "\xa0", "\u2003", "\u200b"]
WRITTEN_GAPS = ["\\t", "\\n", "\\r", "\\f", "\\v", "\\x09", "\\0"]

STRUCTURES = [
    "values('a UInt8, b String ALIAS file(\\'/etc/hostname\\')', 1)",
    "values('a UInt8, b String alias file(\\'/etc/hostname\\')', (1), (2))",
    "values('a UInt8, b String \\x41LIAS file(\\'/etc/hostname\\')', 1)",
    "values('a UInt8, b String/**/ALIAS/**/file(\\'/etc/hostname\\')', 1)",
    "values('a UInt8, b ALIAS file(\\'/etc/hostname\\')', 1)",
    "values('a UInt8, b String DEFAULT file(\\'/etc/hostname\\')', (1, ''))",
    "values('a UInt8, b String MATERIALIZED file(\\'/etc/hostname\\')', 1)",
    "values('a UInt8, b String EPHEMERAL file(\\'/etc/hostname\\')', 1)",
    "values('a UInt8, b String TTL toDate(file(\\'/etc/hostname\\'))', (1, ''))",
    "values('a AggregateFunction(groupBitmap, UInt32)', unhex('00'))",
    "values(concat('a UInt8, b String AL', 'IAS file(\\'/etc/hostname\\')'), 1)",
    "values((select 'a UInt8, b String ALIAS file(\\'/etc/hostname\\')'), 1)",
    f"values($${HIDDEN}$$, 1)",
    "values({hidden:String}, 1)",
    *(f"values('a UInt8, b String{gap}alias{gap}file(\\'/etc/hostname\\')', 1)" for gap in GAPS),
    *(f"values('a UInt8, b String{gap}alias{gap}file(\\'/etc/hostname\\')', 1)" for gap in WRITTEN_GAPS),
    "values('a UInt8, \"b\"alias(file(\\'/etc/hostname\\'))', 1)",
    "values('a UInt8,`b`alias(file(\\'/etc/hostname\\'))', 1)",
    "values('a Enum8(\\'(\\' = 1), b String alias file(\\'/etc/hostname\\')', 1)",
    "values('a UInt8, b String, c(file(\\'/etc/hostname\\'))', 1)",
]


@pytest.mark.parametrize("written", STRUCTURES)
@pytest.mark.parametrize("asked", ["select b from", "describe", "select 1 where 1 in (select b from"])
def test_a_text_that_is_read_as_columns_hides_no_expression(port: Port, asked: str, written: str) -> None:
    """The engine's tree does not show it, so the columns of values() may have names and types only."""
    sql = f"{asked} {written}" + ")" * asked.count("(")
    answer = port.ask(sql, param_hidden=HIDDEN)
    assert DENIED in answer.text
    assert Path(SECRET).read_text().strip() not in answer.text.replace(SECRET, "")


def test_a_structure_by_another_name_hides_no_expression(port: Port) -> None:
    """A common expression is no text that is written out."""
    assert DENIED in port.ask("with $$" + HIDDEN + "$$ as s select b from values(s, 1)").text


@pytest.mark.parametrize(
    ("sql", "answered"),
    [
        ("select * from values('a String, b UInt8', ('x', 1), ('y', 2))", "x\t1\ny\t2\n"),
        ("select * from values((1, 'alias'), (2, 'default'))", "1\talias\n2\tdefault\n"),
        ("select * from values('a', 'b')", "a\nb\n"),
        ("select * from values('a Enum8(\\'x\\' = 1), b Array(Tuple(c String))', ('x', []))", "x\t[]\n"),
    ],
)
def test_plain_values_are_answered(port: Port, sql: str, answered: str) -> None:
    """With columns of names and types, or with none."""
    assert port.ask(sql).text == answered


UNBOUNDED = [
    "printf('%2147483647d', 1)",
    "Printf('%2147483647d', 1)",
    "arrayMap(printf, ['%2147483647d'], [1])",
    "levenshteinDistance(repeat('a', 65000), repeat('b', 65000))",
    "editDistance(repeat('a', 65000), repeat('b', 65000))",
    "editDistanceUTF8(repeat('a', 65000), repeat('b', 65000))",
    "arrayLevenshteinDistance(range(65000), range(65000))",
    "damerauLevenshteinDistance(repeat('a', 65000), repeat('b', 65000))",
    "jaroSimilarity(repeat('a', 65000), repeat('b', 65000))",
    "jaroWinklerSimilarity(repeat('a', 65000), repeat('b', 65000))",
]


@pytest.mark.parametrize("called", UNBOUNDED)
def test_functions_without_a_bound_are_shut(port: Port, called: str) -> None:
    """They take gigabytes or minutes between two looks at the limits, or tell of the machine."""
    assert DENIED in port.ask(f"select {called}").text


TOO_MUCH = [
    ("select repeat('a', 1000000000)", 241),
    ("select randomString(1000000000)", 241),
    ("select format(repeat('{0}', 100000), repeat('a', 100000))", 241),
    ("select arrayMap(x -> repeat('a', 100000), range(100000))", 241),
    ("select arrayFold((acc, x) -> concat(acc, acc), range(60), 'a')", 241),
    ("select replaceRegexpAll(repeat('a', 1000000), 'a', repeat('b', 10000))", 241),
    ("select range(1000000000)", 69),
    ("select leftPad('a', 1000000000)", 131),
    ("select toFixedString('a', 2000000000)", 69),
    ("select arrayResize([1], 2000000000)", 128),
    ("select h3PolygonToCells([(0.,0.),(50.,0.),(50.,50.),(0.,50.)], 15)", 128),
    ("select multiMatchAny(repeat('a', 100), ['a{1000}{1000}'])", 447),
    ("with recursive t as (select 1 as n union all select n + 1 from t) select count() from t", 306),
    ("select * from numbers(100000000000) format Null", 396),
    ("select count() from numbers(1000000000000) settings max_execution_time = 0.2", 159),
    ("select count() from numbers(10000000) as a join numbers(10000000) as b using number", 241),
    ("select finalizeAggregation(CAST(unhex('ffffffff7f'), 'AggregateFunction(groupArray, String)'))", 0),
]


@pytest.mark.parametrize(("sql", "code"), TOO_MUCH)
def test_too_much_is_stopped_by_its_bound(port: Port, sql: str, code: int) -> None:
    """Of memory, time, rows or the function itself; the next statement is answered."""
    answer = port.ask(sql)
    assert answer.status_code >= 400
    assert f"Code: {code or ''}" in answer.text
    assert port.ask("select 1").text == "1\n"


def test_no_statement_took_more_memory_than_the_engine_has(port: Port) -> None:
    """After all of them: a bound that is only looked at afterwards would show."""
    assert port.ask("select 1").text == "1\n"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 3 << 20  # KiB


BY_ANOTHER_WAY = [
    "select 1 settings additional_table_filters = {'x.spans_v1': '1'}",
    "select 1 settings readonly = 0, max_memory_usage = 0",
    "select * from (select 1 settings max_threads = 100)",
    "with x as (select 1 settings max_result_rows = 0) select * from x",
    "select 1 settings profile = 'default'",
    "select 1 settings log_comment = 'x'",
    "select 1 settings custom_x = 'y'",
    "select 1 settings dialect = 'kusto'",
    "select 1 settings allow_ddl = 1",
    "select 1 settings max_block_size = 1000000000",
    "select 1 format Template settings format_template_resultset = '/etc/hostname'",
    "select 1 format Protobuf settings format_schema = '/etc/hostname:x'",
    "select 1 format CSV settings output_format_schema = '/tmp/sightline_attack'",
]


@pytest.mark.parametrize("sql", BY_ANOTHER_WAY)
def test_settings_that_lift_a_bound_or_name_a_file_are_refused(port: Port, sql: str) -> None:
    """In the middle of a statement, at its end, or by way of a format."""
    answer = port.ask(sql)
    assert (answer.status_code, READONLY in answer.text) == (403, True)
    assert not Path("/tmp/sightline_attack").exists()


ELSEWHERE = [
    "select/**/*/**/from/**/spans_v1",
    "select * from /* spans */ spans_v1 -- spans",
    "from spans_v1 select *",
    "with cost_by_model as (select * from spans_v1) select * from cost_by_model",
    "with (select groupArray(model) from spans_v1) as m select m",
    "select exists(select 1 from spans_v1)",
    "select if(0, (select count() from spans_v1), 1)",
    "select tupleElement((select tuple(*) from spans_v1 limit 1), 1)",
    "select max(1) over (partition by (select count() from spans_v1))",
    "select 1 limit (select count() from spans_v1)",
    "select * from spans global join spans_v1 using trace_id",
    "select * from spans array join (select groupArray(model) from spans_v1) as m",
    "select columns('.*') from spans_v1",
    "select * from `system.users`",
    "select * from SYSTEM.users",
    "select * from system . users",
    "describe (select * from spans_v1)",
    "explain query tree run_passes = 1 select * from spans_v1",
    "explain syntax oneline = 1 select * from system.users",
    "explain ast insert into spans_v1 select 1",
    "explain current transaction",
    "select * from merge(REGEXP('.*'), 'spans_v1')",
    "select * from generateRandom('a String alias file(\\'/etc/hostname\\')')",
    "select * from format(JSONEachRow, 'a String default file(\\'/etc/hostname\\')', '{}')",
    "select * from fileCluster('x', '/etc/hostname')",
    "select * from azureBlobStorage('x')",
    "select * from gcs('x')",
    "select * from prometheusQuery('x')",
    "select * from fuzzQuery('select 1')",
    "select addressToLine(1)",
    "select arrayMap(x -> (select count() from spans_v1), [1])",
    "select dictGetOrNull(toString('oth' || 'er.prices'), 'a', 1)",
    "select dictGet('told_texts', 'input', toUInt64(1))",
    "select dictHas(sightline.told_texts, toUInt64(1))",
    "select * from told_texts",
    "select sightline_told_texts('default', 't', 's', 'llm', '', '')",
    "show index from spans",
    "show full tables",
    "show access",
    "show tables from INFORMATION_SCHEMA",
]


@pytest.mark.parametrize("sql", ELSEWHERE)
def test_what_is_private_stays_so_in_odd_places(port: Port, sql: str) -> None:
    """Behind comments, names of views, subqueries in every clause, and functions nobody thinks of."""
    assert DENIED in port.ask(sql).text


LOOK_ALIKES = [
    "select \ufb01le('/etc/hostname')",
    "select f\u0131le('/etc/hostname')",
    "s\u00e9lect 1",
    "select 1\ufeff; drop table spans_v1",
    "select 1\u037e drop table spans_v1",
    "select 1\u2028; drop table spans_v1",
    "select 1 from infile '/etc/hostname'",
    "select 1 into outfile stdout",
    "load data infile '/etc/hostname' into table spans_v1",
    "copy spans_v1 to '/tmp/sightline_attack'",
    "table spans_v1",
]


@pytest.mark.parametrize("sql", LOOK_ALIKES)
def test_look_alikes_and_other_dialects_are_no_statements(port: Port, sql: str) -> None:
    """Letters, semicolons and words of other databases."""
    assert SYNTAX in port.ask(sql).text


@pytest.mark.parametrize(
    "where",
    [
        "database",
        "default_format",
        "session_timezone",
        "format_csv_delimiter",
        "max_threads",
        "final",
        "limit",
    ],
)
def test_sql_in_a_parameter_of_the_url_is_a_refusal(port: Port, engine: Engine, where: str) -> None:
    """Names, formats and settings are never pasted into a statement."""
    answer = port.ask("select 1", **{where: INJECTION})
    assert 400 <= answer.status_code < 500
    assert engine.rows(
        "select count() as n from system.tables where name = 'spans_v1' and database = currentDatabase()"
    ) == [{"n": 1}]


@pytest.mark.parametrize(
    "where",
    [
        "x-clickhouse-database",
        "x-clickhouse-format",
        "x-clickhouse-query-id",
        "x-clickhouse-user",
        "user-agent",
        "referer",
        "x-forwarded-for",
        "accept-encoding",
        "content-encoding",
        "cookie",
        "authorization",
    ],
)
def test_sql_in_a_header_does_nothing(port: Port, where: str) -> None:
    """It is refused, or ignored, and comes back in no header."""
    answer = port.client.post("/", content="select 1", headers={where: INJECTION})
    assert answer.status_code == 200 or 400 <= answer.status_code < 500
    assert INJECTION not in str(answer.headers)
    assert port.ask("select count() >= 0 from spans").text == "1\n"


def test_sql_in_a_parameter_of_a_statement_is_a_value(port: Port) -> None:
    """Whatever it holds, it is compared and not read."""
    for hostile in (INJECTION, "\\'", "' or 1 = 1 --", "{p:String}", "\\N", "\x00", "'||version()||'"):
        asked = port.ask("select {p:String} = 'no', length({p:String}) > 0", param_p=hostile)
        assert asked.text.startswith(("0\t", "\\N\t")) or asked.status_code == 400, (hostile, asked.text)


@pytest.mark.parametrize("field", ["project", "service", "feature", "model", "user_id", "id"])
def test_sql_in_a_budget_is_a_label(port: Port, engine: Engine, field: str) -> None:
    """Set, listed and removed like any other; nothing else has changed."""
    budget = {"limit_usd": "1", field: INJECTION}
    made = port.client.post("/api/budgets", json=budget)
    assert made.status_code in (201, 400), made.text
    if made.status_code == 201:
        listed = port.client.get("/api/budgets").json()["budgets"]
        assert [INJECTION in each.values() or INJECTION in str(each) for each in listed] == [True]
        path = f"/api/budgets/{quote(made.json()['id'])}"
        removed = port.client.delete(path, headers={"content-type": "application/json"})
        assert removed.status_code == 200, removed.text
    assert port.client.get("/api/budgets").json() == {"budgets": []}
    assert engine.rows("select count() as n from spans_v1") == [{"n": 0}]


HOSTILE_BODIES = [
    b"[" * 20_000,
    b'{"a":' * 20_000,
    b"\xff",
    b'{"limit_usd": 1e999999}',
    b'{"limit_usd": NaN}',
    b"null",
]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", f"/api/budgets/{INJECTION}"),
        ("DELETE", f"/api/prices/overrides/{INJECTION}"),
        ("GET", f"/api/alerts?rule={INJECTION}"),
        ("GET", f"/{INJECTION}"),
        ("POST", "/api/budgets"),
        ("POST", "/api/prices/overrides"),
        ("POST", "/api/prices/explain"),
        ("POST", "/api/prices/reprice"),
        ("POST", "/api/prices/import"),
        ("POST", "/api/alerts/test"),
    ],
)
@pytest.mark.parametrize(
    "body", [b"[" * 20_000, b'{"a":' * 20_000, b"\xff", b'{"limit_usd": 1e999999}', b"null"]
)
def test_hostile_bodies_are_the_senders_fault(port: Port, method: str, path: str, body: bytes) -> None:
    """Nested without end, no text, no object: an answer of 4xx that is JSON or text, never our failure."""
    headers = {"content-type": "application/json"}
    answer = port.client.request(method, path, content=body, headers=headers)
    assert answer.status_code < 500, answer.text
    if answer.headers["content-type"] == "application/json":
        assert json.loads(answer.content)
