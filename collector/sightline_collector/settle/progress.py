"""How far each writer's segments are settled: the store keeps it, so that a start goes on where a stop was.

A writer's segments are stored in their order, so that all are whole but the last one, which may be stored in
pieces: by a search that takes long, or by a process that was killed. Of another collector's it is kept which
spans were there, and it is settled again when there are others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sightline_collector.settle.arrivals import Arrival, of_batches, through_the_door
from sightline_collector.settle.lease import AWAY_NS, Lease
from sightline_collector.store.engine import Engine

SPANS_AT_ONCE = 200_000
"""Spans whose traces are judged in one settlement, give or take a segment."""

EVERY = 2**64 - 1
"""No segment has a higher number."""

DOOR = "otel_traces"
"""Who is said to have written what clients insert themselves, without segments."""

DOOR_LAG_NS = 60 * 10**9
"""How much later than its time of receipt such a span can be seen: an insert takes that long at most."""

NEXT = """
select max(batch)
from (
    select batch, sum(count()) over (order by batch) as spans, count() as own
    from spans_v1
    where writer = {writer:String} and batch > {after:UInt64} and batch <= {whole:UInt64} and entry = 'span'
    group by batch
    having max(received_at) <= fromUnixTimestamp64Nano({before:Int64}, 'UTC'))
where spans - own < {most:UInt64}
"""

LAST = """
select until, keys
from settlements_v1
where writer = {writer:String}
order by until desc, settled_at desc
limit 1
"""

KEYS = """
select writer, sum(span_key) as keys
from spans_v1
where batch in {batches:Array(UInt64)} and (writer, batch) in {segments:Array(Tuple(String, UInt64))}
    and entry = 'span'
group by writer
"""
"""Another number as soon as a span of a segment comes or goes."""

WRITERS = """
select writer, max(batch) as last, toUnixTimestamp64Nano(max(received_at)) as received
from spans_v1
where batch > 0 and entry = 'span' and received_at > fromUnixTimestamp64Nano({since:Int64}, 'UTC')
group by writer
"""

HEARD_NS = 80 * 86_400 * 10**9
"""Of whom nothing came for so long all is settled: how far is kept for 90 days."""

SEARCH_NS = 3_600 * 10**9
"""How often all of that time is searched for writers. Between, it is read as far back as who is alive may
still have spans to store: from so long before the last that came of each, for a clock may be set back."""

FURTHEST_NS = 86_400 * 10**9
"""As far at most: what another collector held back for longer is found by the search."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a writer's segments are settled. `keys` is what KEYS said of the last; None when it does not
    matter."""

    until: int
    keys: int | None = None


@dataclass(frozen=True, slots=True)
class Portion:
    """What came of one writer and is settled at once, and how far it is settled then."""

    writer: str
    until: Mark
    came: Arrival


class Progress:
    """What came to one store, and how far it is settled. `own` names who stores the segments of this
    collector; `lease` knows whether others store theirs there, too."""

    def __init__(
        self, engine: Engine, own: Callable[[], str], lease: Lease, clock_ns: Callable[[], int]
    ) -> None:
        self._engine = engine
        self._own = own
        self._lease = lease
        self._clock_ns = clock_ns
        self._settled: dict[str, Mark] = {}
        self._last: dict[str, int] = {}
        self._received_ns: dict[str, int] = {}
        self._searched_ns = 0

    def read_anew(self) -> dict[str, Mark]:
        """Forget what is known, and ask the store: how far all are settled."""
        self._settled.clear()
        self._searched_ns = 0
        return {writer: self._mark(writer) for writer in (DOOR, *self._last_batches())}

    def go_back(self, marks: Mapping[str, Mark]) -> None:
        """Settle once more what came after these marks."""
        self._settled |= marks

    def portions(self, whole_until: Callable[[], int | None]) -> Iterator[Portion]:
        """What came and is not settled, as much at once as one settlement takes; `settled` follows each.

        `whole_until` is the last segment of this collector that is stored whole; None when all are.
        """
        last = self._last_batches()
        self._look_again(last)
        for writer in [writer for writer in last if last[writer] > self._mark(writer).until]:
            while (until := self._next_batch(writer, whole_until)) is not None:
                keys = self._keys({writer: until})[writer]
                yield Portion(writer, Mark(until, keys), of_batches(writer, self._mark(writer).until, until))
        now_ns = self._clock_ns()
        seen_ns = max(0, self._mark(DOOR).until - DOOR_LAG_NS)
        if self._came_through_the_door(seen_ns):
            yield Portion(DOOR, Mark(now_ns), through_the_door(DOOR, seen_ns, now_ns))

    def settled(self, portion: Portion, corrections: int) -> None:
        """Keep that a portion is settled."""
        mark = portion.until
        row = {"writer": portion.writer, "until": mark.until, "keys": mark.keys, "corrections": corrections}
        self._engine.insert("settlements_v1", [row])
        self._settled[portion.writer] = mark

    def _look_again(self, writers: Iterable[str]) -> None:
        """Go back to another collector's last segment when there is more of it than was settled, or less."""
        marks = {writer: mark for writer in writers if (mark := self._mark(writer)).keys is not None}
        found = self._keys({writer: mark.until for writer, mark in marks.items()})
        for writer, mark in marks.items():
            if found[writer] != mark.keys:
                self._settled[writer] = Mark(mark.until - 1)

    def _mark(self, writer: str) -> Mark:
        if writer not in self._settled:
            found = self._engine.rows(LAST, {"writer": writer})
            self._settled[writer] = Mark(found[0]["until"], found[0]["keys"]) if found else Mark(0)
        return self._settled[writer]

    def _keys(self, batches: Mapping[str, int]) -> dict[str, int | None]:
        """Which spans of a segment of each writer are there; None where none can come later."""
        segments = [(writer, batch) for writer, batch in batches.items() if writer not in (DOOR, self._own())]
        asked = {"segments": segments, "batches": [batch for _, batch in segments]}
        rows = self._engine.rows(KEYS, asked) if segments else []
        found = dict.fromkeys(batches) | {writer: 0 for writer, _ in segments}
        return found | {str(row["writer"]): int(row["keys"]) for row in rows}

    def _last_batches(self) -> dict[str, int]:
        """Whose segments are settled, and the last of each that came: a server's are of all collectors that
        share it, and of each of their starts."""
        if not self._lease.shared:
            return {self._own(): EVERY}
        rows = self._engine.rows(WRITERS, {"since": self._since_ns()})
        self._last |= {str(row["writer"]): int(row["last"]) for row in rows}
        self._received_ns |= {str(row["writer"]): int(row["received"]) for row in rows}
        return self._last | {self._own(): EVERY}

    def _since_ns(self) -> int:
        """How far back is looked for segments: who was away from the store stores what came long before."""
        now_ns = self._clock_ns()
        if now_ns - self._searched_ns > SEARCH_NS:
            self._searched_ns = now_ns
            self._last.clear()
            return now_ns - HEARD_NS
        alive = self._received_ns.keys() & self._lease.alive()
        since_ns = min((self._received_ns[writer] for writer in alive), default=now_ns)
        return max(since_ns, now_ns - FURTHEST_NS) - SEARCH_NS

    def _next_batch(self, writer: str, whole_until: Callable[[], int | None]) -> int | None:
        """Up to which segment the next settlement goes; None when all are settled. What another collector is
        still inserting piece by piece is known by its age."""
        own = writer == self._own()
        whole = whole_until() if own else None
        found = self._engine.value(
            NEXT,
            {
                "writer": writer,
                "after": self._mark(writer).until,
                "most": SPANS_AT_ONCE,
                "whole": EVERY if whole is None else whole,
                "before": self._clock_ns() - (0 if own else AWAY_NS),
            },
        )
        return int(found) or None if found is not None else None

    def _came_through_the_door(self, seen_ns: int) -> bool:
        found = self._engine.value(
            "select 1 from spans_v1 where writer = {writer:String} and entry = 'span'"
            " and received_at > fromUnixTimestamp64Nano({seen:Int64}, 'UTC') limit 1",
            {"writer": DOOR, "seen": seen_ns},
        )
        return found is not None
