"""How long the disk lasts at the pace of the last day, and whether anything is ever let go."""

from __future__ import annotations

import os

from sightline_collector.operate.finding import Finding, duration, graded, ok, size
from sightline_collector.operate.keeping import row_ttl
from sightline_collector.operate.retention import STATEMENT
from sightline_collector.store.engine import Engine

DAY_S = 86_400.0
DAYS_WARN, DAYS_FAIL = 30.0, 3.0
PACE_BYTES_MIN = 1e6
"""Less in a day says nothing: a merge of a young store moves more."""

STORED = """
select sum(rows) as rows, sum(bytes_on_disk) as bytes from system.parts
where database = currentDatabase() and table = {table:String} and active
"""
CAME = "select count() as spans from spans where started_at > now() - interval 1 day"


def growth(engine: Engine, limit_bytes: float = 0.0) -> Finding:
    """Of an embedded store, with its budget; others have disks of their own. Raises a Fault, OSError."""
    path = engine.url.path
    if path is None:
        return ok("growth", "the server's own disks are not looked at")
    held = engine.rows(STORED, {"table": "spans_v1"})[0]
    rows, held_bytes = int(held["rows"] or 0), int(held["bytes"] or 0)
    came = int(engine.value(CAME) or 0)
    pace = held_bytes * came / rows if rows else 0.0
    says = f"{size(pace)} of spans came in the last day"
    if limit_bytes:
        return ok("growth", f"{says}; the store's budget bounds them")
    if row_ttl(str(engine.value(STATEMENT, {"table": "spans_v1"}))):
        return ok("growth", f"{says}; their days are bounded")
    disk = os.statvfs(path)
    return paced(pace, disk.f_bavail * disk.f_frsize)


def paced(pace: float, free_bytes: float) -> Finding:
    """What becomes of the free bytes when so many come each day and none goes. Pure."""
    says = f"{size(pace)} of spans came in the last day, and none is ever let go"
    if pace < PACE_BYTES_MIN:
        return ok("growth", says)
    days = free_bytes / pace
    step = "bound it: --store-gb for a budget, --keep-days or --keep-content-days for their age"
    says = f"{says}: the disk is full in {duration(days * DAY_S)}"
    return graded("growth", -days, -DAYS_WARN, -DAYS_FAIL, says, step)
