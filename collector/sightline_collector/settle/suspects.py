"""Which traces of what has come have to be judged, and with which others.

what they say themselves ─────────────┐
the same answer, near or hours off ───┼──▶ groups of traces ──▶ judged together
what was judged together before ──────┤
the same tokens at the same time ─────┘
"""

from __future__ import annotations

from dataclasses import dataclass

from sightline_collector.settle.arrivals import HOUR_NS, REACH_NS, Arrival
from sightline_collector.settle.doubts import NEAR, OF_ARRIVED, READ_THROUGH, doubts
from sightline_collector.settle.given_again import AGAIN_NS, given_again
from sightline_collector.settle.groups import Group, Stretch, Trace, chained, joined
from sightline_collector.settle.together import alike, tied, tied_to, told_twice
from sightline_collector.store.engine import Engine

FAR_NS = 24 * HOUR_NS
"""How far a trace's other spans, and who tells of its calls, are looked for when there is time."""


@dataclass(frozen=True, slots=True)
class Look:
    """How far is looked around what has come. `again_ns`: for how long an answer given again is known;
    `anew`: all spans of that time are looked through, not what is remembered of them."""

    again_ns: int = AGAIN_NS
    anew: bool = False

    @property
    def reach_ns(self) -> int:
        """How far all spans are looked through."""
        return max(FAR_NS, self.again_ns) if self.anew else REACH_NS


@dataclass(frozen=True, slots=True)
class Suspects:
    """Groups of traces that have to be judged, and when those ran that lie further off than is looked."""

    groups: list[Group]
    far: dict[Trace, Stretch]


def suspects(engine: Engine, arrival: Arrival, stretch: Stretch, look: Look) -> Suspects:
    """What has to be judged of that which came in a stretch of time."""
    arrived, reach_ns = arrival.within(stretch), look.reach_ns
    among = f"{NEAR} and {OF_ARRIVED.replace('{arrived}', arrived.condition)}"
    alone = doubts(engine, among, {**arrived.parameters, "reach": reach_ns}, READ_THROUGH)
    told = [part for each in told_twice(engine, arrived, reach_ns) for part in chained(each, look.again_ns)]
    told += tied(engine, arrived, reach_ns)
    if not look.anew:
        told += given_again(engine, arrived, look.again_ns)
    told += tied_to(engine, told)
    together = [frozenset(trace for _, trace in each) for each in told]
    first_ns, last_ns = stretch[0] - reach_ns, stretch[1] + reach_ns
    far = {trace: (at, at) for each in told for at, trace in each if not first_ns <= at <= last_ns}
    return Suspects(joined([*alone, *together, *alike(engine, arrived, reach_ns)]), far)
