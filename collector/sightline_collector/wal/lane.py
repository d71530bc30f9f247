"""One signal's way through the log: records wait together, are synced together, and leave as segments.

::

    submit --> pending --(write, fdatasync in a thread)--> open --(limit or age)--> ready --> handed over
                 ^ what comes while a sync runs is the next group                                  |
                                                                            let_go: removed <------+

An open segment of age is sealed when somebody waits for one. While the store is busy with the one before, it
goes on growing: the more rows an insert has, the less each of them costs.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from sightline_collector.errors import LogClosed, LogUnwritable
from sightline_collector.wal.appender import Appender, Outcome, Segment
from sightline_collector.wal.folder import LeftFile
from sightline_collector.wal.recover import Recovered
from sightline_collector.wal.segment import FRAME_BYTES_MAX, Entry, Signal
from sightline_collector.wal.watcher import Watcher

Pending = tuple[Entry, asyncio.Future[None]]


@dataclass(frozen=True, slots=True)
class Threads:
    """Where the log blocks: one thread a signal writes, so that no signal waits for another's sync."""

    writing: Executor
    housekeeping: Executor


class Lane:
    """Pending records, open segment and waiting segments of one signal. Lives on one event loop."""

    def __init__(
        self,
        signal: Signal,
        appender: Appender,
        recover: Callable[[LeftFile], Recovered],
        threads: Threads,
        watcher: Watcher,
    ) -> None:
        self.signal = signal
        self._appender = appender
        self._recover = recover
        self._threads = threads
        self._watcher = watcher
        self._loop = asyncio.get_running_loop()
        self._pending: list[Pending] = []
        self._pending_bytes = 0
        self._ready: deque[Segment | LeftFile] = deque()
        self._arrived = asyncio.Event()
        self._waiting: dict[int, Segment | LeftFile] = {}
        self._waiting_bytes = 0
        self._confirmed: deque[Segment] = deque()  # their files are still there
        self._commits: asyncio.Task[None] | None = None
        self._recovery: asyncio.Future[Recovered] | None = None
        self._timer: asyncio.TimerHandle | None = None
        # As of the last settled outcome: what a running seal has closed already is counted here until then.
        self._open_batch: int | None = None
        self._open_bytes = 0
        # Of each segment that was not let go, open or sealed. The wall's clock may be set back: what is held
        # would seem to have come later than now.
        self._since_ns: dict[int, int] = {}
        self._seal_due = False
        self._awaited = False
        self._of_age = False
        self._sealings: list[asyncio.Future[None]] = []
        self._closed = False

    @property
    def pending_records(self) -> int:
        """Records that wait for their sync."""
        return len(self._pending)

    @property
    def size_bytes(self) -> int:
        """Bytes of this signal on disk or on their way there."""
        return self._pending_bytes + self._open_bytes + self._waiting_bytes

    @property
    def waiting_segments(self) -> int:
        """Sealed segments that were not let go yet."""
        return len(self._waiting)

    def oldest_waiting_batch(self) -> int | None:
        """The lowest number of a sealed segment that was not let go yet; None when there is none."""
        return min(list(self._waiting), default=None)  # copied: asked in another thread

    def oldest_age_s(self) -> float:
        """How long the oldest record that was not let go has been here; 0 when there is none."""
        since = min(list(self._since_ns.values()), default=None)  # copied: asked in another thread
        return 0.0 if since is None else (time.monotonic_ns() - since) / 1e9

    def holds(self, until: int) -> bool:
        """Whether a segment up to that number, open or sealed, was not let go yet."""
        return any(batch <= until for batch in list(self._since_ns))

    def submit(self, entry: Entry) -> asyncio.Future[None]:
        """Answers when the entry is durable; LogUnwritable when the disk refuses it."""
        durable = self._loop.create_future()
        self._pending.append((entry, durable))
        self._pending_bytes += len(entry.body) + FRAME_BYTES_MAX
        self._wake()
        return durable

    def put_left(self, left: LeftFile, age_ns: int) -> None:
        """Lines up a file of an earlier process; it is checked when its turn comes."""
        self._since_ns[left.batch] = time.monotonic_ns() - age_ns
        self._add_ready(left)

    async def sealed(self) -> Segment:
        """The next segment, oldest first, as soon as there is one. For one consumer.

        Raises LogClosed when the lane is closed and all were handed over, LogUnwritable when a left file
        cannot be read or repaired: the next call tries it again.
        """
        while True:
            while not self._ready:
                if self._closed:
                    raise LogClosed("The log is closed and drained", hint="Nothing is left to be stored")
                await self._next_arrival()
            first = self._ready[0]
            segment = first if isinstance(first, Segment) else await self._recovered(first)
            self._ready.popleft()
            if segment:
                return segment

    async def _next_arrival(self) -> None:
        self._arrived.clear()
        self._awaited = True
        if self._of_age:
            self._due()
        try:
            await self._arrived.wait()
        finally:
            self._awaited = False

    async def seal(self) -> list[Path]:
        """Seals the open segment. The files that hold what was acknowledged before and was not let go."""
        sealing = self._loop.create_future()
        self._sealings.append(sealing)
        self._due()
        await sealing
        return [one.path for one in self._waiting.values()]

    async def let_go(self, segment: Segment) -> None:
        """Removes a segment that the store has confirmed, and first those that the disk has kept so far.

        Raises OSError: its file stays, and counts as bytes, until the disk lets the next one go.
        """
        if self._waiting.pop(segment.batch, None):
            self._since_ns.pop(segment.batch, None)
            self._confirmed.append(segment)
        while self._confirmed:
            oldest = self._confirmed[0]
            await self._loop.run_in_executor(self._threads.housekeeping, _unlink, oldest.path)
            self._waiting_bytes -= oldest.size_bytes
            self._confirmed.popleft()

    async def close(self) -> None:
        """Writes what is pending, seals the open segment, and lets `sealed` end once it is drained."""
        self._seal_due = True
        self._wake()
        if self._commits:
            await self._commits
        self._closed = True
        self._arrived.set()

    def _wake(self) -> None:
        if self._commits is None:
            self._commits = self._loop.create_task(self._commit_until_idle())

    async def _commit_until_idle(self) -> None:
        try:
            while self._pending or self._seal_due:
                if self._pending:
                    await self._commit()
                if self._seal_due:
                    self._seal_due = False
                    sealings, self._sealings = self._sealings, []
                    self._settle(await self._loop.run_in_executor(self._threads.writing, self._appender.seal))
                    _answer(sealings)
        finally:
            self._commits = None

    async def _commit(self) -> None:
        group, self._pending = self._pending, []
        group_bytes = self._pending_bytes
        entries = [entry for entry, _ in group]
        began_s = time.perf_counter()
        outcome = await self._loop.run_in_executor(self._threads.writing, self._appender.write, entries)
        self._pending_bytes -= group_bytes
        self._watcher.group_committed(self.signal, outcome.durable, time.perf_counter() - began_s)
        self._settle(outcome)
        _answer(durable for _, durable in group[: outcome.durable])
        self._refuse(group[outcome.durable :], outcome.failure)

    def _refuse(self, group: list[Pending], error: Exception | None) -> None:
        for _, durable in group:
            if not durable.done():
                fault = unwritable(error)
                fault.__cause__ = error
                durable.set_exception(fault)

    def _settle(self, outcome: Outcome) -> None:
        for segment in outcome.sealed:
            self._add_ready(segment)
        for left in outcome.suspect:
            self._add_ready(left)
        batch = self._appender.open_batch
        self._open_bytes = self._appender.open_bytes
        if batch != self._open_batch:
            if self._open_batch is not None and self._open_batch not in self._waiting:
                self._since_ns.pop(self._open_batch, None)
            if batch is not None:
                self._since_ns[batch] = time.monotonic_ns()
            self._open_batch = batch
            self._of_age = False
            if self._timer:
                self._timer.cancel()
            self._timer = (
                self._loop.call_later(self._appender.limits.age_s, self._come_of_age)
                if batch is not None
                else None
            )

    def _come_of_age(self) -> None:
        self._of_age = True
        if self._awaited:
            self._due()

    def _due(self) -> None:
        self._seal_due = True
        self._wake()

    def _add_ready(self, one: Segment | LeftFile) -> None:
        self._ready.append(one)
        self._waiting[one.batch] = one
        self._since_ns.setdefault(one.batch, time.monotonic_ns())
        self._waiting_bytes += one.size_bytes
        self._arrived.set()

    async def _recovered(self, left: LeftFile) -> Segment | None:
        """Shielded, so that a caller that stops waiting does not start the same repair twice."""
        if self._recovery is None:
            self._recovery = self._loop.run_in_executor(self._threads.housekeeping, self._recover, left)
        recovery = self._recovery
        try:
            recovered = await asyncio.shield(recovery)
        except OSError as error:
            raise LogUnwritable(
                f"{left.path} cannot be recovered: {error.strerror}",
                hint="Mend the disk of the data folder; the file is tried again until then",
            ) from error
        finally:
            if recovery.done():
                self._recovery = None
        self._replace_left(left, recovered)
        return recovered.segment

    def _replace_left(self, left: LeftFile, recovered: Recovered) -> None:
        for damage in recovered.damage:
            self._watcher.damage_found(self.signal, damage)
        self._waiting_bytes -= left.size_bytes
        if recovered.segment:
            self._waiting[left.batch] = recovered.segment
            self._waiting_bytes += recovered.segment.size_bytes
        else:
            del self._waiting[left.batch]
            self._since_ns.pop(left.batch, None)


def _answer(futures: Iterable[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():  # its caller may have stopped waiting
            future.set_result(None)


def unwritable(error: Exception | None) -> LogUnwritable:
    """What a sender is told when the disk refused."""
    cause = error.strerror if isinstance(error, OSError) else repr(error)
    return LogUnwritable(
        f"The log cannot be written: {cause}",
        hint="Retry; the operator has to look at the disk of the collector's data folder",
    )


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)
