"""Which stretches of a time hold spans: a command that is asked for years visits no others."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from sightline_collector.settle.groups import Stretch
from sightline_collector.store.engine import Engine

LAST_NS = int(datetime(2106, 1, 1, tzinfo=UTC).timestamp()) * 10**9
"""No span starts later, nor before 1970: so long do the store's hours last."""

WORK_S = 10.0
"""After so long an answer is given, and says how far it went: a stop, and a wait for another's, are short."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

HELD = """
select distinct intDiv(toUnixTimestamp(started_at), {step_s:UInt32}) * {step_s:UInt32} as began
from spans_v1
where entry = 'span' and ({project:String} = '' or project = {project:String})
    and started_at >= fromUnixTimestamp64Nano({first:Int64}, 'UTC')
    and started_at <= fromUnixTimestamp64Nano({last:Int64}, 'UTC')
order by began
"""


def unix_ns(at: datetime) -> int:
    """A time in Unix ns, UTC unless it says otherwise; the first or last that a span can have, if that is
    nearer."""
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(0, (aware - EPOCH) // timedelta(microseconds=1) * 1000), LAST_NS)


def iso(at_ns: int) -> str:
    """A whole second in Unix ns as it is written: 2026-11-01T00:00:00+00:00."""
    return (EPOCH + timedelta(seconds=at_ns // 10**9)).isoformat()


class Ends:
    """Says whether an answer has been worked at for long enough: who asked goes on from there."""

    def __init__(self) -> None:
        self._at_s = time.monotonic() + WORK_S

    def __call__(self) -> bool:
        return time.monotonic() > self._at_s


def held(engine: Engine, stretch: Stretch, step_ns: int, project: str = "") -> list[Stretch]:
    """The steps of a stretch, both ends included, in which spans of a project, or ('') of any, have started.
    Raises StoreRefused."""
    bounds = {"first": stretch[0], "last": stretch[1], "step_s": step_ns // 10**9, "project": project}
    starts = [int(row["began"]) * 10**9 for row in engine.rows(HELD, bounds)]
    return [(max(stretch[0], at_ns), min(stretch[1], at_ns + step_ns - 1)) for at_ns in starts]
