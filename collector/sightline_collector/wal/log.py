"""The log: `append` returns when the record is on disk; whole segments come out at the other end.

A record is acknowledged after fdatasync, never before. Nothing is dropped: when there is no room, `append`
refuses with a time to wait, and the sender keeps its data.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self

from sightline_collector.errors import LogClosed, LogUnwritable
from sightline_collector.wal.appender import Appender, Segment, SegmentLimits
from sightline_collector.wal.folder import Folder
from sightline_collector.wal.lane import Lane, Threads, unwritable
from sightline_collector.wal.recover import recover
from sightline_collector.wal.refusal import Turns, log_full
from sightline_collector.wal.segment import DEFAULT_PROJECT, FRAME_BYTES_MAX, PROJECT, Entry, Signal
from sightline_collector.wal.watcher import Quiet, Watcher


@dataclass(frozen=True, slots=True)
class LogLimits:
    """What the log may hold, and when it seals a segment."""

    size_bytes: int = 8 << 30  # on disk, all signals: 100 s without a store, at 45,000 fat spans a second
    pending_records: int = 65_536  # waiting for their sync, all signals
    segment: SegmentLimits = field(default_factory=SegmentLimits)


class Log:
    """An owned folder of segments. Lives on the event loop that opened it.

    append ... -> sealed -> let_go, for each signal; `drain` ends the first, `close` the rest.
    """

    def __init__(
        self,
        folder: Folder,
        limits: LogLimits,
        watcher: Watcher,
        clock_ns: Callable[[], int],
    ) -> None:
        self._folder = folder
        self._limits = limits
        self._clock_ns = clock_ns
        self._closed = False
        self._turns = Turns()
        self._threads = Threads(
            writing=ThreadPoolExecutor(len(Signal), thread_name_prefix="log-write"),
            housekeeping=ThreadPoolExecutor(1, thread_name_prefix="log-keep"),
        )
        self._lanes = {
            signal: Lane(
                signal,
                Appender(folder, signal, limits.segment, clock_ns),
                partial(recover, folder, clock_ns=clock_ns),
                self._threads,
                watcher,
            )
            for signal in Signal
        }
        for left in folder.left:
            self._lanes[left.signal].put_left(left, max(0, clock_ns() - left.modified_at_ns))

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        batch_floor: int | None = 0,
        limits: LogLimits | None = None,
        watcher: Watcher | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> Self:
        """Takes the folder and lines up what an earlier process left in it, to be handed over first.

        `batch_floor`: the highest batch number in the store, None where others write to it, too. Raises
        FolderInUse and FolderUnusable.
        """
        folder = await asyncio.to_thread(Folder, path, batch_floor=batch_floor)
        return cls(folder, limits or LogLimits(), watcher or Quiet(), clock_ns)

    @property
    def writer(self) -> str:
        """The folder's identity, as the records' trailers carry it."""
        return self._folder.writer

    @property
    def limit_bytes(self) -> int:
        """What the log may hold on disk."""
        return self._limits.size_bytes

    @property
    def size_bytes(self) -> int:
        """What the log holds on disk, or is writing there."""
        return sum(lane.size_bytes for lane in self._lanes.values())

    @property
    def pending_records(self) -> int:
        """Records that wait for their sync."""
        return sum(lane.pending_records for lane in self._lanes.values())

    @property
    def pending_limit(self) -> int:
        """How many records may wait for their sync."""
        return self._limits.pending_records

    def waiting_segments(self, signal: Signal) -> int:
        """Sealed segments that were not let go yet, handed over or not."""
        return self._lanes[signal].waiting_segments

    def stored_until(self, signal: Signal) -> int | None:
        """The last segment before all that the store has not confirmed; None when it has confirmed all."""
        oldest = self._lanes[signal].oldest_waiting_batch()
        return None if oldest is None else oldest - 1

    def oldest_age_s(self) -> float:
        """How long the oldest record that was not let go has been here; 0 when there is none."""
        return max(lane.oldest_age_s() for lane in self._lanes.values())

    @property
    def last_batch(self) -> int:
        """The number of the newest segment: what was acknowledged until now is in none that comes later."""
        return self._folder.last_batch

    def holds(self, until: int) -> bool:
        """Whether a segment up to that number was not let go yet."""
        return any(lane.holds(until) for lane in self._lanes.values())

    async def append(self, signal: Signal, body: bytes, items: int, project: str = DEFAULT_PROJECT) -> None:
        """Returns when the record is durable.

        Raises LogFull, LogUnwritable or LogClosed (nothing was acknowledged, waiting may help) and ValueError
        for a project outside its alphabet.
        """
        if project != DEFAULT_PROJECT and not PROJECT.match(project):
            raise ValueError(f"a project is 1 to 64 of A-Z a-z 0-9 . _ -, not {project!r}")
        self._admit(len(body))
        await self._lanes[signal].submit(Entry(body, items, project, self._clock_ns()))

    async def probe(self) -> None:
        """Returns when a record would be taken now: there is room, and the disk takes a write and its sync.

        Raises LogFull, LogUnwritable or LogClosed.
        """
        self._admit(0)
        try:
            await asyncio.to_thread(self._folder.probe)
        except OSError as error:
            raise unwritable(error) from error

    async def sealed(self, signal: Signal) -> Segment:
        """The signal's next segment, oldest first, as soon as there is one. For one consumer a signal.

        Raises LogClosed once the log was drained and all is handed over, LogUnwritable when a file that was
        left by an earlier process cannot be read: the next call tries it again.
        """
        return await self._lanes[signal].sealed()

    async def let_go(self, segment: Segment) -> None:
        """Removes a segment that the store has confirmed; LogUnwritable when the disk refuses."""
        try:
            await self._lanes[segment.signal].let_go(segment)
        except OSError as error:
            raise LogUnwritable(
                f"{segment.path} cannot be removed: {error.strerror}",
                hint="Mend the disk of the data folder; the next start compares the segment with the store",
            ) from error

    async def snapshot(self, into: Path) -> int:
        """Links every segment that the store has not confirmed into a folder on the same disk. How many.

        What was acknowledged before the call is in them, or is stored already. Raises OSError.
        """
        sealed = await asyncio.gather(*(lane.seal() for lane in self._lanes.values()))
        return await asyncio.to_thread(self._folder.link, [path for paths in sealed for path in paths], into)

    async def drain(self) -> None:
        """Takes no more records, makes durable and seals what there is; `sealed` then ends."""
        self._closed = True
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()))

    async def close(self) -> None:
        """Drains, and gives the folder free. What still waits is handed over at the next start, in doubt."""
        await self.drain()
        await asyncio.to_thread(self._release)

    def _release(self) -> None:
        self._threads.writing.shutdown()
        self._threads.housekeeping.shutdown()
        self._folder.close()

    def _admit(self, body_bytes: int) -> None:
        if self._closed:
            raise LogClosed("The collector is stopping", hint="Retry: another collector, or its next start")
        if self.pending_records >= self._limits.pending_records:
            says = f"{self._limits.pending_records} records already wait for the disk"
            raise log_full(says, self._turns.next_s())
        if self.size_bytes + body_bytes + FRAME_BYTES_MAX > self._limits.size_bytes:
            says = f"The log holds all of the {self._limits.size_bytes} bytes that it may"
            raise log_full(says, self._turns.next_s())
