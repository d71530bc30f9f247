"""A bounded folder of requests that could not be delivered: written while there is no collector, read when
there is one again, by this process or by a later one.

    folder                                       0700
      traces-<ns since 1970>-<pid>-<number>.spool    0600, of one signal and one process; see spool_file

    write ──► frames ──► head ──► answered ──► done moves on ──► at the end: the file is removed
                │ folder full: spool_full           ▲
                │ disk says no: spool_failed        │
                └─ torn or corrupt: spool_damaged ──┘ stepped over

A file belongs to the process that has it locked. The lock ends with that process, however it ends, and
whoever looks next takes the file over. What was answered but not yet noted as done when a process died is
sent again: at least once.
"""

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from itertools import count, islice
from pathlib import Path
from typing import Final

from sightline._delivery.destination import Signal
from sightline._delivery.refusal import SPOOL_FAILED, SPOOL_FULL
from sightline._delivery.spool_file import START, Frame, Request, SpoolFile, framed
from sightline._fork import reset_in_child

_FILE_BYTES: Final = 16 * 1024 * 1024  # room is freed by whole files
_FOR_LOSSES_BYTES: Final = 16_384  # what was lost is told, also when the folder is full
_FILES_MAX: Final = 32  # held open at once, of those that other processes left

_numbers: Final = count()


class Spool:
    """The folder's files of one signal that this process owns, oldest first. Methods may raise OSError."""

    def __init__(self, folder: Path, signal: Signal, max_bytes: int) -> None:
        self.folder, self._signal, self._max_bytes = folder, signal, max_bytes
        self._reset()
        reset_in_child(self._reset)

    def _reset(self) -> None:
        """No files; a forked child lets go of its parent's, whose locks it would keep alive."""
        inherited: deque[SpoolFile] = getattr(self, "_files", deque())
        self._lock = threading.Lock()
        self._files: deque[SpoolFile] = deque()
        self._writing: SpoolFile | None = None
        for file in inherited:
            file.let_go()

    @property
    def items(self) -> int:
        """Spans or records that wait in the files of this process."""
        with self._lock:
            return sum(file.items for file in self._files)

    def write(self, requests: Sequence[Request], *, tells_losses: bool = False) -> str | None:
        """None when all of them are on disk; or why none is."""
        frames = b"".join(framed(*request) for request in requests)
        if not frames:
            return None
        room = self._max_bytes - (0 if tells_losses else _FOR_LOSSES_BYTES)
        try:
            with self._lock:
                if _size_of(self.folder) + START + len(frames) > room:
                    return SPOOL_FULL
                self._open_file().append(frames, sum(items for _, items in requests))
        except OSError:
            return SPOOL_FAILED
        return None

    def head(self) -> Frame | None:
        """The oldest request, of this process or of one that is gone; None when there is none."""
        with self._lock:
            if not any(file.has_more for file in self._files):
                self._take_over()
            for file in self._files:
                if file.has_more:
                    return file.head()
        return None

    def step(self, frame: Frame) -> None:
        """The head is answered for: go on to the next, and remove a file that is done."""
        with self._lock:
            file = next((file for file in self._files if file.has_more), None)
            if file is None:
                return  # closed meanwhile
            file.step(frame)
            if not file.has_more:
                self._files.remove(file)
                self._writing = None if file is self._writing else self._writing
                file.remove()

    def has_files(self) -> bool:
        """Whether there may be something to send, of whichever process."""
        return bool(self._paths())

    def close(self) -> None:
        """Leave what is there to the next process."""
        with self._lock:
            files, self._files, self._writing = self._files, deque(), None
            for file in files:
                file.let_go()

    def _open_file(self) -> SpoolFile:
        if self._writing is None or self._writing.end >= _FILE_BYTES:
            self.folder.mkdir(0o700, parents=True, exist_ok=True)
            name = f"{self._signal}-{time.time_ns():020}-{os.getpid()}-{next(_numbers)}.spool"
            self._writing = SpoolFile.created(self.folder / name)
            self._files.append(self._writing)
        return self._writing

    def _take_over(self) -> None:
        """Own the files whose owners are gone."""
        takeable = (file for path in sorted(self._paths()) if (file := SpoolFile.taken_over(path)))
        self._files.extendleft(reversed(list(islice(takeable, _FILES_MAX))))

    def _paths(self) -> list[Path]:
        return list(self.folder.glob(f"{self._signal}-*.spool"))


def _size_of(folder: Path) -> int:
    """Bytes in the folder, whoever wrote them. Processes that write at once may each go over by a request."""
    size = 0
    for path in folder.glob("*.spool"):
        with contextlib.suppress(FileNotFoundError):  # sent meanwhile
            size += path.stat().st_size
    return size
