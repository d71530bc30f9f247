"""What is said to a cluster instead of to one server."""

from __future__ import annotations

import re

import pytest

from sightline_collector.cli import main
from sightline_collector.commands.schema import statements
from sightline_collector.sql.catalog import DERIVED, Catalog, quoted
from sightline_collector.sql.cluster import SHARDED, clustered
from sightline_collector.store.engine import Engine

SAID = list(statements("llm", "prod"))
TABLES = Catalog("llm").relations("tables")
DERIVED_COUNT = sum(len(Catalog("llm").relations(folder)) for folder in DERIVED)


def one(statement: str) -> list[str]:
    """What a statement becomes."""
    return list(clustered(statement, "prod", "llm"))


def test_a_table_that_grows_lies_on_shards_and_is_read_over_all() -> None:
    """Its rows are in a replicated table of each shard, its name is the Distributed table over them."""
    made = "create table if not exists spans_v1 (trace_id String)\nengine = MergeTree\norder by trace_id"
    assert one(made) == [
        "create table if not exists spans_v1_local on cluster prod (trace_id String)\n"
        "engine = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')\n"
        "order by trace_id",
        "create table if not exists spans_v1 on cluster prod as spans_v1_local\n"
        "engine = Distributed(prod, llm, spans_v1_local, cityHash64(trace_id))",
    ]  # fmt: skip


def test_any_other_table_is_whole_on_every_server() -> None:
    """All servers are replicas of one table, so that what joins or looks up finds it beside itself."""
    assert one(
        "create table if not exists feedback_v1 (a Int8) engine = ReplacingMergeTree(at) order by a"
    ) == [
        "create table if not exists feedback_v1 on cluster prod (a Int8) "
        "engine = ReplicatedReplacingMergeTree("
        "'/clickhouse/tables/all/{database}/{table}', '{shard}-{replica}', at) order by a"
    ]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "delete from spans_v1 where batch = {batch:UInt64}",
            ["delete from spans_v1_local on cluster prod where batch = {batch:UInt64}"],
        ),
        ("delete from feedback_v1 where 1", ["delete from feedback_v1 where 1"]),
        (
            "alter table logs_v1 modify column body ttl at",
            ["alter table logs_v1_local on cluster prod modify column body ttl at"],
        ),
        (
            "alter table spans_v1 add column a Int8",
            [
                "alter table spans_v1_local on cluster prod add column a Int8",
                "alter table spans_v1 on cluster prod add column a Int8",
            ],
        ),
        (
            "alter table spans_v1\n    add column a Int8 comment 'ttl'",
            [
                "alter table spans_v1_local on cluster prod\n    add column a Int8 comment 'ttl'",
                "alter table spans_v1 on cluster prod\n    add column a Int8 comment 'ttl'",
            ],
        ),
        (
            "alter table feedback_v1 modify setting a = 1",
            ["alter table feedback_v1 on cluster prod modify setting a = 1"],
        ),
        ("rename table a to b", ["rename table a to b on cluster prod"]),
        ("truncate table dialects_v1", ["truncate table dialects_v1"]),
        ("create table r (a Int8) engine = Null", ["create table r on cluster prod (a Int8) engine = Null"]),
        (
            "create materialized view store_logs to logs_v1 as select 1",
            ["create materialized view store_logs on cluster prod to logs_v1 as select 1"],
        ),
        ("create or replace view v as select 1", ["create or replace view v on cluster prod as select 1"]),
        ("create function f as x -> x", ["create function f on cluster prod as x -> x"]),
        ("drop view if exists spans", ["drop view if exists spans on cluster prod sync"]),
        ("system reload dictionary llm.dialects", ["system reload dictionary on cluster prod llm.dialects"]),
        ("kill mutation where 1", ["kill mutation on cluster prod where 1"]),
        ("insert into schema_v1 values (1)", ["insert into schema_v1 values (1)"]),
    ],
)  # fmt: skip
def test_a_change_reaches_every_server_once(statement: str, said: list[str]) -> None:
    """A replicated table tells its replicas itself; of shards, settings, definitions each server is told."""
    assert one(statement) == said


def test_everything_of_the_schema_is_on_the_cluster() -> None:
    """No statement makes anything on one server alone, and every stored table is replicated."""
    assert [each[:80] for each in SAID if " on cluster prod" not in each] == []
    assert len(SAID) == 1 + len(TABLES) + len(SHARDED) + DERIVED_COUNT
    assert sum("engine = Replicated" in each for each in SAID) == len(TABLES)
    assert [each[:80] for each in SAID if re.search(r"engine = (Replacing)?MergeTree", each)] == []


def test_the_engine_parses_every_statement(engine: Engine) -> None:
    """Its own parser reads each and finds the cluster in it; nothing of it is run."""
    for each in SAID:
        spelled = str(engine.value(f"select formatQuerySingleLine({quoted(each)})"))
        assert "ON CLUSTER prod" in spelled, each[:200]


def test_the_sharding_keys_are_made_of_columns_and_never_random() -> None:
    """An insert that is tried again goes to the same shards."""
    bodies = {table.name: table.body for table in TABLES}
    for table, key in SHARDED.items():
        assert "rand" not in key
        for column in re.findall(r"\b[a-z_]+\b(?!\()", re.sub(r"'[^']*'", "", key)):
            assert re.search(rf"\b{column} ", Catalog("").render(bodies[table])), (table, column)


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    """`sightline schema --cluster NAME` prints what a collector would say, each with a semicolon."""
    assert main(["schema", "--cluster", "prod", "--database", "llm"]) == 0
    assert capsys.readouterr().out == "".join(f"{each};\n\n" for each in statements("llm", "prod"))
