"""Keeps the store within its budget of disk space: the oldest content goes first, then the oldest weeks.

::

    over budget ──▶ content, the oldest days first ──▶ still over ──▶ rows, week by week ──▶ still over: told
                    up to an hour ago                                 up to this week

What a call cost outlives what was said in it: totals stay right until whole weeks go. Each step is a row of
sheddings_v1, a line in the log, a counter, and a warning of the doctor.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from sightline_collector.operate.keeping import KEPT, Kept
from sightline_collector.store.engine import Engine
from sightline_collector.store.mutations import mutate

TARGET = 0.95
"""Of the budget: so that a step lasts for a while."""
STEPS_MAX = 50
"""Of one round; the next goes on."""
NEWEST_CONTENT = timedelta(hours=1)
"""Is never shed: somebody looks at it. Nor is less than that shed at a time."""
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SHED = tuple(kept for kept in KEPT if kept.table in ("spans_v1", "logs_v1", "metrics_v1"))
"""What fills disks, by weeks."""

HELD = """
select sum(bytes_on_disk) as held from system.parts where database = currentDatabase() and active
"""
SHED_BEFORE = "select max(before) as before from sheddings_v1 where what = 'content'"
OLDEST = "select min({time}) as oldest from {table} where {time} >= toDateTime({{since:String}}, 'UTC')"
WEEKS = """
select distinct table, partition_id from system.parts
where database = currentDatabase() and active and table in {tables:Array(String)}
    and partition_id < {before:String}
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """What goes next: content or rows that began before a time."""

    what: str
    before: datetime


class Shedder:
    """Looks at one store and lets go of what is oldest. Blocking."""

    def __init__(
        self,
        engine: Engine,
        budget_bytes: float,
        told: Callable[[Step], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._budget_bytes = budget_bytes
        self._told = told
        self._clock = clock
        self._pause = pause

    def held_bytes(self) -> int:
        """Of all tables on disk, without what merges have replaced and the engine deletes soon."""
        return int(self._engine.value(HELD) or 0)

    def round(self) -> list[Step]:
        """What was let go until the store is within its budget again, or nothing older is left."""
        steps: list[Step] = []
        held = self.held_bytes()
        if held <= self._budget_bytes:
            return steps
        while held > TARGET * self._budget_bytes and len(steps) < STEPS_MAX:
            step = self._next(held)
            if step is None:
                log.error("the store is over its budget and holds nothing older", store_bytes=held)
                break
            self._let_go(step, held)
            steps.append(step)
            held = self.held_bytes()
        return steps

    def _next(self, held: int) -> Step | None:
        now = self._clock()
        latest = now - NEWEST_CONTENT
        begins = self._oldest(_utc(self._engine.value(SHED_BEFORE)) or EPOCH)
        if begins is not None and begins + NEWEST_CONTENT <= latest:
            # As if every day were as large as the others: too little is shed rather than too much.
            over = (latest - begins) * ((held - TARGET * self._budget_bytes) / held)
            return Step("content", min(latest, _midnight(begins) + max(DAY, over // DAY * DAY)))
        oldest = self._oldest(EPOCH)
        if oldest is None:
            return None
        following = _midnight(oldest) - DAY * oldest.weekday() + WEEK
        return Step("rows", following) if following <= now - DAY * now.weekday() else None

    def _oldest(self, since: datetime) -> datetime | None:
        """When the oldest row began that is not older than a time; None when there is none."""
        asked = {"since": f"{since:%Y-%m-%d %H:%M:%S}"}
        sql = (OLDEST.format(time=kept.time, table=kept.table) for kept in SHED)
        times = [_utc(self._engine.value(each, asked)) for each in sql]
        return min((at for at in times if at is not None), default=None)

    def _let_go(self, step: Step, held: int) -> None:
        if step.what == "content":
            changes = {kept.table: _emptied(kept, step.before) for kept in SHED if kept.content}
            mutate(self._engine, changes, self._pause)
        else:
            self._drop_weeks(step.before)
        before = f"{step.before:%Y-%m-%d %H:%M:%S}"
        row = {
            "what": step.what,
            "before": before,
            "store_bytes": held,
            "budget_bytes": int(self._budget_bytes),
        }
        self._engine.insert("sheddings_v1", [row])
        self._told(step)
        log.warning("the store is over its budget", shed=step.what, before=before, store_bytes=held)

    def _drop_weeks(self, before: datetime) -> None:
        asked = {"tables": [kept.table for kept in SHED], "before": f"{before:%Y%m%d}"}
        for row in self._engine.rows(WEEKS, asked):
            self._engine.command(f"alter table {row['table']} drop partition id '{row['partition_id']}'")


def _emptied(kept: Kept, before: datetime) -> str:
    """What is said of a table."""
    columns = ", ".join(f"{column} = defaultValueOfArgumentType({column})" for column in kept.content)
    filled = " or ".join(f"notEmpty({column})" for column in kept.content)
    return (
        f"update {columns} where {kept.time} < toDateTime('{before:%Y-%m-%d %H:%M:%S}', 'UTC') and ({filled})"
    )


def _utc(value: object) -> datetime | None:
    """A time of the store; None for that of an empty table."""
    if not isinstance(value, datetime) or value.year <= 1970:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
