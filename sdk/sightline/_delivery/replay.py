"""What a spool holds goes to the collector, oldest first, as soon as somebody is there.

    keep ──► spool ──► thread: head ──► send ──► sent ──► step, and a pause as long as it took
               ▲                         │ │ refused for good, or damaged: lost, and step
               └── wait, longer and ─────┘ ▼
                   longer                 away: until one gets through, all that comes is kept, untried

At most one request is on its way, and the pause leaves the collector at least half of its time.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from opentelemetry import context as otel_context
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY

from sightline._delivery.destination import Signal
from sightline._delivery.refusal import SPOOL_DAMAGED, SPOOL_FAILED, UNENCODABLE, Refusal
from sightline._delivery.sender import REQUEST_BYTES
from sightline._delivery.shipping import RETRY_MAX_S
from sightline._delivery.spool import Spool
from sightline._delivery.spool_file import Frame, Request
from sightline._fork import reset_in_child
from sightline._safety import log_rarely, record_fault

if TYPE_CHECKING:
    from sightline._settings import Settings

T = TypeVar("T")

_PAUSE_MIN_S: Final = 0.01


def replays(
    settings: "Settings",
    send: Callable[[Signal, bytes], Refusal | None],
    lost: Callable[[str], Callable[[str, int], None]],
) -> "Mapping[Signal, Replay]":
    """One for each signal; none when no folder was chosen, or it cannot be used, which is said."""
    folder = settings.spool
    if folder is None:
        return {}
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
    except OSError as error:
        _say_unusable(folder, error)
        return {}
    signals: tuple[Signal, ...] = ("traces", "logs")
    return {
        signal: Replay(
            signal, Spool(folder, signal, settings.spool_max_bytes), partial(send, signal), lost(signal)
        )
        for signal in signals
    }


class Replay:
    """One signal's spool and the thread that empties it; there is a thread only while there is work.

    `send` is given a request; `lost` is told how many were dropped and why.
    """

    def __init__(
        self,
        name: str,
        spool: Spool,
        send: Callable[[bytes], Refusal | None],
        lost: Callable[[str, int], None],
    ) -> None:
        self._name, self._spool, self._send, self._lost = name, spool, send, lost
        self._reset()
        reset_in_child(self._reset)

    def _reset(self) -> None:
        """No thread yet; in a forked child there is none any more."""
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._hurry = self._closed = False
        self._failures = self.sent = 0
        self.away = False

    @property
    def waiting(self) -> int:
        """Items on disk that this process is to send."""
        return self._spool.items

    def start(self) -> None:
        """Send what is there already, if there is something."""
        if self._spool.has_files():
            self._wake()

    def keep(
        self, items: Sequence[T], write: Callable[[Sequence[T]], bytes], *, tells_losses: bool = False
    ) -> str | None:
        """Put items on disk, encoded by `write`, until somebody is there; None, or why that failed."""
        reason = self._spool.write(self._requests(items, write), tells_losses=tells_losses)
        if reason == SPOOL_FAILED:
            _say_unusable(self._spool.folder, None)
        if reason is None:
            self.away = True
            self._wake()
        return reason

    def flush(self, timeout_s: float) -> bool:
        """Try at once, and wait until all is sent; False when time ran out, or nobody is there."""
        if self.waiting:
            self._wake()
        with self._changed:
            failures, self._hurry = self._failures, True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._thread is None or self._failures > failures, timeout_s)
            self._hurry = False
            gone = self._thread is None
        return gone and not self.waiting

    def close(self) -> None:
        """Leave what is there to the next process."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._spool.close()

    def _requests(self, items: Sequence[T], write: Callable[[Sequence[T]], bytes]) -> list[Request]:
        """Bodies that any collector takes."""
        try:
            body = write(items)
        except Exception:
            body = None
        if body is not None and (len(body) <= REQUEST_BYTES or len(items) == 1):
            return [(body, len(items))]
        if len(items) == 1:
            self._lost(UNENCODABLE, 1)
            return []
        middle = len(items) // 2
        return self._requests(items[:middle], write) + self._requests(items[middle:], write)

    def _wake(self) -> None:
        with self._changed:
            alive = self._thread is not None and self._thread.is_alive()
            if not alive and not self._closed:
                thread = threading.Thread(target=self._run, name=f"sightline-{self._name}-spool", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    return  # the interpreter is going down: it waits on disk
                self._thread = thread

    def _run(self) -> None:
        token = otel_context.attach(otel_context.set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        attempt = 0
        while (frame := self._next()) is not None:
            began_s = time.monotonic()
            waits = self._deliver(frame)
            if waits is None:
                attempt = 0
                self._pause(max(time.monotonic() - began_s, _PAUSE_MIN_S))
            else:
                attempt += 1
                self._pause(min(max(2.0**attempt, waits.after_s), RETRY_MAX_S), failed=True)
        otel_context.detach(token)

    def _next(self) -> Frame | None:
        """The oldest request; None ends the thread: nobody can put one between the look and the end."""
        with self._changed:
            frame = None
            if not self._closed:
                with contextlib.suppress(OSError):
                    frame = self._spool.head()
                self.away = self.away and frame is not None
            if frame is None:
                self._thread = None
                self._changed.notify_all()
            return frame

    def _deliver(self, frame: Frame) -> Refusal | None:
        """None when the frame is done with: taken, refused for good, or damaged; or why it has to wait."""
        refusal = Refusal(SPOOL_DAMAGED) if frame.body is None else self._attempt(frame.body)
        if refusal and refusal.later:
            return refusal
        if frame.body is not None:
            self.away = False
        refused = 0
        if refusal:
            refused = frame.items if refusal.items is None else min(refusal.items, frame.items)
            self._lost(refusal.reason, refused)
        self.sent += frame.items - refused
        with contextlib.suppress(OSError):
            self._spool.step(frame)
        return None

    def _attempt(self, body: bytes) -> Refusal | None:
        try:
            return self._send(body)
        except Exception as error:
            with contextlib.suppress(Exception):  # strict mode re-raises, but this thread must live on
                record_fault(f"send {self._name}", error)
            return Refusal(later=True)

    def _pause(self, pause_s: float, *, failed: bool = False) -> None:
        """Shorter when somebody flushes, but a flush ends with the first failure."""
        with self._changed:
            if failed:
                self._failures += 1
                self._hurry = False
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._hurry or self._closed, pause_s)


def _say_unusable(folder: Path, error: OSError | None) -> None:
    log_rarely(
        "spool",
        "Sightline cannot write to its spool %s (%s); what cannot be sent waits in memory. Is there room, and"
        " may this user write there?",
        folder,
        error.strerror if error else "disk",
    )
