"""Child processes that end without `atexit`: they are told to send what they have, and stop.

    os.fork, gunicorn            atexit runs in the child, if it ends as a program does
    multiprocessing, executors   os._exit; a Finalize of the child's own, which has forgotten its parent's
    Celery's prefork pool        os._exit; Celery's signal for it
    os._exit, SIGKILL            nothing can: call `sightline.flush()` first

None of these libraries is imported here: a child of theirs exists only where they are there already.
"""

import os
import sys
from collections.abc import Callable
from typing import Any, Final

_UTILITIES: Final = ("multiprocessing.util", "billiard.util")  # the latter is Celery's own copy
_LATE: Final = -100  # after the library's own queues, and after a child's children have ended

_stop: Callable[[], None] | None = None


def stop_in_children(stop: Callable[[], None]) -> None:
    """Call this at the end of every child from now on, and of this process if it is one."""
    global _stop
    _stop = stop
    _at_the_end_of_children()
    for name in _UTILITIES:
        process = sys.modules.get(f"{name.partition('.')[0]}.process")
        if process is not None and getattr(process.current_process(), "_parent_pid", None) is not None:
            _finish(sys.modules[name])
    celery: Any = sys.modules.get("celery.signals")
    if celery is not None:
        celery.worker_process_shutdown.connect(_stop_celery, weak=False, dispatch_uid="sightline")


def _at_the_end_of_children() -> None:
    """Both libraries forget their finalizers in a new child, and then run what was registered for it."""
    for name in _UTILITIES:
        utilities: Any = sys.modules.get(name)
        if utilities is not None and _stop is not None:
            utilities.register_after_fork(utilities, _finish)


def _finish(utilities: Any) -> None:
    if _stop is not None:
        utilities.Finalize(None, _stop, exitpriority=_LATE)


def _stop_celery(**_: object) -> None:
    if _stop is not None:
        _stop()


if hasattr(os, "register_at_fork"):
    # In the child, where the library that forked it is loaded for sure, and before it starts to work.
    os.register_at_fork(after_in_child=_at_the_end_of_children)
