"""Writes parts of tables anew, and waits until what was there before is no longer on disk.

A mutation writes parts anew; the old parts lie on disk for some minutes more, against a power cut, and its
text lies beside them for a hundred mutations. While parts are rewritten here what is written anew is synced
instead, and both go when they are told to: by itself an engine looks for them ever more seldom.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

from sightline_collector.access.redaction import PLACEHOLDER
from sightline_collector.sql.catalog import quoted
from sightline_collector.store.engine import Engine, Row
from sightline_collector.store.mutations import mutate, of_servers, wait

GONE_S = 300.0
POLL_S = 0.2
NUDGE_S = 0.5
NUDGE_MAX_S = 12.0
"""What a question still reads stays: asked again ever more seldom."""

NO_PARTITION = "drop partition id 'none'"
"""Drops nothing, and with it whatever is old, before it returns. Merges of the table begin again."""
NO_ROW = "delete where 0 settings mutations_sync = 0"
"""For replicas, which the one does not tell: each looks for old parts when a mutation is done."""

AT_ONCE = {
    "old_parts_lifetime": 0,
    "min_rows_to_fsync_after_merge": 1,
    "min_compressed_bytes_to_fsync_after_merge": 1,
}
REPLICAS_AT_ONCE = {
    "cleanup_thread_preferred_points_per_iteration": 1,
    "cleanup_delay_period": 1,
    "cleanup_delay_period_random_add": 0,
    "max_cleanup_delay_period": 1,
}
"""By default a replica looks every five minutes, and earlier only for three hundred old parts."""

_TOLD = """
select distinct table from {mutations}
where database = {database:String} and position(command, {placeholder:String}) > 0
"""
_OLD = """
select table, name from {parts}
where database = {database:String} and not active and table in {tables:Array(String)}
"""
_UNFINISHED = """
select name from system.tables
where database = {database:String} and position(create_table_query, 'old_parts_lifetime') > 0
"""


class Rewriting:
    """The tables that are being rewritten. Made by `rewriting`."""

    def __init__(self, engine: Engine, pause: Callable[[float], None]) -> None:
        self._engine = engine
        self._pause = pause
        self._changed: dict[str, None] = {}
        self.left: list[str] = []
        """Tables that have something yet of what was rewritten."""
        self._at_once = AT_ONCE | (REPLICAS_AT_ONCE if engine.url.cluster else {})

    def say(self, changes: Mapping[str, str]) -> None:
        """A change for each table, such as `delete where …`: returns when all of them are done.

        Raises StoreRefused when they cannot be, StoreUnreachable.
        """
        for table in changes:
            self._let_old_parts_go(table)
        mutate(self._engine, changes, self._pause)

    def take_up(self, tables: Collection[str]) -> None:
        """Finishes what an earlier run has left: its mutations under way, and their texts."""
        stored = self._stored(tables)
        rows = self._rows(_TOLD, placeholder=PLACEHOLDER)
        left = [stored[str(row["table"])] for row in rows if row["table"] in stored]
        for table in left:
            self._let_old_parts_go(table)
        wait(self._engine, left, self._pause)

    def _let_old_parts_go(self, table: str) -> None:
        if table not in self._changed:
            settings = ", ".join(f"{name} = {value}" for name, value in self._at_once.items())
            self._engine.command(f"alter table {table} modify setting {settings}")
            self._changed[table] = None

    def wait_until_gone(self) -> None:
        """Until what held the rows, and told of them, is gone from the disk; for a while only: tables that
        have it then are `left`."""
        old = self._old_parts()
        now_s = time.monotonic()
        give_up_s, nudge_s, again_s = now_s + GONE_S, now_s, NUDGE_S
        while self._look(old) and now_s < give_up_s:
            if now_s >= nudge_s:
                self._nudge(self.left)
                nudge_s, again_s = now_s + again_s, min(2 * again_s, NUDGE_MAX_S)
            self._pause(POLL_S)
            now_s = time.monotonic()

    def _look(self, old: set[tuple[str, str]]) -> list[str]:
        self.left = sorted({table for table, _ in old & self._old_parts()} | self._told())
        return self.left

    def _nudge(self, tables: list[str]) -> None:
        """Old parts go, and the texts of mutations that redacted something."""
        nothing = NO_ROW if self._engine.url.cluster else NO_PARTITION
        for table in tables:
            self._engine.command(
                "kill mutation where database = currentDatabase() and is_done"
                f" and table = {quoted(self._engine.stored(table))}"
                f" and position(command, {quoted(PLACEHOLDER)}) > 0"
            )
            self._engine.command(f"alter table {table} {nothing}")

    def reset(self) -> None:
        """Tables keep their old parts again, also those that a run left which was killed."""
        names = self._stored([*self._changed])
        left = {str(row["name"]).removesuffix("_local") for row in self._rows(_UNFINISHED)}
        for table in sorted({*names.values(), *left}):
            self._engine.command(f"alter table {table} reset setting {', '.join(self._at_once)}")

    def _told(self) -> set[str]:
        """Tables that have a mutation's text that names what it redacted."""
        stored = self._stored(self._changed)
        rows = self._rows(_TOLD, placeholder=PLACEHOLDER)
        return {stored[str(row["table"])] for row in rows if row["table"] in stored}

    def _old_parts(self) -> set[tuple[str, str]]:
        """Tables and names of parts that others have replaced."""
        stored = self._stored(self._changed)
        rows = self._rows(_OLD, tables=sorted(stored))
        return {(stored[str(row["table"])], str(row["name"])) for row in rows}

    def _stored(self, tables: Collection[str]) -> dict[str, str]:
        return {self._engine.stored(table): table for table in tables}

    def _rows(self, sql: str, **parameters: object) -> list[Row]:
        """On a cluster, of all of its servers."""
        for name in ("mutations", "parts"):
            sql = sql.replace(f"{{{name}}}", of_servers(self._engine, name))
        return self._engine.rows(sql, {"database": self._engine.database, **parameters})


def take_back(engine: Engine) -> None:
    """Settings that a run which was killed has left on tables. Raises StoreRefused, StoreUnreachable."""
    Rewriting(engine, time.sleep).reset()


@contextmanager
def rewriting(engine: Engine, pause: Callable[[float], None] = time.sleep) -> Iterator[Rewriting]:
    """Inside, tables are rewritten; afterwards nothing is left of what they held."""
    work = Rewriting(engine, pause)
    try:
        yield work
        work.wait_until_gone()
    finally:
        work.reset()
