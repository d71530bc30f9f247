"""Traces that run longer than is looked around what has come: each is read whole, by its id.

A trace whose spans lie more than REACH_NS apart, or one of whose spans is as long, is noted with the time
that it takes up. Whatever comes of it later, an hour or a day after the rest, all of its spans are judged.

    ├─ agent ─┤                                  noted, for it was received hours off its own time
    :                             ├─ call ─┤     lies hours from what is noted: the trace is read whole

So are those that came hours before or after their own time, as far as it takes to find the rest of them: a
clock was wrong, or they were held back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sightline_collector.settle.arrivals import HOUR_NS, REACH_NS, Arrival
from sightline_collector.settle.doubts import NEAR, doubts
from sightline_collector.settle.groups import Group, Stretch, Trace, reached
from sightline_collector.store.engine import Engine

LONGEST_NS = 7 * 24 * HOUR_NS
"""How far from what has come the rest of a trace is looked for: the index of all that time is read. A trace
that takes longer is judged in parts."""

OFF_NS = REACH_NS // 2
"""How far from its own time a span is received that is noted: two clocks that are less off, one forwards and
one backwards, lie within what is looked through."""

MOST_LONG = 500
"""Long traces of one settlement; of more, what lies around what has come is judged, and they are counted."""

MOST_OFF = 1000
"""Traces of one settlement that came hours off their time and of which the rest is looked for; first those
that lack a parent."""

LONG_AT_ONCE = 20
"""Long traces that are read together: few enough that the index leaves out nearly all that is not theirs."""

SPREAD = """
select
    project, trace_id, min(began) as first, max(ended) as last,
    minIf(began, not known) as came_first, maxIf(ended, not known) as came_last,
    countIf(known) > 0 and minIf(began, known) <= came_first and maxIf(ended, known) >= came_last as noted,
    last - first >= {reach:Int64} as long,
    minIf(came, off) as off_first, maxIf(came, off) as off_last,
    not hasAll(groupArrayIf(span_id, off), groupUniqArrayIf(parent_span_id, off and parent_span_id != ''))
        as torn,
    count() over (partition by long) as of_kind
from (
    select
        project, trace_id, false as known, toUnixTimestamp64Nano(started_at) as began,
        began + toInt64(least(duration_ms * 1000000, {longest:Float64})) as ended,
        span_id, parent_span_id, toUnixTimestamp64Nano(received_at) as came,
        greatest(came - ended, began - came) between {off:Int64} and {longest:Float64} as off
    from spans_v1
    where {arrived}
    union all
    select
        project, trace_id, true, toUnixTimestamp64Nano(began_at), toUnixTimestamp64Nano(ended_at),
        '', '', 0, false
    from long_traces_v1
    where trace_id in (select trace_id from spans_v1 where {arrived})
)
group by project, trace_id
having came_last > 0 and (long or off_last > 0)
order by long desc, torn desc, noted, last desc
limit {most:UInt32} by long
"""

WHOLE = """
select
    project, trace_id, min(toUnixTimestamp64Nano(started_at) as began) as first,
    max(began + toInt64(least(duration_ms * 1000000, {longest:Float64}))) as last
from spans_v1
where entry = 'span' and trace_id in {traces:Array(String)}
    and started_at >= fromUnixTimestamp64Nano({from:Int64}, 'UTC')
    and started_at <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')
group by project, trace_id
having last - first >= {reach:Int64}
"""

NOTED = """
select
    project, trace_id, min(toUnixTimestamp64Nano(began_at)) as first,
    max(toUnixTimestamp64Nano(ended_at)) as last
from long_traces_v1
where trace_id in {traces:Array(String)}
group by project, trace_id
having first < {first:Int64} or last > {last:Int64}
"""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Long:
    """A trace of which something has come, and when it began and ended, as far as is looked."""

    trace: Trace
    stretch: Stretch
    noted: bool
    """Whether the store has it already, with all of that time."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What has come of long traces, and of such as may be: the rest of them is not there yet."""

    long: list[Long]
    waiting: list[Long]
    cut: int = 0
    """How many long traces more there were than are read whole."""


def spread(engine: Engine, arrival: Arrival) -> Spread:
    """The long traces of which something has come, those that are new first."""
    bounds = {"reach": REACH_NS, "longest": LONGEST_NS, "off": OFF_NS, "most": max(MOST_LONG, MOST_OFF)}
    asked = SPREAD.replace("{arrived}", arrival.condition)
    rows = engine.rows(asked, {**arrival.parameters, **bounds})
    long = [row for row in rows if row["long"]]
    whole, waiting = _whole(engine, [row for row in rows if not row["long"]][:MOST_OFF])
    cut = max(0, int(long[0]["of_kind"]) - MOST_LONG) if long else 0
    return Spread([*map(_long, long[:MOST_LONG]), *whole], waiting, cut)


def _whole(engine: Engine, off: Sequence[Row]) -> tuple[list[Long], list[Long]]:
    """Traces that came hours off their time: those whose rest lies hours from it, and the others."""
    if not off:
        return [], []
    first = min(min(int(row["first"]), int(row["off_first"])) for row in off) - HOUR_NS
    last = max(max(int(row["last"]), int(row["off_last"])) for row in off) + HOUR_NS
    traces = sorted({str(row["trace_id"]) for row in off})
    bounds = {"from": max(0, first), "to": last, "reach": REACH_NS, "longest": LONGEST_NS}
    found = {_trace(row): row for row in engine.rows(WHOLE, {"traces": traces, **bounds})}
    stretches = {trace: (int(row["first"]), int(row["last"])) for trace, row in found.items()}
    whole = [Long(_trace(row), stretches[_trace(row)], False) for row in off if _trace(row) in stretches]
    return whole, [_long(row) for row in off if _trace(row) not in stretches]


def _long(row: Row) -> Long:
    first_ns = max(int(row["first"]), int(row["came_first"]) - LONGEST_NS)
    last_ns = min(int(row["last"]), int(row["came_last"]) + LONGEST_NS)
    return Long(_trace(row), (first_ns, last_ns), bool(row["noted"]))


def _trace(row: Row) -> Trace:
    return str(row["project"]), str(row["trace_id"])


def note(engine: Engine, found: Spread) -> None:
    """Keep in the store what was found, for what comes later."""
    engine.insert(
        "long_traces_v1",
        [
            {
                "project": each.trace[0], "trace_id": each.trace[1],
                "began_at": _seconds(each.stretch[0]), "ended_at": _seconds(each.stretch[1]),
            }
            for each in (*found.long, *found.waiting)
            if not each.noted
        ],
    )  # fmt: skip


def noted(engine: Engine, groups: Sequence[Group], stretch: Stretch, reach_ns: int) -> dict[Trace, Stretch]:
    """When the traces run that are judged together with what came in a stretch of time, though nothing came
    of them now: those that reach further than is looked."""
    traces = {trace for group in groups if len(group) > 1 for trace in group}
    if not traces:
        return {}
    first_ns, last_ns = stretch[0] - reach_ns, stretch[1] + reach_ns
    asked = {"traces": sorted({trace for _, trace in traces}), "first": first_ns, "last": last_ns}
    known = {_trace(row): (int(row["first"]), int(row["last"])) for row in engine.rows(NOTED, asked)}
    return {
        trace: (max(first, stretch[0] - LONGEST_NS), min(last, stretch[1] + LONGEST_NS))
        for trace, (first, last) in known.items()
        if trace in traces
    }


def doubtful_long(engine: Engine, found: Sequence[Long]) -> list[Group]:
    """The long traces that may need settling, each a group."""
    groups: list[Group] = []
    for place in range(0, len(found), LONG_AT_ONCE):
        portion = {long.trace: long.stretch for long in found[place : place + LONG_AT_ONCE]}
        first_ns, last_ns = reached([frozenset(portion)], portion)
        asked = doubts(
            engine,
            f"{NEAR} and trace_id in {{traces:Array(String)}}",
            {
                "traces": sorted({trace for _, trace in portion}),
                "first": first_ns, "last": last_ns, "reach": REACH_NS,
            },
        )  # fmt: skip
        groups += [group for group in asked if not portion.keys().isdisjoint(group)]
    return groups


def _seconds(ns: int) -> str:
    return f"{ns // 10**9}.{ns % 10**9:09d}"
