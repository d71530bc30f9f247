"""Statements for one server, said to a cluster of them. Pure.

What grows with the traffic is cut into shards; the rest is small, and every server holds all of it, so that
dictionaries, joins and the loops of a collector read what lies beside them:

    spans_v1, logs_v1, metrics_v1    NAME_local on a shard (ReplicatedMergeTree), NAME over all (Distributed)
    any other table                  one ReplicatedMergeTree, whose replicas are all servers
    views, functions, dictionaries   the same on each server; so are Null tables, which keep nothing

A trace lies on one shard: a span, its corrections and what is said of it meet there. A key is never random:
an insert that is tried again goes where it went.

Needs {shard}, {replica}, {database} and {table} as macros of the servers, of which the last two are
always there, and `internal_replication` in the cluster's definition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SHARDED = {
    "spans_v1": "cityHash64(trace_id)",
    # Most logs and metrics belong to no trace.
    "logs_v1": "if(trace_id = '', cityHash64(project, service, at), cityHash64(trace_id))",
    "metrics_v1": "cityHash64(project, service, name)",
}
"""Tables that are cut into shards, and by what."""

READ_SETTINGS = {
    # A view that joins spans with spans: a shard asks for all rows of the other side, not for its own.
    "distributed_product_mode": "global",
    # A question goes to the replica that an insert went to: another may not have its rows yet.
    "load_balancing": "in_order",
}
"""How a cluster is asked, by a collector or by anybody else."""

WRITE_SETTINGS = {
    # By default a Distributed table answers when the rows lie on its own server's disk, and sends them later.
    "distributed_foreground_insert": 1,
    # Equal rows are not duplicates: that an insert is done once is seen by counting.
    "deduplicate_insert": "disable",
    # An insert that a majority of replicas has to confirm says before its client gives up that it waits.
    "insert_quorum_timeout": 40_000,
    # An ON CLUSTER statement is done when it is done everywhere.
    "distributed_ddl_task_timeout": 40,
}
"""How it is written to: an answered insert is where it belongs."""

LOCAL = "_local"
NAME = r"(?P<name>\w+)"
_ENGINE = re.compile(r"\bengine = (?P<kind>Replacing)?MergeTree(?:\((?P<version>\w+)\))?")
_CREATES = re.compile(
    rf"create (?:or replace )?(?:database|table|view|materialized view|function|dictionary)"
    rf"(?: if not exists)? {NAME}"
)
_ALTERS = re.compile(rf"(?:alter\s+table|delete\s+from|truncate\s+table)\s+{NAME}")
_DROPS = re.compile(rf"drop (?:table|view|database) if exists {NAME}")
_COLUMNS = re.compile(
    r"alter\s+table\s+\w+\s+(?:add|drop|rename|modify)\s+column\s(?!.*\b(?:ttl|remove)\b)", re.DOTALL
)
_SETTINGS = re.compile(r"alter\s+table\s+\w+\s+(?:modify|reset)\s+setting\s")
_TEXT = re.compile(r"'(?:[^'\\]|\\.|'')*'")


def clustered(statement: str, cluster: str, database: str) -> Iterator[str]:
    """What has to be said, in this order, so that the cluster does what one server would do."""
    if found := _CREATES.match(statement):
        if statement.startswith("create table") and _ENGINE.search(statement):
            yield from _table(statement, found, cluster, database)
        else:
            yield _everywhere(statement, found.end(), cluster)
    elif found := _ALTERS.match(statement):
        yield from _altered(statement, found, cluster)
    elif found := _DROPS.match(statement):
        yield f"{_everywhere(statement, found.end(), cluster)} sync"
    elif statement.startswith("rename table "):
        yield f"{statement} on cluster {cluster}"
    elif statement.startswith("system reload dictionary "):
        yield _everywhere(statement, len("system reload dictionary"), cluster)
    elif statement.startswith("kill mutation "):
        yield _everywhere(statement, len("kill mutation"), cluster)
    else:
        yield statement


def _everywhere(statement: str, at: int, cluster: str) -> str:
    return f"{statement[:at]} on cluster {cluster}{statement[at:]}"


def _table(statement: str, found: re.Match[str], cluster: str, database: str) -> Iterator[str]:
    name = found["name"]
    shard = SHARDED.get(name)
    group, replica = ("{shard}", "{replica}") if shard else ("all", "{shard}-{replica}")
    told = f"'/clickhouse/tables/{group}/{{database}}/{{table}}', '{replica}'"

    def replicated(engine: re.Match[str]) -> str:
        version = f", {engine['version']}" if engine["version"] else ""
        return f"engine = Replicated{engine['kind'] or ''}MergeTree({told}{version})"

    head = f"{statement[: found.end()]}{LOCAL if shard else ''} on cluster {cluster}"
    yield head + _ENGINE.sub(replicated, statement[found.end() :], count=1)
    if shard:
        yield (
            f"create table if not exists {name} on cluster {cluster} as {name}{LOCAL}\n"
            f"engine = Distributed({cluster}, {database}, {name}{LOCAL}, {shard})"
        )


def _altered(statement: str, found: re.Match[str], cluster: str) -> Iterator[str]:
    """Of a table that every server holds a change reaches all replicas by itself; settings are a replica's
    own."""
    name, end = found["name"], found.end()
    if name not in SHARDED:
        yield _everywhere(statement, end, cluster) if _SETTINGS.match(statement) else statement
        return
    yield f"{statement[:end]}{LOCAL} on cluster {cluster}{statement[end:]}"
    if _COLUMNS.match(_TEXT.sub("''", statement)):
        yield _everywhere(statement, end, cluster)
