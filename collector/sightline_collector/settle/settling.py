"""One settlement: what came, judged, and the ledger brought to the verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from sightline_collector.errors import StoreRefused
from sightline_collector.settle.arrivals import Arrival, windows
from sightline_collector.settle.book import LEDGER, Book
from sightline_collector.settle.completed import Judged
from sightline_collector.settle.entries import Entry, settle
from sightline_collector.settle.groups import Group, Stretch, in_portions, joined, reached
from sightline_collector.settle.spread import LONG_AT_ONCE, Long, doubtful_long, note, noted, spread
from sightline_collector.settle.suspects import FAR_NS, Look, suspects
from sightline_collector.settle.verdicts import judge
from sightline_collector.store.engine import Engine
from sightline_collector.store.verdict import Verdict
from sightline_collector.store.verdict import judge as verdict_on

TRACES_AT_ONCE = 500
"""Traces that are read together: some twenty thousand entries, some twenty megabytes."""

NEAR_BY = Look()

Rows = list[dict[str, Any]]
"""The corrections that one group asks for."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a settlement has done. Of groups that failed nothing was written; the next that comes to one of
    their traces tries again."""

    traces: int = 0
    corrections: int = 0
    failed_groups: int = 0
    cut_traces: int = 0
    """Long traces that were judged only as far as they lie around what has come: there were too many."""

    def __add__(self, other: Settled) -> Settled:
        return Settled(
            self.traces + other.traces,
            self.corrections + other.corrections,
            self.failed_groups + other.failed_groups,
            self.cut_traces + other.cut_traces,
        )


def settle_arrival(
    engine: Engine,
    arrival: Arrival,
    clock_ns: Callable[[], int],
    *,
    look: Look = NEAR_BY,
    dry_run: bool = False,
    keep: Callable[[], None] = lambda: None,
) -> Settled:
    """Judge the traces of what came, and append what differs. Doing it again appends nothing.

    With `dry_run` nothing is written, and `corrections` is what would be. Raises a Fault when the store
    fails, and what `keep` raises when another collector settles; a group of traces whose corrections the
    store refuses for what they hold is left out and counted.
    """
    found = spread(engine, arrival)
    if not dry_run:
        note(engine, found)
    done, book = Settled(cut_traces=found.cut), Book(engine, keep)
    for portion in to_judge(engine, arrival, found.long, look):
        done += _settle(book, portion, None if dry_run else clock_ns)
    return done


@dataclass(frozen=True, slots=True)
class Portion:
    """Groups of traces that are judged in one go; of each as much is read as lies `around_ns` from a stretch
    of time."""

    groups: list[Group]
    stretch: Stretch
    around_ns: int


def to_judge(engine: Engine, arrival: Arrival, long: Sequence[Long], look: Look) -> Iterator[Portion]:
    """The groups of traces of what came that may need settling, no group twice. Raises StoreRefused."""
    times = {each.trace: each.stretch for each in long}
    spreading = doubtful_long(engine, long)
    for stretch in windows(engine, arrival):
        suspected = suspects(engine, arrival, stretch, look)
        times = suspected.far | noted(engine, suspected.groups, stretch, look.reach_ns) | times
        off = [group for group in suspected.groups if not times.keys().isdisjoint(group)]
        times |= {trace: stretch for group in off for trace in group if trace not in times}
        near = [group for group in suspected.groups if times.keys().isdisjoint(group)]
        for groups in in_portions(near, TRACES_AT_ONCE):
            yield Portion(groups, stretch, look.reach_ns)
        spreading += off
    for groups in in_portions(joined(spreading), LONG_AT_ONCE):
        yield Portion(groups, reached(groups, times), FAR_NS)


def _settle(book: Book, portion: Portion, clock_ns: Callable[[], int] | None) -> Settled:
    """Judge some groups, and append what differs, unless there is no clock."""
    with LEDGER:
        held = book.entries(portion.groups, portion.stretch, portion.around_ns)
        asked = _asked(held.values(), book)
        refused = append(book, asked, clock_ns) if clock_ns else []
    written = sum(map(len, asked)) - sum(map(len, refused))
    return Settled(sum(map(len, portion.groups)), written, len(refused))


def _asked(held: Iterable[list[Entry]], book: Book) -> list[Rows]:
    """The corrections that each group asks for; groups that ask for none are left out."""
    judged = [Judged(entries, judge([entry.claim for entry in entries])) for entries in held]
    more = book.completed(judged)
    rows = (settle(group.entries, group.verdicts, more) for group in judged)
    return book.with_statuses([asked for asked in rows if asked])


def append(book: Book, asked: Sequence[Rows], clock_ns: Callable[[], int]) -> list[Rows]:
    """Write what each group asks for, all together; where the store refuses that for what they hold, group by
    group. What is left out comes back."""
    try:
        if asked:
            book.append([row for rows in asked for row in rows], clock_ns())
        return []
    except StoreRefused as e:
        if verdict_on(e) is not Verdict.BISECT:
            raise
        if len(asked) == 1:
            log.error("a trace cannot be settled", trace_id=asked[0][0]["trace_id"], error=e.message[:300])
            return list(asked)
    return [refused for rows in asked for refused in append(book, [rows], clock_ns)]
