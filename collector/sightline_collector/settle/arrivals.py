"""What has come since it was last looked at, as a condition of the store, and when it ran."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sightline_collector.settle.groups import Stretch
from sightline_collector.store.engine import Engine

HOUR_NS = 3_600 * 10**9
REACH_NS = HOUR_NS // 2
"""How far from what has come a trace's other spans are looked for, and other traces that tell of its calls.
All spans of that time are looked through, so it costs as much as it is long; what lies further is read by
id."""

WINDOWS = 48
"""Stretches of time that are looked through one by one; where there are more, all time between is."""

STARTED = """
select
    toUnixTimestamp64Nano(min(started_at)) as first,
    max(toUnixTimestamp64Nano(started_at) + toInt64(least(duration_ms * 1000000, {reach:Float64}))) as last
from spans_v1
where {arrived}
group by toStartOfHour(started_at)
order by first
"""

LAST_CORRECTED = """
select
    toUnixTimestamp64Nano(received_at) as written, toUnixTimestamp64Nano(min(started_at)) as since,
    toUnixTimestamp64Nano(max(started_at)) as to
from spans_v1
where entry = 'correction'
group by received_at
order by received_at desc
limit 1
"""

OF_LAST_CORRECTED = """
entry = 'span' and started_at >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')
    and started_at <= fromUnixTimestamp64Nano({to:Int64}, 'UTC')
    and (project, trace_id) in (
        select project, trace_id
        from spans_v1
        where entry = 'correction' and received_at = fromUnixTimestamp64Nano({written:Int64}, 'UTC')
            and started_at >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')
            and started_at <= fromUnixTimestamp64Nano({to:Int64}, 'UTC'))"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Spans that have come, as a condition of the store: our own words, with parameters."""

    condition: str
    parameters: Mapping[str, int | str] = field(default_factory=dict)

    def within(self, stretch: Stretch) -> Arrival:
        """Those of them that started then. Their parameters are `first` and `last`."""
        return Arrival(
            f"{self.condition} and started_at >= fromUnixTimestamp64Nano({{first:Int64}}, 'UTC')"
            " and started_at <= fromUnixTimestamp64Nano({last:Int64}, 'UTC')",
            {**self.parameters, "first": stretch[0], "last": stretch[1]},
        )


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


def through_the_door(writer: str, after_ns: int, until_ns: int) -> Arrival:
    """What clients have inserted themselves, received `after` one moment, up to another."""
    return Arrival(
        "writer = {writer:String} and received_at > fromUnixTimestamp64Nano({after:Int64}, 'UTC')"
        " and received_at <= fromUnixTimestamp64Nano({until:Int64}, 'UTC') and entry = 'span'",
        {"writer": writer, "after": after_ns, "until": until_ns},
    )


def last_corrected(engine: Engine) -> Arrival | None:
    """The spans whose traces the last corrections are of, around those; None without any. What is written to
    two weeks at once may be cut off between them."""
    newest = engine.rows(LAST_CORRECTED)
    if not newest:
        return None
    return Arrival(
        OF_LAST_CORRECTED,
        {name: int(newest[0][name]) for name in ("since", "to", "written")},
    )


def windows(engine: Engine, arrival: Arrival) -> list[Stretch]:
    """The stretches of time in which what came has started: one span with a wrong clock does not make them
    one that spans a year."""
    asked = STARTED.replace("{arrived}", arrival.condition)
    rows = engine.rows(asked, {**arrival.parameters, "reach": REACH_NS})
    found: list[Stretch] = []
    for row in rows:
        first, last = int(row["first"]), int(row["last"])
        if found and first - found[-1][1] <= HOUR_NS:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return found if len(found) <= WINDOWS else [(found[0][0], found[-1][1])]
