"""Which traces tell of common calls, near what has come.

They are known by a response's id, by earlier corrections, or by the same tokens at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sightline_collector.settle.arrivals import Arrival
from sightline_collector.settle.doubts import CLAIM, NEAR, OF_ARRIVED, READ_THROUGH
from sightline_collector.settle.groups import Group, Told, Trace
from sightline_collector.store.engine import Engine

MOST_TRACES_AN_ID = 50
"""What more traces than that have in common, a short response id, tells nothing."""

MOST_TRACES_AN_ANSWER = 1000
"""In so many traces one answer is looked for that a gateway gives again and again."""

MOST_ALIKE_A_MINUTE = 200
"""What more claims of one minute than that have in common, a count of tokens, tells nothing."""

STEPS = 2
"""From an answer given again to the one that was paid, and from that to one that came later and was first."""

SCOPES = f"select uniqExact(scope_name) from spans_v1 where {NEAR} and {CLAIM}"  # noqa: S608 - our own text

TOLD_TWICE = f"""
select
    project,
    groupUniqArray({MOST_TRACES_AN_ANSWER + 1})((toUnixTimestamp64Nano(started_at), trace_id)) as told
from spans_v1
where {NEAR} and {CLAIM} and (project, response_id) in (
    select project, response_id
    from spans_v1
    where {NEAR} and {CLAIM} and response_id in (
            select response_id from spans_v1 where {NEAR} and {OF_ARRIVED} and response_id != '')
    group by project, response_id
    having min(trace_id) < max(trace_id))
group by project, response_id
having length(told) <= if(length(response_id) < 20, {MOST_TRACES_AN_ID}, {MOST_TRACES_AN_ANSWER})
"""  # noqa: S608 - our own text

BESIDE = """
select
    project,
    [(toUnixTimestamp64Nano(started_at), trace_id),
        (toInt64OrZero(splitByChar('@', trace_state)[2]), splitByChar('@', trace_state)[1])] as told
from spans_v1
where entry = 'correction' and trace_state != ''
"""

TIED = f"""{BESIDE}
    and {NEAR}
    and ({OF_ARRIVED}
        or (project, splitByChar('@', trace_state)[1]) in (
            select project, trace_id from spans_v1 where {{arrived}}))
"""  # noqa: S608 - our own text

TIED_TO = f"""{BESIDE}
    and trace_id in {{traces:Array(String)}}
    and started_at >= fromUnixTimestamp64Nano({{from:Int64}}, 'UTC')
    and started_at <= fromUnixTimestamp64Nano({{to:Int64}}, 'UTC')
"""

IN_MINUTES = f"""
    select
        project, service, trace_id, scope_name, parent_span_id = '' as root,
        ifNull(input_tokens, 0) as input, ifNull(output_tokens, 0) as output,
        toUnixTimestamp64Nano(started_at) as began,
        began + toInt64(least(duration_ms * 1000000, {{reach:Float64}})) as ended,
        arrayJoin(range(toUInt64(intDiv(began, 60000000000)), toUInt64(intDiv(ended, 60000000000)) + 1)) as at
    from spans_v1
    where {NEAR} and {CLAIM} and sightline_model_call(operation) and input_tokens > 0"""  # noqa: S608

TOLD_ALIKE = f"""
select
    project,
    groupArray(trace_id) as traces, groupArray(scope_name) as scopes, groupArray(root) as roots,
    groupArray(began) as starts, groupArray(ended) as ends
from ({IN_MINUTES})
where (project, service, input, output, at) in (
    select project, service, input, output, at from ({IN_MINUTES} and {OF_ARRIVED}))
group by project, service, input, output, at
having count() between 2 and {MOST_ALIKE_A_MINUTE}
    and uniqExact(scope_name) > 1 and uniqExact(trace_id) > 1 and countIf(root) > 0
"""  # noqa: S608 - our own text

Parameters = dict[str, Any]


def told_twice(engine: Engine, arrived: Arrival, reach_ns: int) -> list[Told]:
    """What traces near what has come tell of one response id."""
    return _told(engine, TOLD_TWICE, arrived, reach_ns)


def tied(engine: Engine, arrived: Arrival, reach_ns: int) -> list[Told]:
    """With what other traces what has come was judged before: one of two lies near, the other anywhere."""
    return _told(engine, TIED, arrived, reach_ns)


def tied_to(engine: Engine, found: Iterable[Told]) -> list[Told]:
    """What is paid instead of what was found, wherever it lies: of an answer that was given ever again the
    first may lie far back."""
    new = {trace: at for told in found for at, trace in told}
    known: set[Trace] = set()
    ties: list[Told] = []
    for _ in range(STEPS if new else 0):
        asked = {
            "traces": sorted({trace for _, trace in new}),
            "from": min(new.values()),
            "to": max(new.values()),
        }
        rows = engine.rows(TIED_TO + (READ_THROUGH if len(new) > MOST_TRACES_AN_ID else ""), asked)
        known |= new.keys()
        step = [_of(row) for row in rows]
        new = {trace: at for told in step for at, trace in told if trace not in known}
        ties += step
        if not new:
            break
    return ties


def alike(engine: Engine, arrived: Arrival, reach_ns: int) -> list[Group]:
    """Traces of which one ran within a call of the other, with the same tokens, told by another scope."""
    parameters = {**arrived.parameters, "reach": reach_ns}
    if int(engine.value(SCOPES + READ_THROUGH, parameters)) < 2:
        return []
    rows = engine.rows(TOLD_ALIKE.replace("{arrived}", arrived.condition) + READ_THROUGH, parameters)
    return [group for row in rows for group in _within(row)]


def _told(engine: Engine, query: str, arrived: Arrival, reach_ns: int) -> list[Told]:
    asked = query.replace("{arrived}", arrived.condition) + READ_THROUGH
    return [_of(row) for row in engine.rows(asked, {**arrived.parameters, "reach": reach_ns})]


def _of(row: Mapping[str, Any]) -> list[tuple[int, Trace]]:
    return [(int(at), (str(row["project"]), str(trace))) for at, trace in row["told"]]


def _within(row: Mapping[str, Any]) -> Iterator[Group]:
    """The traces of each root that ran within another scope's claim of another trace, with those."""
    columns = (row[name] for name in ("starts", "ends", "roots", "traces", "scopes"))
    told = sorted(zip(*columns, strict=True), key=lambda c: (int(c[0]), -int(c[1]), bool(c[2])))
    running: list[tuple[Any, ...]] = []
    for claim in told:
        start, end, root, trace, scope = claim
        running = [other for other in running if int(other[1]) >= int(start)]
        around = {o[3] for o in running if int(o[1]) >= int(end) and o[3] != trace and o[4] != scope}
        if root and around:
            yield frozenset((str(row["project"]), str(each)) for each in (trace, *around))
        running.append(claim)
