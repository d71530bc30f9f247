"""A reader of one project sees its rows and no others: the engine filters each stored table, before all else.

`additional_table_filters` reaches through views, joins and subqueries, and readonly=1 keeps a statement from
lifting it. By itself it is no boundary: the engine joins it with what a statement asks, may judge the
statement's condition first, and quotes what that fails on (toUInt8(input)) in its error. So the filter stays
a step of its own, and nothing of the statement goes before it into the reading of files.

A table is shut unless it has a project or is known to hold nobody's rows. What cannot be hidden so (plans and
counts of rows read, part names) is not answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from sightline_collector.sql.catalog import quoted
from sightline_collector.store.reads import Reads
from sightline_collector.wal.segment import PROJECT

APART = {
    "query_plan_merge_filters": "0",
    "query_plan_optimize_prewhere": "0",
    "optimize_move_to_prewhere": "0",
}
"""Keeps the filter before the statement's own conditions."""
UNCOUNTED = {"output_format_write_statistics": "0"}
"""The rows that were read are others', too."""

PUBLIC = ("dialects_v1", "message_keys_v1", "operations_v1", "price_")
"""What tables begin with that hold the same for everyone: names and prices."""
LABELLED = ("alert_events_v1",)
"""Their rows name their project among their labels, if they have one."""
NOTHING = "1 = 2"

OPEN = "in ({database}, 'system', 'information_schema', 'INFORMATION_SCHEMA')"
WORDS = """context in ('setting', 'table function', 'function', 'keyword', 'format', 'merge tree setting',
    'aggregate function combinator pair', 'table engine', 'data type')"""
EVERYONE = {
    # What else a server has is nobody's here.
    "system.databases": f"name {OPEN}",
    "system.tables": f"database {OPEN}",
    "system.columns": f"database {OPEN}",
    "system.dictionaries": "database = {database}",
    "system.completions": WORDS,
}
"""What every reader sees of the engine's own lists, by name."""
OF_ONE_PROJECT = {
    # Not the stored tables, of which the engine tells how many rows all projects have together.
    "system.tables": "(database = 'system' or engine = 'View')",
    "system.columns": "(database = 'system' or not match(table, '_v[0-9]+$'))",
}
"""What a reader of one project must see besides."""

_TABLES = """
select t.name, countIf(c.name = 'project') > 0
from system.tables as t left join system.columns as c on c.database = t.database and c.table = t.name
where t.database = {database:String} and t.engine not in ('View', 'MaterializedView', 'Dictionary', 'Null')
group by t.name order by t.name
"""


class Boundary:
    """The filters of one store's tables."""

    def __init__(self, reads: Reads, database: str) -> None:
        self._reads = reads
        self._database = database
        self._lists = {
            table: each.replace("{database}", quoted(database)) for table, each in EVERYONE.items()
        }
        self.of_all = _filtering(self._lists)
        """The engine's settings for a reader of all projects."""
        self.settings_of = lru_cache(maxsize=1024)(self._settings_of)

    def _settings_of(self, project: str) -> dict[str, str]:
        """The engine's settings for a reader of one project. Raises ValueError for what is none."""
        if not PROJECT.match(project):
            raise ValueError(f"{project[:80]!r} is no project")
        listed = self._reads.text(_TABLES, {"database": self._database})
        filters = self._lists | {
            table: f"{self._lists[table]} and {each}" for table, each in OF_ONE_PROJECT.items()
        }
        for line in listed.split("\n"):
            table, _, has_project = line.partition("\t")
            if not table.startswith(PUBLIC):
                filters[f"{self._database}.{table}"] = _filter(table, has_project == "1", project)
        return {**_filtering(filters), **APART, **UNCOUNTED}


def _filtering(filters: Mapping[str, str]) -> dict[str, str]:
    said = ", ".join(f"{quoted(table)}: {quoted(each)}" for table, each in filters.items())
    return {"additional_table_filters": f"{{{said}}}"}


def _filter(table: str, has_project: bool, project: str) -> str:
    if has_project:
        return f"project = {quoted(project)}"
    return f"labels['project'] = {quoted(project)}" if table in LABELLED else NOTHING
