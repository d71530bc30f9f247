"""What people ask: the boundary is not in their way."""

from __future__ import annotations

import pytest
from collector.gateway.serving import Port

from sightline_collector.sql.catalog import Catalog

ORDINARY = [
    "select model, sum(cost_usd) from cost_by_model group by model order by 2 desc limit 3",
    "with t as (select model from cost_by_model) select count(), uniq(model) from t",
    "with recursive t as (select 1 as n union all select n + 1 from t where n < 3) select * from t",
    "select count() from cost_by_model where model in (select model from latency_by_model)",
    "select 1 in (1, 2), 1 in [1, 2], (1, 2) in ((1, 2)), 1 in (select 1)",
    "select quantileTDigestIf(0.5)(x, y > 1), sumMapOrNull(m), countDistinct(x), avgOrDefaultIf(x, 1)"
    " from (select 1 as x, 2 as y, map(1, 2) as m)",
    "select row_number() over w, lagInFrame(calls) over w from cost_by_model window w as (order by model)",
    "select * except(model) from cost_by_model",
    "select now() - interval 1 day, extract(year from now()), case 1 when 1 then 2 else 3 end, 1 ? 2 : 3,"
    " [1, 2][1], (1, 2).1, cast(1 as String), 1::UInt8, map('a', 1)['a'], 'x' || 'y', date '2020-01-01',"
    " arrayMap((x, y) -> x + y, [1], [2]), not 1, -1, 1 is null, 'a' like 'b', exists(select 1)",
    "select toStartOfHour(now()), dateDiff('day', now(), now()), JSONExtractString('{}', 'a')",
    "select untuple((1, 2)), tuple(1, 'x'), grouping(a) from (select 1 as a) group by rollup(a)",
    "select * from numbers(3) union all select * from generate_series(1, 3)",
    "select * from values('a Int8, b String', (1, 'x'))",
    "select * from view(select 1)",
    "select dictGetOrDefault('operations', 'operation', 'x', 'y')",
    "select a.model from cost_by_model as a any left join cost_by_user as b on a.calls = b.calls",
    "from cost_by_model select model limit 1 by model",
    "explain indexes = 1 select * from cost_by_model",
    "explain pipeline select * from cost_by_model",
    "describe cost_by_model",
    "exists view cost_by_model",
    "show tables like 'cost%'",
    "show create view cost_by_model",
    "show columns from cost_by_model",
    "select table_name from information_schema.tables limit 1",
    "/* a */ select -- b\n 1 /* ; */ ;",
    "select $$it's$$, '\\'', 'ü', '; drop table spans_v1'",
    "(select 1) union distinct (select 2)",
    'select 1 as `a b`, 2 as "c d", 3 as file_name',
]


@pytest.mark.parametrize("sql", ORDINARY)
def test_ordinary_questions_pass(port: Port, sql: str) -> None:
    """The boundary is not in the way of what people ask."""
    answer = port.ask(sql)
    assert answer.status_code == 200, answer.text


def test_show_tables_lists_the_views_and_nothing_else(port: Port) -> None:
    """What a reader may ask is listed, what is private is not; LIKE, FROM and LIMIT narrow the list."""
    views = sorted(relation.name for relation in Catalog("any").relations("views"))
    cost = [view for view in views if view.startswith("cost_")]
    database = port.ask("select currentDatabase()").text.strip()
    asked = {
        "show tables": views,
        f"show tables from {database}": views,
        f"show full tables in {database} ilike 'COST%'": None,
        f"show tables in {database} ilike 'COST%'": cost,
        "show tables like 'cost\\_%' limit 2": cost[:2],
        "show tables not like 'cost%'": [view for view in views if view not in cost],
        "show tables like 'it''s'": [],
    }
    for sql, names in asked.items():
        answer = port.ask(sql)
        assert (answer.text.split() if answer.status_code == 200 else None) == names, sql
    assert "one" in port.ask("show tables from system").text.split()


def test_the_spelling_keeps_a_statements_column_names(port: Port) -> None:
    """What is run is the engine's own spelling; the columns are called as in what was asked."""
    sql = "select 1 + 1, cast(1 as UInt8), count(*), sum( 1 ) as  s, 1::UInt8 format JSONCompact"
    names = [column["name"] for column in port.ask(sql).json()["meta"]]
    assert names == ["plus(1, 1)", "CAST(1, 'UInt8')", "count()", "s", "CAST('1', 'UInt8')"]
