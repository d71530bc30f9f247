"""The search for the requests of a segment that fail alone: which pieces of it to try next. Pure.

To find one bad request among n takes log2(n) inserts, and as many again for each other. Who floods a
collector with them would hold up everybody: what is kept as a dead letter is the first of a segment.

    a piece failed ──▶ it says what OTLP has not, as a bad one did ──▶ all that is left, without
                  ├──▶ it is of several requests ──▶ its halves
                  ├──▶ it is one, and too much ────▶ its parts
                  └──▶ it is one ──────────────────▶ bad
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sightline_collector.errors import StoreRefused
from sightline_collector.store.part import Part, halves, known
from sightline_collector.store.verdict import UNKNOWN, is_too_much
from sightline_collector.wal.segment import Record, Signal

Piece = list[Record]


@dataclass(slots=True)
class Search:
    """Pieces of a segment that the store has taken, and those to be tried, the next one last.

    It outlives the faults of the store that interrupt it: begun anew each time, it might never end.
    """

    signal: Signal
    waiting: list[Piece] = field(default_factory=list)
    good: list[Piece] = field(default_factory=list)
    bad: list[tuple[Record, Exception]] = field(default_factory=list)

    @property
    def held(self) -> int:
        """Items of the pieces that the store has taken."""
        return sum(map(items_of, self.good))

    def failed(self, piece: Piece, why: Exception, segment: bytes) -> None:
        """Line up what is to be tried of a piece that the store refused."""
        if self.bad and _says_more(piece, why):
            left = [record for one in (*self.waiting, piece) for record in one]
            self.waiting = [[_known(self.signal, record, segment) for record in left]]
        elif len(piece) > 1:
            middle = len(piece) // 2
            self.waiting += [piece[middle:], piece[:middle]]
        elif parts := halves(self.signal, piece[0], segment) if is_too_much(why) else []:
            self.waiting += [[part] for part in reversed(parts)]
        else:
            self.bad.append((_sent(piece[0]), why))

    def join(self) -> Piece:
        """What the store has taken, from now on one piece."""
        self.good = [[record for piece in self.good for record in piece]]
        return self.good[0]

    def begin_again(self) -> None:
        """The store holds nothing of the segment: what it had taken is to be tried first."""
        self.waiting, self.good = self.waiting + self.good, []


def items_of(piece: Piece) -> int:
    """Spans, log records or data points in a piece."""
    return sum(record.items for record in piece)


def _says_more(piece: Piece, why: Exception) -> bool:
    unknown = isinstance(why, StoreRefused) and why.code == UNKNOWN
    return unknown and any(_sent(record) is record for record in piece)


def _known(signal: Signal, record: Record, segment: bytes) -> Record:
    return known(signal, record, segment) if _sent(record) is record else record


def _sent(record: Record) -> Record:
    """The record of which one says less."""
    return record.sent if isinstance(record, Part) and record.sent else record
