"""Work that nobody waits for: one thread, a bounded queue, and a count of what did not fit.

submit ──► queue (bounded) ──► thread: one task after the other ──► done
            │ full                 ▲ drain() waits, close() gives up what is left
            └──► lost: queue_full  └──► lost: closed
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from sightline._delivery.refusal import CLOSED, QUEUE_FULL
from sightline._fork import reset_in_child
from sightline._safety import record_fault

EXIT_S: Final = 5.0  # how long a program's end may wait for what was submitted

Task = Callable[[], None]


class Background:
    """`lost`, while somebody listens, is told why and how many tasks were dropped."""

    def __init__(self, name: str, max_waiting: int) -> None:
        self._name, self._max_waiting = name, max_waiting
        self.lost: Callable[[str, int], None] | None = None
        self._registered = self._waited_at_exit = False
        self._reset()
        reset_in_child(self._reset)

    def _reset(self) -> None:
        """Start empty; also in a forked child, where the thread is gone and the tasks are the parent's."""
        self._changed = threading.Condition()  # reentrant: a task may be submitted from a finalizer
        self._tasks: deque[Task] = deque()
        self._running = False
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """Tasks that are neither done nor lost."""
        return len(self._tasks) + self._running

    def submit(self, task: Task) -> None:
        """Have it done some time, or count it as lost; never waits."""
        with self._changed:
            if len(self._tasks) >= self._max_waiting:
                self._lose(QUEUE_FULL, 1)
            elif self._ensure_thread():
                self._tasks.append(task)
                self._changed.notify_all()
            else:
                self._lose(CLOSED, 1)

    def drain(self, timeout_s: float) -> bool:
        """Wait until all that was submitted is done; False when time ran out first."""
        if threading.current_thread() is self._thread:
            return True  # a task that flushes must not wait for itself
        with self._changed:
            return self._changed.wait_for(lambda: not self.waiting, timeout_s)

    def close(self, timeout_s: float) -> None:
        """Wait as long; what was not begun by then is lost. Tasks may be submitted again afterwards."""
        self.drain(0 if self._waited_at_exit else timeout_s)
        with self._changed:
            left = len(self._tasks)
            self._tasks.clear()
            self._changed.notify_all()
            if left:
                self._lose(CLOSED, left)

    def _ensure_thread(self) -> bool:
        """False when the interpreter is going down and grants no thread."""
        if self._thread is None or not self._thread.is_alive():
            self._wait_at_exit()
            thread = threading.Thread(target=self._run, name=f"sightline-{self._name}", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return False
            self._thread = thread
        return True

    def _wait_at_exit(self) -> None:
        """Wait before Python closes its thread pools, which clients and event loops of tasks may need: what
        `atexit` calls comes too late for them. Without that hook of Python's, it is `close` that waits.
        """
        register: Any = getattr(threading, "_register_atexit", None)
        if register is None or self._registered:
            return
        import concurrent.futures.thread  # noqa: F401  # its own hook was registered before, so it runs later

        self._registered = True
        register(self._at_exit)

    def _at_exit(self) -> None:
        self.drain(EXIT_S)
        self._waited_at_exit = True

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._tasks)
                task = self._tasks.popleft()
                self._running = True
            try:
                task()
            except BaseException as error:  # not even a task that exits ends the thread
                with contextlib.suppress(Exception):
                    record_fault(self._name, RuntimeError(f"{type(error).__name__}: {error}"))
            finally:
                with self._changed:
                    self._running = False
                    self._changed.notify_all()

    def _lose(self, reason: str, tasks: int) -> None:
        if self.lost is not None:
            self.lost(reason, tasks)


# Judges may be slower than the program that they judge, and each task holds on to an answer.
evaluations: Final = Background("evaluations", max_waiting=1_000)
