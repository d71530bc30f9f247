"""Says to the store how long things are kept, when that is not what it does already."""

from __future__ import annotations

import structlog

from sightline_collector.operate.keeping import KEPT, Keep, changes
from sightline_collector.store.engine import Engine

STATEMENT = """
select create_table_query from system.tables where database = currentDatabase() and name = {table:String}
"""
SETTINGS = "settings materialize_ttl_after_modify = 1, mutations_sync = 0, alter_sync = 0"
"""What is there already is looked through in the background; the start does not wait for it."""

log = structlog.get_logger(__name__)


def keep_for(engine: Engine, content: Keep | None, rows: Keep | None) -> list[str]:
    """Content and rows go after their days (None: never). The tables that were changed. Raises a Fault."""
    changed = []
    for kept in KEPT:
        statement = str(engine.value(STATEMENT, {"table": engine.stored(kept.table)}))
        for action in changes(kept, statement, content, rows):
            engine.command(f"alter table {kept.table} {action} {SETTINGS}")
            changed.append(kept.table)
            log.info("retention changed", table=kept.table, action=action)
    return sorted(set(changed))
