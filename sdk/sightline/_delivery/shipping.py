"""A bounded queue and one thread that empties it in batches.

    put ──► queue (items and bytes bounded) ──► thread: batch ──► send ──► sent
             │ full                               ▲               │ │
             └──────────► loss: queue_full        └── wait ◄──────┘ │ nobody there, or busy
             (or: kept on disk, see replay)                         │
                          loss: refused_413, ...  ◄─────────────────┘ refused for good

Nothing leaves the count: put == sent + kept + lost + still queued. A full queue drops what comes, so
that what was there first (parents' children, the beginning of a burst) arrives whole.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from opentelemetry import context as otel_context
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY

from sightline._delivery.limits import Limits
from sightline._delivery.refusal import CLOSED, NO_OTLP, QUEUE_FULL, UNREACHABLE, Refusal
from sightline._fork import reset_in_child
from sightline._safety import record_fault

T = TypeVar("T")

RETRY_MAX_S: Final = 30.0  # a collector that is back is noticed within half a minute


class Shipper(Generic[T]):
    """`send` answers None when a batch was taken; `lost` is told how many were dropped and why.

    `keep` puts what cannot be sent now where it is safe, and answers None, or why it could not.
    """

    def __init__(
        self,
        name: str,
        send: Callable[[Sequence[T]], Refusal | None],
        *,
        weigh: Callable[[T], int],
        lost: Callable[[str, int], None],
        limits: Limits,
        keep: Callable[[Sequence[T]], str | None] | None = None,
    ) -> None:
        self._name, self._send, self._weigh, self._lost, self._limits = name, send, weigh, lost, limits
        self._keep = keep
        self._worth_waking = (1, limits.batch_items)
        self._reset()
        reset_in_child(self._reset)

    def _reset(self) -> None:
        """Start empty; also in a forked child, where the thread is gone and the items are the parent's."""
        # Reentrant: the garbage collector may end a span in the middle of another one's `put`.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._queue: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._put = self._done = self.sent = self.kept = self._failures = 0
        self._hurry = self._closed = self._given_up = False
        self._under_way: Sequence[T] = ()
        self._no_room = QUEUE_FULL
        self._thread: threading.Thread | None = None

    @property
    def queued(self) -> int:
        """Items put and neither sent nor lost yet."""
        return self._put - self._done

    def put(self, item: T) -> None:
        """Take an item, or count it as lost; never waits for the network."""
        weight = self._weigh(item)
        with self._lock:
            if self._closed:
                reason = CLOSED
            elif len(self._queue) >= self._limits.max_items or self._bytes + weight > self._limits.max_bytes:
                reason = self._no_room
            else:
                self._queue.append((item, weight))
                self._bytes += weight
                self._put += 1
                if len(self._queue) in self._worth_waking:
                    self._wake()
                return
        self._lost(reason, 1)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was put before is sent or lost; False when time ran out, or nobody is there."""
        with self._changed:
            goal, failures = self._put, self._failures
            if self._done >= goal:
                return True
            self._hurry = True
            threaded = self._ensure_thread()
            self._changed.notify_all()
            if threaded:
                self._changed.wait_for(lambda: self._done >= goal or self._failures > failures, timeout_s)
                return self._done >= goal
        while self._done < goal:
            self._ship_one_batch(patient=False)
        return True

    def close(self, timeout_s: float) -> bool:
        """Send what is there and stop; what could not be sent in time is kept, or lost and counted so."""
        drained = self.flush(timeout_s)
        with self._changed:
            self._closed = True
            left = [item for item, _ in self._queue]
            self._queue.clear()
            self._changed.notify_all()
        for start in range(0, len(left), self._limits.batch_items):
            batch = left[start : start + self._limits.batch_items]
            if not self._put_aside(batch):
                self._lost(self._reason(CLOSED), len(batch))
        with self._changed:
            self._done += len(left)
        return drained

    def give_up(self, timeout_s: float) -> None:
        """After the close: the batch on its way is waited for once more, then kept, or lost.

        Kept, it may arrive twice; lost, it may have arrived.
        """
        if self.flush(timeout_s):
            return
        with self._changed:
            batch, self._given_up = self._under_way, True
        if batch and not self._put_aside(batch):
            self._lost(self._reason(CLOSED), len(batch))

    def _wake(self) -> None:
        if self._thread is None:
            self._ensure_thread()
        self._changed.notify_all()

    def _ensure_thread(self) -> bool:
        """False when the interpreter is going down and grants no thread: then a flush sends by itself."""
        if self._thread is None or not self._thread.is_alive():
            thread = threading.Thread(target=self._run, name=f"sightline-{self._name}", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return False
            self._thread = thread
        return True

    def _run(self) -> None:
        while self._ship_one_batch():
            pass

    def _ship_one_batch(self, *, patient: bool = True) -> bool:
        """Wait for a batch and send it; False when the queue is closed."""
        batch = self._next_batch()
        if not batch:
            return False
        # The exporter's own HTTP calls must not become spans.
        token = otel_context.attach(otel_context.set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        try:
            self._deliver(batch, patient)
        finally:
            otel_context.detach(token)
        with self._changed:
            self._under_way = ()
            self._done += len(batch)
            self._changed.notify_all()
        return True

    def _next_batch(self) -> list[T]:
        """Wait for a full batch, a hurry, or the delay; empty when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            self._changed.wait_for(self._is_due, self._limits.delay_s)
            batch: list[T] = []
            weight = 0
            while self._queue and len(batch) < self._limits.batch_items and weight < self._limits.batch_bytes:
                item, size = self._queue.popleft()
                weight += size
                batch.append(item)
            self._bytes -= weight
            if not self._queue:
                self._hurry = False
            self._under_way = batch
            return batch

    def _is_due(self) -> bool:
        return self._hurry or self._closed or len(self._queue) >= self._limits.batch_items

    def _deliver(self, batch: Sequence[T], patient: bool) -> None:
        """Send until it is taken, kept or refused for good; what is refused as a whole is tried in halves."""
        attempt = 0
        refusal = self._attempt(batch)
        while refusal and refusal.later and not self._given_up:
            if self._put_aside(batch):
                return
            if not (patient and self._may_retry(refusal, attempt)):
                break
            attempt += 1
            refusal = self._attempt(batch)
        if self._given_up:
            return
        if refusal is None:
            self.sent += len(batch)
            self._no_room = QUEUE_FULL
        elif refusal.splits and len(batch) > 1:
            middle = len(batch) // 2
            self._deliver(batch[:middle], patient)
            self._deliver(batch[middle:], patient)
        else:
            refused = len(batch) if refusal.items is None else min(refusal.items, len(batch))
            self.sent += len(batch) - refused
            self._lost(self._reason(refusal.reason) if refusal.later else refusal.reason, refused)

    def _put_aside(self, batch: Sequence[T]) -> bool:
        """Whether the batch is safe elsewhere; if not, a full queue is blamed on what was full there."""
        if self._keep is None:
            return False
        try:
            refused = self._keep(batch)
        except Exception as error:
            with contextlib.suppress(Exception):
                record_fault(f"keep {self._name}", error)
            return False
        self._no_room = refused or QUEUE_FULL
        if refused is None:
            self.kept += len(batch)
        return refused is None

    def _reason(self, otherwise: str) -> str:
        return otherwise if self._no_room == QUEUE_FULL else self._no_room

    def _attempt(self, batch: Sequence[T]) -> Refusal | None:
        try:
            return self._send(batch)
        except Exception as error:
            with contextlib.suppress(Exception):  # strict mode re-raises, but this thread must live to count
                record_fault(f"send {self._name}", error)
            return Refusal(splits=True)

    def _may_retry(self, refusal: Refusal, attempt: int) -> bool:
        """Wait, longer each time, unless somebody flushes; False when closed meanwhile.

        A flush does not wait for a collector that is not there; for a busy one it does.
        """
        pause_s = min(max(2.0**attempt, refusal.after_s), RETRY_MAX_S)
        with self._changed:
            if refusal.reason in (UNREACHABLE, NO_OTLP):
                self._failures += 1
            self._hurry = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._hurry or self._closed, pause_s)
            return not self._closed
