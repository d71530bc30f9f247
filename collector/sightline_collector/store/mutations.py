"""Says changes of rows to tables, and waits until the engine has written their parts anew.

A mutation is taken at once and done later, part by part. One that fails is tried again for ever, and whatever
is said to its table afterwards waits behind it: so it is taken back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping

from sightline_collector.errors import StoreRefused
from sightline_collector.sql.catalog import quoted
from sightline_collector.store.engine import Engine

MUTATION_S = 3600.0
"""What is not done by then is taken back."""
POLL_S = 0.2

_UNDONE = """
select count() as undone, anyIf(latest_fail_reason, latest_fail_reason != '') as why from {mutations}
where database = {{database:String}} and not is_done and table in {{tables:Array(String)}}
"""


def mutate(engine: Engine, changes: Mapping[str, str], pause: Callable[[float], None] = time.sleep) -> None:
    """A change for each table, such as `delete where …`: returns when all of them are done.

    Raises StoreRefused when they cannot be, StoreUnreachable.
    """
    for table, change in changes.items():
        engine.command(f"alter table {table} {change} settings mutations_sync = 0")
    wait(engine, changes, pause)


def wait(engine: Engine, tables: Collection[str], pause: Callable[[float], None] = time.sleep) -> None:
    """Until no change of these tables is under way, on whichever server. Raises what `mutate` raises."""
    stored = sorted(map(engine.stored, tables))
    asked = {"database": engine.database, "tables": stored}
    sql = _UNDONE.format(mutations=of_servers(engine, "mutations"))
    give_up_s = time.monotonic() + MUTATION_S
    while (found := engine.rows(sql, asked)[0])["undone"]:
        if found["why"] or time.monotonic() > give_up_s:
            _take_back(engine, stored)
            why = found["why"] or "it took too long"
            raise StoreRefused(
                f"rows could not be rewritten ({why[:200]})", hint="free disk space, try again"
            )
        pause(POLL_S)


def of_servers(engine: Engine, name: str) -> str:
    """A system table: on a cluster that of all of its servers."""
    cluster = engine.url.cluster
    return f"clusterAllReplicas({cluster}, system.{name})" if cluster else f"system.{name}"


def _take_back(engine: Engine, stored: Collection[str]) -> None:
    for table in stored:
        engine.command(
            f"kill mutation where database = currentDatabase() and not is_done and table = {quoted(table)}"
        )
