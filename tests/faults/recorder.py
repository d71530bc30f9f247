"""Writes down how a program changes the files below a folder.

`python tests/faults/recorder.py FOLDER FILE PROGRAM ...` runs a program; its changes go to FILE.
"""

from __future__ import annotations

import os
import sys
import time
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.change import Change, write_down
from faults.ptrace import Call, Then, run_traced
from faults.syscalls import KINDS, kind_of, names, stop_filter
from faults.touched import buffers, files, memory, position, text_at

FLAGS_OF = {"open": 1, "openat": 2}
EXCHANGE = 2
"""What renameat2 is told when two names change places."""
REMOVED = " (deleted)"


class Recorder:
    """Watches every change below a folder."""

    def __init__(self, folder: Path, into: Path) -> None:
        self._folder, self._below = str(folder), f"{folder}/"
        self._into = into
        self._names = names(KINDS)
        self._begun: dict[int, tuple[Change, ...]] = {}
        self._numbers = count(1)

    def __call__(self, call: Call) -> Then:
        name = self._names[call.number]
        if call.result is None:
            return self._begins(call, name)
        begun = self._begun.pop(call.thread)
        if call.result >= 0:
            for change in begun:
                self._tell(self._as_it_ended(change, call, name))
        return Then.GO_ON

    def _begins(self, call: Call, name: str) -> Then:
        paths = files(call, name)
        if not any(map(self._is_below, paths)):
            return Then.GO_ON
        told = self._change(call, name, paths)
        if told is None:
            return Then.GO_ON
        self._begun[call.thread] = (told,)
        return Then.TELL_THE_END

    def _is_below(self, path: str) -> bool:
        return path == self._folder or (path.startswith(self._below) and not path.endswith(REMOVED))

    def _change(self, call: Call, name: str, paths: tuple[str, ...]) -> Change | None:
        """What the call is about to change; None when it changes nothing."""
        kind, now, path = kind_of(name), time.monotonic_ns(), paths[0]
        if kind in ("open", "write", "fill") and Path(path).is_fifo():
            return None  # of a pipe the disk has the name alone
        if kind == "open":
            flags = call.arguments[FLAGS_OF[name]] if name in FLAGS_OF else os.O_CREAT | os.O_TRUNC
            made = flags & (os.O_CREAT | os.O_TRUNC)
            return Change(now, "make", path, offset=flags & os.O_TRUNC) if made else None
        if kind == "sync":
            number = next(self._numbers)
            self._tell(Change(now, "sync-begin", path, offset=number))
            return Change(now, "sync-end", path, offset=number)
        if kind == "write":
            return Change(now, kind, path, data=_written(call, name))
        if kind == "cut":
            return Change(now, kind, path, offset=call.arguments[1])
        if kind == "symlink":
            return Change(now, kind, path, text_at(call, call.arguments[0]))
        if name == "renameat2" and call.arguments[4] & EXCHANGE:
            kind = "exchange"
        return Change(now, "content" if kind == "fill" else kind, path, "".join(paths[1:]))

    def _as_it_ended(self, change: Change, call: Call, name: str) -> Change:
        """With what is known only now: how much was written, and where."""
        now = time.monotonic_ns()
        if change.kind == "write":
            assert call.result is not None
            told_where = call.arguments[3] if name.startswith("pwrite") else None
            at = position(call, call.arguments[0]) - call.result if told_where is None else told_where
            return Change(now, "write", change.path, data=change.data[: call.result], offset=at)
        if change.kind == "content":
            return Change(now, "content", change.path, data=Path(change.path).read_bytes())
        return Change(now, change.kind, change.path, change.other, offset=change.offset)

    def _tell(self, change: Change) -> None:
        write_down(self._into, change)


def _written(call: Call, name: str) -> bytes:
    _, address, size, *_ = call.arguments
    vectored = name in ("writev", "pwritev", "pwritev2")
    return buffers(call, address, size) if vectored else memory(call, address, size)


def recorded(folder: Path, into: Path) -> tuple[str, ...]:
    """What a program has to run under for it."""
    return (sys.executable, __file__, str(folder), str(into))


def main(arguments: list[str]) -> None:
    """Become the program."""
    folder, into = Path(arguments[0]), Path(arguments[1])
    run_traced(arguments[2:], stop_filter(names(KINDS)), lambda: Recorder(folder, into))


if __name__ == "__main__":
    main(sys.argv[1:])
