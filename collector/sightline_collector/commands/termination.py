"""SIGTERM to a subcommand that has begun something: it is undone, as on Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def undone() -> Iterator[None]:
    """Inside, the first of these signals raises SystemExit, with the exit code that a shell gives it; a
    second one does not disturb what is being undone. For the main thread."""
    # What is ignored already stays so: to whom nohup began, the end of a terminal is no end.
    heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _exit) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit(number: int, _: FrameType | None) -> None:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)
