"""Answers that are given again hours later: the store remembers who told of which, by a hash of its id.

What has come is remembered first, then looked for among what is; so of two that come at once either finds
the other. A short id may be a constant of a small server, and is not looked for that far.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sightline_collector.settle.alike import LONG_ID
from sightline_collector.settle.arrivals import HOUR_NS, REACH_NS, Arrival
from sightline_collector.settle.doubts import CLAIM, NEAR, OF_ARRIVED, READ_THROUGH
from sightline_collector.settle.groups import Told, chained
from sightline_collector.store.engine import Engine

AGAIN_NS = 24 * HOUR_NS
"""For how long after it was last given an answer is known again, unless it is said otherwise: so long are a
hash and a trace's id kept of each."""

MOST_TRACES = 50
"""Of an answer that more traces tell of than that, those that have come are judged, beside the first that is
remembered."""

MOST_AT_ONCE = 1000
"""In so many traces of what has come one such answer is known."""

ANSWERED = f"{CLAIM} and length(response_id) >= {LONG_ID}"

REMEMBER = f"""
insert into answers_v1 (answer, project, trace_id, said, started_at, kept_until)
select
    sipHash64(response_id), project, trace_id,
    max(if({{used}}, sipHash64(input_tokens, output_tokens), 0)), min(started_at),
    greatest(max(started_at), now()) + toIntervalSecond({{kept_s:UInt32}})
from spans_v1
where {{arrived}} and {ANSWERED}
group by project, response_id, trace_id
""".replace("{used}", "ifNull(input_tokens, 0) + ifNull(output_tokens, 0) > 0")  # noqa: S608 - our own text

IN_TIME = """
started_at >= fromUnixTimestamp64Nano({first:Int64} - {again:Int64}, 'UTC')
    and started_at <= fromUnixTimestamp64Nano({last:Int64} + {again:Int64}, 'UTC')"""

REMEMBERED = f"""
select
    project, count() as traces, uniqExactArray(said) as answers,
    arrayFlatten(groupArray({MOST_TRACES})([(began, trace_id), (ended, trace_id)])) as few,
    arrayPushFront(
        groupArrayIf({MOST_AT_ONCE})((ended, trace_id), came), min((began, trace_id))) as many
from (
    select
        project, answer, trace_id, groupUniqArrayIf(2)(said, said != 0) as said, {OF_ARRIVED} as came,
        min(toUnixTimestamp64Nano(started_at) as at) as began, max(at) as ended
    from answers_v1
    where {IN_TIME} and (project, answer) in (
        select project, answer
        from answers_v1
        where {IN_TIME} and answer in (
                select sipHash64(response_id) from spans_v1 where {NEAR} and {OF_ARRIVED} and {ANSWERED})
        group by project, answer
        having min(trace_id) < max(trace_id)
            and (toUnixTimestamp64Nano(min(started_at)) < {{first:Int64}} - {{reach:Int64}}
                or toUnixTimestamp64Nano(max(started_at)) > {{last:Int64}} + {{reach:Int64}}))
    group by project, answer, trace_id)
group by project, answer
"""  # noqa: S608 - our own text


def remember(engine: Engine, arrival: Arrival, again_ns: int) -> None:
    """Keep whose answers have come. Doing it again changes nothing."""
    asked = REMEMBER.replace("{arrived}", arrival.condition)
    engine.command(asked, {**arrival.parameters, "kept_s": (again_ns + HOUR_NS) // 10**9})


def given_again(engine: Engine, arrived: Arrival, again_ns: int) -> list[Told]:
    """Which remembered traces, some of them further off than REACH_NS, tell of an answer of what has come."""
    asked = REMEMBERED.replace("{arrived}", arrived.condition) + READ_THROUGH
    parameters = {**arrived.parameters, "reach": REACH_NS, "again": again_ns}
    return [told for row in engine.rows(asked, parameters) for told in _told(row, again_ns)]


def _told(row: dict[str, Any], again_ns: int) -> Iterator[Told]:
    """Who tells of one answer. A server that gives every answer the same id is known by answers that
    differ."""
    if int(row["traces"]) <= MOST_TRACES:
        told = [(int(at), (str(row["project"]), str(trace))) for at, trace in row["few"]]
        yield from chained(told, again_ns)
    elif int(row["answers"]) < 2:
        yield sorted({(int(at), (str(row["project"]), str(trace))) for at, trace in row["many"]})
