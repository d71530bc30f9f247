"""Traces that run longer than is looked around what has come: each is read whole, by its id.

A trace whose spans lie more than REACH_NS apart, or one of whose spans is as long, is noted with the time
that it takes up. Whatever comes of it later, an hour or a day after the rest, all of its spans are judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sightline_collector.settle.arrivals import HOUR_NS, NEAR, REACH_NS, Arrival, Group, Trace, doubts
from sightline_collector.store.engine import Engine

LONGEST_NS = 7 * 24 * HOUR_NS
"""How far from what has come the rest of a trace is looked for: the index of all that time is read. A trace
that takes longer is judged in parts."""

MOST_LONG = 500
"""Long traces of one settlement; of more, what lies around what has come is judged, and they are counted."""

LONG_AT_ONCE = 20
"""Long traces that are read together: few enough that the index leaves out nearly all that is not theirs."""

SPREAD = """
select
    project, trace_id, min(began) as first, max(ended) as last,
    minIf(began, not known) as came_first, maxIf(ended, not known) as came_last,
    countIf(known) > 0 and minIf(began, known) <= came_first and maxIf(ended, known) >= came_last as noted
from (
    select
        project, trace_id, false as known, toUnixTimestamp64Nano(started_at) as began,
        began + toInt64(least(duration_ms * 1000000, {longest:Float64})) as ended
    from spans_v1
    where {arrived}
    union all
    select project, trace_id, true, toUnixTimestamp64Nano(began_at), toUnixTimestamp64Nano(ended_at)
    from long_traces_v1
    where trace_id in (select trace_id from spans_v1 where {arrived})
)
group by project, trace_id
having last - first >= {reach:Int64} and came_last > 0
order by noted, last desc
"""


@dataclass(frozen=True, slots=True)
class Long:
    """A long trace of which something has come: when it began and ended, in Unix ns, as far as is looked."""

    trace: Trace
    first_ns: int
    last_ns: int
    noted: bool
    """Whether the store has it already, with all of that time."""


def spread(engine: Engine, arrival: Arrival) -> list[Long]:
    """The long traces of which something has come, those that are new first."""
    rows = engine.rows(
        SPREAD.replace("{arrived}", arrival.condition),
        {**arrival.parameters, "reach": REACH_NS, "longest": LONGEST_NS},
    )
    return [
        Long(
            (str(row["project"]), str(row["trace_id"])),
            max(int(row["first"]), int(row["came_first"]) - LONGEST_NS),
            min(int(row["last"]), int(row["came_last"]) + LONGEST_NS),
            bool(row["noted"]),
        )
        for row in rows
    ]


def note(engine: Engine, found: Sequence[Long]) -> None:
    """Keep in the store what was found, for what comes later."""
    engine.insert(
        "long_traces_v1",
        [
            {
                "project": long.trace[0], "trace_id": long.trace[1],
                "began_at": _seconds(long.first_ns), "ended_at": _seconds(long.last_ns),
            }
            for long in found
            if not long.noted
        ],
    )  # fmt: skip


def doubtful_long(engine: Engine, found: Sequence[Long]) -> list[Group]:
    """The long traces that may need settling, each a group."""
    groups: list[Group] = []
    for place in range(0, len(found), LONG_AT_ONCE):
        portion = {long.trace: long for long in found[place : place + LONG_AT_ONCE]}
        first_ns, last_ns = reached(frozenset(portion), portion)
        groups += doubts(
            engine,
            f"{NEAR} and trace_id in {{traces:Array(String)}}",
            {
                "traces": sorted({trace for _, trace in portion}),
                "first": first_ns, "last": last_ns, "reach": REACH_NS,
            },
        )  # fmt: skip
    return groups


def reached(group: Group, long: Mapping[Trace, Long]) -> tuple[int, int]:
    """When the long traces of a group began and ended, in Unix ns."""
    times = [long[trace] for trace in group if trace in long]
    return min(each.first_ns for each in times), max(each.last_ns for each in times)


def _seconds(ns: int) -> str:
    return f"{ns // 10**9}.{ns % 10**9:09d}"
