"""What came is priced again: what the calls that are paid cost at the prices in force now, which hold for
their time. A span of no call of its own is among them when it is paid because nobody else tells of its usage.

an hour's claims whose price differs ──▶ their traces, and those that tell of common calls ─┐
                                                                                            ▼
           one insert: the new prices, and what follows of them ◀── judged with the new prices

Nothing is changed. The difference is appended to the ledger as a correction of the span, with its reason; and
since other corrections rest on what a span costs, those that follow go with it: a stop leaves no half of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import BaseModel, ConfigDict, model_validator

from sightline_collector.prices.reprice_bill import (
    Change,
    Charged,
    changes_of,
    charged_anew,
    summary,
)
from sightline_collector.prices.reprice_calls import Repriced, differing
from sightline_collector.settle.arrivals import HOUR_NS, REACH_NS, of_time
from sightline_collector.settle.book import LEDGER, Book
from sightline_collector.settle.entries import Entry, Place, settle
from sightline_collector.settle.groups import Group, Stretch, Trace, in_portions, reached
from sightline_collector.settle.hours import held, unix_ns
from sightline_collector.settle.settling import NEAR_BY, Portion, append, to_judge
from sightline_collector.settle.spread import LONG_AT_ONCE, spread
from sightline_collector.settle.suspects import FAR_NS
from sightline_collector.store.engine import Engine

TRACES_AT_ONCE = 2_000
"""Traces that are charged in one step: most hold a call or two."""


class Range(BaseModel):
    """Which spans: those that started from `since` on and before `until`, of one project or ('') of all.
    `resume`: where an earlier answer for the same range has ended."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: datetime
    until: datetime
    resume: datetime | None = None
    project: str = ""
    dry_run: bool = False

    @property
    def stretch(self) -> Stretch:
        """The time in Unix ns, both ends included."""
        return unix_ns(self.since), unix_ns(self.until) - 1

    @model_validator(mode="after")
    def _in_order(self) -> Range:
        if self.stretch[0] > self.stretch[1]:
            raise ValueError("since must lie before until, and spans are of the years 1970 to 2105")
        return self


@dataclass(frozen=True, slots=True)
class Done:
    """The changes of what is paid, the rows written, from when on it is to be asked again: None when all of
    the range is done, and how many groups of traces stay as they are because the store refused theirs."""

    changes: list[Change]
    corrections: int
    next_ns: int | None = None
    failed_groups: int = 0


def reprice(
    engine: Engine,
    asked: Range,
    clock_ns: Callable[[], int] = time.time_ns,
    keep: Callable[[], None] = lambda: None,
    enough: Callable[[], bool] = lambda: False,
) -> Done:
    """Charge the calls of a range what they cost by the prices in force, hour by hour until it is `enough`.

    Doing it again changes nothing. With `dry_run` nothing is written. `keep` is called before each read and
    write of the ledger. Raises StoreRefused, and what `keep` raises when another collector may be writing.
    """
    charging = _Charging(engine, asked, Book(engine, keep), None if asked.dry_run else clock_ns)
    charges: list[_Charge] = []
    begins_ns = max(asked.stretch[0], 0 if asked.resume is None else unix_ns(asked.resume))
    for place, hour in enumerate(held(engine, (begins_ns, asked.stretch[1]), HOUR_NS, asked.project)):
        if place and enough():
            return _done(charges, hour[0])
        charges += charging.hour(hour)
    return _done(charges)


@dataclass(frozen=True, slots=True)
class _Charge:
    """What changes on the bill, the rows written, and the groups that the store refused."""

    changed: list[Charged]
    corrections: int
    failed_groups: int


def _done(charges: Sequence[_Charge], next_ns: int | None = None) -> Done:
    return Done(
        summary(charged for each in charges for charged in each.changed),
        sum(each.corrections for each in charges),
        next_ns,
        sum(each.failed_groups for each in charges),
    )


@dataclass(frozen=True, slots=True)
class _Charging:
    engine: Engine
    asked: Range
    book: Book
    clock_ns: Callable[[], int] | None
    """None in a dry run."""

    def hour(self, hour: Stretch) -> Iterator[_Charge]:
        """What changes, in portions of the groups of traces with such claims."""
        calls = {call.place: call for call in differing(self.engine, hour, self.asked.project)}
        wanted = {(call.project, call.trace_id) for call in calls.values() if call.decides}
        for portion in _portions(self.engine, hour, wanted) if wanted else ():
            with LEDGER:
                done = self._charge(portion, hour, calls)
            yield done

    def _charge(self, portion: Portion, hour: Stretch, calls: Mapping[Place, Repriced]) -> _Charge:
        found = self.book.entries(portion.groups, portion.stretch, portion.around_ns)
        by_place = self._calls(found.values(), hour, calls)
        ours = [each for each in found.values() if self.clock_ns or not _earlier(each, hour, by_place)]
        anew = [charged_anew(each, by_place) for each in ours]
        more = self.book.completed(judged for _, judged in anew)
        written = [rows + settle(judged.entries, judged.verdicts, more) for rows, judged in anew]
        asking = [(each, rows) for each, rows in zip(ours, written, strict=True) if rows]
        asked = self.book.with_statuses([rows for _, rows in asking])
        refused = append(self.book, asked, self.clock_ns) if self.clock_ns else []
        left_out = set(map(id, refused))
        done = [
            (each, rows) for (each, _), rows in zip(asking, asked, strict=True) if id(rows) not in left_out
        ]
        changed = [charged for each, rows in done for charged in changes_of(each, rows)]
        return _Charge(changed, sum(len(rows) for _, rows in done) if self.clock_ns else 0, len(refused))

    def _calls(
        self, groups: Iterable[Sequence[Entry]], hour: Stretch, calls: Mapping[Place, Repriced]
    ) -> Mapping[Place, Repriced]:
        """Which claims of the groups have another price; of those that reach beyond the hour also there."""
        since_ns, until_ns = self.asked.stretch
        outside = [
            entry.claim
            for entries in groups
            for entry in entries
            if since_ns <= entry.claim.started_ns <= until_ns
            and not hour[0] <= entry.claim.started_ns <= hour[1]
        ]
        further: list[Repriced] = []
        if outside:
            starts = [claim.started_ns for claim in outside]
            traces = {claim.trace_id for claim in outside}
            further = differing(self.engine, (min(starts), max(starts)), self.asked.project, traces)
        return {**calls, **{call.place: call for call in further}} if further else calls


def _earlier(entries: Sequence[Entry], hour: Stretch, calls: Mapping[Place, Repriced]) -> bool:
    """Whether such a group was charged in an earlier hour, had it not been a dry run."""
    earlier = (calls.get(entry.place) for entry in entries if entry.claim.started_ns < hour[0])
    return any(call is not None and call.decides for call in earlier)


def _portions(engine: Engine, hour: Stretch, wanted: AbstractSet[Trace]) -> Iterator[Portion]:
    """The groups of some traces of an hour; each that shares no call with another stands alone."""
    arrival = of_time(*hour)
    long = spread(engine, arrival).long
    left = set(wanted)
    for portion in to_judge(engine, arrival, long, NEAR_BY):
        groups = [group for group in portion.groups if not wanted.isdisjoint(group)]
        left.difference_update(*groups)
        if groups:
            yield replace(portion, groups=groups)
    times = {each.trace: each.stretch for each in long}
    for groups in in_portions(_alone(left - times.keys()), TRACES_AT_ONCE):
        yield Portion(groups, hour, REACH_NS)
    for groups in in_portions(_alone(left & times.keys()), LONG_AT_ONCE):
        yield Portion(groups, reached(groups, times), FAR_NS)


def _alone(traces: AbstractSet[Trace]) -> list[Group]:
    return [frozenset({trace}) for trace in sorted(traces)]
