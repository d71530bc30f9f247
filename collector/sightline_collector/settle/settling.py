"""One settlement: what came, judged, and the ledger brought to the verdicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sightline_collector.settle.arrivals import REACH_NS, Arrival, doubtful, in_portions, windows
from sightline_collector.settle.book import LEDGER, Book
from sightline_collector.settle.entries import settle
from sightline_collector.settle.verdicts import judge
from sightline_collector.store.engine import Engine

TRACES_AT_ONCE = 200
"""Traces that are read together: some ten thousand entries, some ten megabytes."""


@dataclass(slots=True)
class Settled:
    """What a settlement has done."""

    traces: int = 0
    corrections: int = 0

    def __add__(self, other: Settled) -> Settled:
        return Settled(self.traces + other.traces, self.corrections + other.corrections)


def settle_arrival(
    engine: Engine,
    arrival: Arrival,
    clock_ns: Callable[[], int],
    *,
    reach_ns: int = REACH_NS,
    dry_run: bool = False,
) -> Settled:
    """Judge the traces of what came, and append what differs. Doing it again appends nothing.

    With `dry_run` nothing is written, and `corrections` is what would be. Raises StoreRefused.
    """
    book, done = Book(engine), Settled()
    for first_ns, last_ns in windows(engine, arrival):
        for groups in in_portions(doubtful(engine, arrival, first_ns, last_ns, reach_ns), TRACES_AT_ONCE):
            rows = []
            with LEDGER:
                for entries in book.entries(groups, first_ns, last_ns).values():
                    rows += settle(entries, judge([entry.claim for entry in entries]))
                if rows and not dry_run:
                    book.append(rows, clock_ns())
            done.traces += sum(map(len, groups))
            done.corrections += len(rows)
    return done
