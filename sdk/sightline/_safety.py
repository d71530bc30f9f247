"""Our faults never reach the user's program: swallowed at the edge, counted, re-raised under test.

Every function that a user's program calls into, and that is not the user's own code, is either `shielded`
or calls only what is. `SIGHTLINE_STRICT=1` re-raises, for our tests and for users who report a fault.
"""

import functools
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LOG_EVERY_S: Final = 60.0  # one line a minute says as much as a thousand

log: Final = logging.getLogger("sightline")

_lock = threading.Lock()
_counts: Counter[str] = Counter()
_last: str | None = None
_last_logged: dict[str, float] = {}


def shielded(function: Callable[P, T]) -> Callable[P, T | None]:
    """The same function, which answers `None` instead of failing."""

    @functools.wraps(function)
    def shield(*args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            record_fault(function.__qualname__, error)
            return None

    return shield


def record_fault(where: str, error: Exception) -> None:
    """Count a fault of ours; call it inside the `except` that caught it."""
    global _last
    words = words_of(error)
    with _lock:
        _counts[where] += 1
        _last = f"{where}: {type(error).__name__}: {words}"
    if os.environ.get("SIGHTLINE_STRICT") == "1":
        raise error
    log_rarely(
        where, "Sightline hid a fault of its own in %s; the program is not affected", where, error=error
    )


def log_rarely(
    topic: str,
    message: str,
    *args: object,
    error: Exception | None = None,
    every_s: float = LOG_EVERY_S,
) -> None:
    """Warn, but rarely about one topic: a collector that is down must not fill the user's log."""
    now = time.monotonic()
    with _lock:
        if topic in _last_logged and now - _last_logged[topic] < every_s:
            return
        _last_logged[topic] = now
    try:
        log.warning(message, *args, exc_info=error)
    except Exception:  # a user's handler, or an exception of which no stack trace can be made
        with suppress(Exception):
            log.warning(message, *args)


def words_of(error: BaseException) -> str | None:
    """An exception's text is made by the user's code, which may fail while failing: then None."""
    try:
        return str(error)
    except Exception:
        return None


def faults() -> tuple[dict[str, int], str | None]:
    """How often each place failed since the start, and the text of the latest fault."""
    with _lock:
        return dict(_counts), _last


def forget_faults() -> None:
    """Start counting anew, with a free lock: for tests, and for a forked child."""
    global _last, _lock
    _lock = threading.Lock()
    with _lock:
        _counts.clear()
        _last_logged.clear()
        _last = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_faults)
