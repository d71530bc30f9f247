"""What has come since it was last looked at, and which traces of it may need settling.

Most traces need nothing: each of their calls is told by one span. The store says in one pass which do not:
those with corrections, weights, repeated spans, usage above usage, or two scopes or traces that tell of
a call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sightline_collector.settle.twins import AGAIN_NS
from sightline_collector.store.engine import Engine

HOUR_NS = 3_600 * 10**9
REACH_NS = HOUR_NS // 2
"""How far from what has come a trace's other spans are looked for, and other traces that tell of its calls.
All spans of that time are looked through, so it costs as much as it is long; longer traces are read by id."""

WINDOWS = 48
"""Stretches of time that are looked through one by one; where there are more, all time between is."""

MOST_TRACES_AN_ID = 50
"""What more traces than that have in common, a short response id, tells nothing."""

MOST_ALIKE_A_MINUTE = 200
"""What more claims of one minute than that have in common, a count of tokens, tells nothing."""

MOST_TRACES_AN_ANSWER = 1000
"""In so many traces one answer is looked for that a gateway gives again and again."""

Trace = tuple[str, str]
"""Project and trace."""

Group = frozenset[Trace]
"""Traces that are judged together: they may tell of a common call, or one stands alone."""

CLAIM = "(entry = 'span' and (sightline_model_call(operation) or {used}))".format(
    used="(ifNull(input_tokens, 0) + ifNull(output_tokens, 0) > 0 or notEmpty(extra_usage)"
    " or isNotNull(reported_cost_usd))"
)

STARTED = """
select
    toUnixTimestamp64Nano(min(started_at)) as first,
    max(toUnixTimestamp64Nano(started_at) + toInt64(least(duration_ms * 1000000, {reach:Float64}))) as last
from spans_v1
where {arrived}
group by toStartOfHour(started_at)
order by first
"""

ODD = f"entry = 'correction' or {CLAIM} and (not sightline_model_call(operation) or weight != 1)"

OF_ARRIVED = "trace_id in (select trace_id from spans_v1 where {arrived})"

NEAR = """
started_at >= fromUnixTimestamp64Nano({first:Int64} - {reach:Int64}, 'UTC')
    and started_at <= fromUnixTimestamp64Nano({last:Int64} + {reach:Int64}, 'UTC')"""

DOUBTFUL = f"""
with arrived as (
    select project, trace_id
    from spans_v1
    where {{among}}
    group by project, trace_id
    having countIf({CLAIM}) > 1
        or countIf({ODD}) > 0
)
select project, trace_id
from spans_v1
where {{among}} and trace_id in (select trace_id from arrived)
group by project, trace_id
having countIf({ODD}) > 0
    or uniqExactIf(span_id, {CLAIM}) < countIf({CLAIM})
    or uniqExactIf(scope_name, {CLAIM}) > 1
    or uniqExactIf(response_id, {CLAIM} and response_id != '') < countIf({CLAIM} and response_id != '')
    or hasAny(groupArrayIf(span_id, {CLAIM}) as claims, groupUniqArrayIf(parent_span_id, {CLAIM}))
    or hasAny(
        arrayMap(s -> s.1, arrayFilter(
            s -> has(claims, s.2), groupArrayIf((span_id, parent_span_id), entry = 'span' and not {CLAIM}))),
        groupUniqArray(parent_span_id))
"""  # noqa: S608 - our own text

SCOPES = f"select uniqExact(scope_name) from spans_v1 where {NEAR} and {CLAIM}"  # noqa: S608 - our own text

TIED = f"""
select project, [trace_id, trace_state] as traces
from spans_v1
where entry = 'correction' and trace_state not in ('', trace_id)
    and ({OF_ARRIVED} or trace_state in (select trace_id from spans_v1 where {{arrived}}))
"""  # noqa: S608 - our own text

TIED_TO = """
select project, [trace_id, trace_state] as traces
from spans_v1
where entry = 'correction' and trace_state not in ('', trace_id)
    and (trace_id in {traces:Array(String)} or trace_state in {traces:Array(String)})
"""

SETTINGS = " settings use_skip_indexes = 0, optimize_use_projections = 0"
"""Of thousands of ids some are in every granule, and no roll-up has them: looking costs more than reading."""

TOLD_TWICE = f"""
select project, groupUniqArray({MOST_TRACES_AN_ANSWER + 1})(trace_id) as traces
from spans_v1
where {NEAR.replace("reach", "again")}
    and {CLAIM} and response_id in (
        select response_id from spans_v1 where {NEAR} and {OF_ARRIVED} and response_id != '')
group by project, response_id
having length(traces) between 2 and if(length(response_id) < 20, {MOST_TRACES_AN_ID}, {MOST_TRACES_AN_ANSWER})
"""  # noqa: S608 - our own text

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


@dataclass(frozen=True, slots=True)
class Arrival:
    """Spans that have come, as a condition of the store: our own words, with parameters."""

    condition: str
    parameters: Mapping[str, int | str] = field(default_factory=dict)


def of_batches(writer: str, after: int, until: int) -> Arrival:
    """What a writer's segments `after` one, up to another, have brought."""
    return Arrival(
        "writer = {writer:String} and batch > {after:UInt64} and batch <= {until:UInt64} and entry = 'span'",
        {"writer": writer, "after": after, "until": until},
    )


def of_time(first_ns: int, last_ns: int) -> Arrival:
    """Spans that started then, both ends included."""
    return Arrival(
        "started_at >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')"
        " and started_at <= fromUnixTimestamp64Nano({to:Int64}, 'UTC') and entry = 'span'",
        {"since": first_ns, "to": last_ns},
    )


def promoted_since(moment_ns: int) -> Arrival:
    """Spans that were paid since, because nothing below them had come."""
    return Arrival(
        "entry = 'correction' and why = 'promoted'"
        " and received_at > fromUnixTimestamp64Nano({since:Int64}, 'UTC')",
        {"since": moment_ns},
    )


def through_the_door(writer: str, after_ns: int, until_ns: int) -> Arrival:
    """What clients have inserted themselves, received `after` one moment, up to another."""
    return Arrival(
        "writer = {writer:String} and received_at > fromUnixTimestamp64Nano({after:Int64}, 'UTC')"
        " and received_at <= fromUnixTimestamp64Nano({until:Int64}, 'UTC') and entry = 'span'",
        {"writer": writer, "after": after_ns, "until": until_ns},
    )


def windows(engine: Engine, arrival: Arrival) -> list[tuple[int, int]]:
    """The stretches of time, in Unix ns, in which what came has started: one span with a wrong clock does
    not make them one that spans a year."""
    asked = STARTED.replace("{arrived}", arrival.condition)
    rows = engine.rows(asked, {**arrival.parameters, "reach": REACH_NS})
    found: list[tuple[int, int]] = []
    for row in rows:
        first, last = int(row["first"]), int(row["last"])
        if found and first - found[-1][1] <= HOUR_NS:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return found if len(found) <= WINDOWS else [(found[0][0], found[-1][1])]


def doubtful(
    engine: Engine, arrival: Arrival, first_ns: int, last_ns: int, reach_ns: int = REACH_NS
) -> list[Group]:
    """The groups of traces, among those that came in a window, that may need settling."""
    arrived = (
        f"{arrival.condition} and started_at >= fromUnixTimestamp64Nano({{first:Int64}}, 'UTC')"
        " and started_at <= fromUnixTimestamp64Nano({last:Int64}, 'UTC')"
    )
    parameters = {**arrival.parameters, "first": first_ns, "last": last_ns, "reach": reach_ns}
    parameters["again"] = max(reach_ns, AGAIN_NS)
    alone = doubts(engine, f"{NEAR} and {OF_ARRIVED.replace('{arrived}', arrived)}", parameters, SETTINGS)
    several_scopes = int(engine.value(SCOPES + SETTINGS, parameters)) > 1
    together = [
        frozenset((str(row["project"]), str(trace)) for trace in row["traces"])
        for query in (TOLD_TWICE, TIED)
        for row in engine.rows(query.replace("{arrived}", arrived) + SETTINGS, parameters)
    ]
    query = TOLD_ALIKE.replace("{arrived}", arrived) + SETTINGS
    rows = engine.rows(query, parameters) if several_scopes else []
    alike = [group for row in rows for group in _within(row)]
    return joined([*alone, *together, *alike, *_tied_to(engine, together)])


def _tied_to(engine: Engine, groups: Sequence[Group]) -> list[Group]:
    """Which traces those that were found have been judged with before, and these with others: of an answer
    that was given ever again the first may lie far back."""
    found: list[Group] = []
    traces = {trace for group in groups for _, trace in group}
    for _ in range(2 if traces else 0):
        rows = engine.rows(TIED_TO + SETTINGS, {"traces": sorted(traces)})
        found = [frozenset((str(row["project"]), str(trace)) for trace in row["traces"]) for row in rows]
        traces |= {trace for group in found for _, trace in group}
    return found


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


def doubts(
    engine: Engine, among: str, parameters: Mapping[str, int | str | list[str]], settings: str = ""
) -> list[Group]:
    """The traces, each alone, among some spans that may need settling for what these say."""
    rows = engine.rows(DOUBTFUL.replace("{among}", among) + settings, parameters)
    return [frozenset({(str(row["project"]), str(row["trace_id"]))}) for row in rows]


def joined(groups: Iterable[Group]) -> list[Group]:
    """Groups that share a trace, as one."""
    home: dict[Trace, set[Trace]] = {}
    for group in groups:
        merged = set(group)
        for trace in group:
            merged |= home.get(trace, set())
        for trace in merged:
            home[trace] = merged
    unique = {id(group): group for group in home.values()}
    return [frozenset(group) for group in unique.values()]


def in_portions(groups: Sequence[Group], traces: int) -> Iterator[list[Group]]:
    """The groups, in lists of about so many traces each."""
    portion: list[Group] = []
    for group in groups:
        portion.append(group)
        if sum(map(len, portion)) >= traces:
            yield portion
            portion = []
    if portion:
        yield portion
