"""Writes one signal's open segment: whole groups at once, durable on return. Blocks: call it in a thread.

::

    none --first record: create, sync folder--> open --writev, fdatasync--> open ...
    open --limit or age reached: rename-------> sealed
    open --error: cut back to last sync-------> sealed, or suspect when even that fails
"""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sightline_collector.wal.folder import Folder, LeftFile
from sightline_collector.wal.segment import BLOCK_ITEMS_MAX, FRAME_BYTES_MAX, Entry, Signal, frame

# What the kernel takes in one writev.
_BUFFERS_MAX = os.sysconf("SC_IOV_MAX")


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """When a segment is sealed: whichever comes first. A larger request gets a segment to itself."""

    size_bytes: int = 64 << 20  # the engine's memory for one insert: about 3 bytes a byte
    items: int = BLOCK_ITEMS_MAX
    records: int = 60_000  # what recovery lines up at once
    age_s: float = 1.0  # sealed then if somebody waits for it: queryable within about twice this


@dataclass(frozen=True, slots=True)
class Segment:
    """A sealed segment: its file is whole, durable, and no longer written to.

    `in_doubt`: an earlier process left it, so the store may hold its items already, in whole or in part.
    """

    path: Path
    signal: Signal
    batch: int
    items: int
    records: int
    size_bytes: int
    first_received_at_ns: int
    sealed_at_ns: int
    in_doubt: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of a group: its first `durable` entries are on disk; `failure` is why the rest is not.

    `sealed` are segments that were finished on the way, `suspect` files that could not even be cut back.
    """

    durable: int = 0
    sealed: list[Segment] = field(default_factory=list)
    suspect: list[LeftFile] = field(default_factory=list)
    failure: Exception | None = None


@dataclass(slots=True)
class _Open:
    fd: int
    path: Path
    batch: int
    first_received_at_ns: int
    size_bytes: int = 0
    items: int = 0
    records: int = 0


class Appender:
    """The open segment of one signal. Calls must not overlap."""

    def __init__(
        self,
        folder: Folder,
        signal: Signal,
        limits: SegmentLimits,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._folder = folder
        self._signal = signal
        self.limits = limits
        self._clock_ns = clock_ns
        self._open: _Open | None = None

    @property
    def open_batch(self) -> int | None:
        """Number of the segment that is open, None when none is."""
        return self._open.batch if self._open else None

    @property
    def open_bytes(self) -> int:
        """Bytes of the open segment."""
        return self._open.size_bytes if self._open else 0

    def write(self, group: Sequence[Entry]) -> Outcome:
        """Appends the group in order, over as many segments as it needs, and syncs each. Never raises."""
        outcome = Outcome()
        try:
            while outcome.durable < len(group):
                self._write_some(group, outcome)
            if self._open and self._is_full(self._open):
                outcome.sealed.append(self._seal(self._open))
        except Exception as error:
            outcome.failure = error
            self._abandon(outcome)
        return outcome

    def seal(self) -> Outcome:
        """Finishes the open segment; does nothing when none is open."""
        outcome = Outcome()
        if self._open:
            try:
                outcome.sealed.append(self._seal(self._open))
            except OSError as error:
                outcome.failure = error
                self._abandon(outcome)
        return outcome

    def _write_some(self, group: Sequence[Entry], outcome: Outcome) -> None:
        first = outcome.durable
        segment = self._open or self._create(group[first].received_at_ns)
        count = self._fitting(group, first, segment)
        if count:
            self._append(group[first : first + count], segment)
            outcome.durable += count
        else:
            outcome.sealed.append(self._seal(segment))

    def _create(self, first_received_at_ns: int) -> _Open:
        batch = self._folder.next_batch()
        path = self._folder.segment_path(self._signal, batch, "open")
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._open = _Open(fd, path, batch, first_received_at_ns)
        self._folder.sync()
        return self._open

    def _fitting(self, group: Sequence[Entry], first: int, segment: _Open) -> int:
        """How many entries from `first` on fit into the segment; an empty one takes at least one."""
        size_bytes, items, records = segment.size_bytes, segment.items, segment.records
        limits = self.limits
        for count, entry in enumerate(group[first:] if first else group):
            size_bytes += len(entry.body) + FRAME_BYTES_MAX
            items += entry.items
            records += 1
            if size_bytes > limits.size_bytes or items > limits.items or records > limits.records:
                return max(count, 0 if segment.records else 1)
        return len(group) - first

    def _append(self, entries: Sequence[Entry], segment: _Open) -> None:
        buffers: list[bytes] = []
        for entry in entries:
            head, trailer = frame(entry, segment.batch, self._folder.writer)
            buffers += (head, entry.body, trailer)
        _write_all(segment.fd, buffers)
        size_bytes = segment.size_bytes + sum(map(len, buffers))
        _sync(segment.fd, size_bytes)
        segment.size_bytes = size_bytes
        segment.items += sum(entry.items for entry in entries)
        segment.records += len(entries)

    def _is_full(self, segment: _Open) -> bool:
        limits = self.limits
        return (
            segment.size_bytes + FRAME_BYTES_MAX >= limits.size_bytes
            or segment.items >= limits.items
            or segment.records >= limits.records
        )

    def _seal(self, segment: _Open) -> Segment:
        """Only the name changes: the bytes are durable since their own sync, and both names are recovered."""
        path = self._folder.segment_path(self._signal, segment.batch, "segment")
        segment.path.rename(path)
        self._open = None
        with suppress(OSError):  # the bytes are synced: a late error of close says nothing about them
            os.close(segment.fd)
        return Segment(
            path, self._signal, segment.batch, segment.items, segment.records, segment.size_bytes,
            segment.first_received_at_ns, self._clock_ns(),
        )  # fmt: skip

    def _abandon(self, outcome: Outcome) -> None:
        """After an error nothing beyond the last sync is trusted: cut the file back to it, start another."""
        segment, self._open = self._open, None
        if segment is None:
            return
        try:
            os.ftruncate(segment.fd, segment.size_bytes)
            os.fdatasync(segment.fd)
            if segment.records:
                outcome.sealed.append(self._seal(segment))
                return
            segment.path.unlink()
        except OSError:
            outcome.suspect.append(
                LeftFile(segment.path, self._signal, segment.batch, segment.size_bytes, self._clock_ns())
            )
        with suppress(OSError):
            os.close(segment.fd)


def _sync(fd: int, size_bytes: int) -> None:
    """Make a file of so many bytes durable. Raises OSError.

    ext4 that gives up its journal for a fault (seen with Linux 6.18) says of some syncs just then that all
    is well, though what they were to sync is gone. A cut would begin another transaction, even one to the
    same size, and is refused from then on: 40 us beside the milliseconds of a sync.
    """
    os.fdatasync(fd)
    os.ftruncate(fd, size_bytes)


def _write_all(fd: int, buffers: list[bytes]) -> None:
    for first in range(0, len(buffers), _BUFFERS_MAX):
        some = buffers[first : first + _BUFFERS_MAX]
        size_bytes = sum(map(len, some))
        written = os.writev(fd, some)
        if written < size_bytes:  # a nearly full disk takes a part, and names its error at the next write
            rest = memoryview(b"".join(some))[written:]
            while rest:
                rest = rest[os.write(fd, rest) :]
