"""A bounded folder of requests that could not be delivered: written while there is no collector, read when
there is one again, by this process or by a later one.

    folder                                       0700
      traces-<ns since 1970>-<pid>-<number>.spool    0600, of one signal and one process

    file  = "SLSPOOL1" | done u64 | frame ...                            numbers are little-endian
    frame = size u32 | items u32 | crc32 of body | crc32 of these 12 bytes | body
    body  = an OTLP request in protobuf, as it would have been sent: the guard has seen it

    write ──► frames ──► head ──► answered ──► done moves on ──► at the end: the file is removed
                │ folder full: spool_full           ▲
                │ disk says no: spool_failed        │
                └─ torn or corrupt: spool_damaged ──┘ stepped over

A file belongs to the process that has it locked. The lock ends with that process, however it ends, and
whoever looks next takes the file over. What was answered but not yet noted as done when a process died is
sent again: at least once. A killed process loses nothing of what was written; a power cut may take the last
seconds of it, for nothing is forced to disk.
"""

import contextlib
import os
import struct
import sys
import threading
import time
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Final

from sightline._destination import Signal
from sightline._fork import reset_in_child
from sightline._refusal import SPOOL_FAILED, SPOOL_FULL

if sys.platform != "win32":  # where `_settings` refuses a spool
    import fcntl

_FILE_BYTES: Final = 16 * 1024 * 1024  # room is freed by whole files
_FOR_LOSSES_BYTES: Final = 16_384  # what was lost is told, also when the folder is full
_FILES_MAX: Final = 32  # held open at once, of those that other processes left

_MAGIC: Final = b"SLSPOOL1"
_DONE: Final = struct.Struct("<Q")
_START: Final = len(_MAGIC) + _DONE.size
_FRAME: Final = struct.Struct("<IIII")
_numbers: Final = count()

Request = tuple[bytes, int]  # a body, and how many items it holds


@dataclass(frozen=True, slots=True)
class Frame:
    """A request and how many spans or records it holds; `body` is None when it cannot be read any more."""

    body: bytes | None
    items: int
    end: int


class Spool:
    """The folder's files of one signal that this process owns, oldest first. Methods may raise OSError."""

    def __init__(self, folder: Path, signal: Signal, max_bytes: int) -> None:
        self.folder, self._signal, self._max_bytes = folder, signal, max_bytes
        self._reset()
        reset_in_child(self._reset)

    def _reset(self) -> None:
        """No files; a forked child lets go of its parent's, whose locks it would keep alive."""
        inherited: deque[_File] = getattr(self, "_files", deque())
        self._lock = threading.Lock()
        self._files: deque[_File] = deque()
        self._writing: _File | None = None
        for file in inherited:
            file.let_go()

    @property
    def items(self) -> int:
        """Spans or records that wait in the files of this process."""
        with self._lock:
            return sum(file.items for file in self._files)

    def write(self, requests: Sequence[Request], *, tells_losses: bool = False) -> str | None:
        """None when all of them are on disk; or why none is."""
        frames = b"".join(_framed(*request) for request in requests)
        room = self._max_bytes - (0 if tells_losses else _FOR_LOSSES_BYTES)
        try:
            with self._lock:
                if _size_of(self.folder) + _START + len(frames) > room:
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

    def _open_file(self) -> "_File":
        if self._writing is None or self._writing.end >= _FILE_BYTES:
            self.folder.mkdir(0o700, parents=True, exist_ok=True)
            name = f"{self._signal}-{time.time_ns():020}-{os.getpid()}-{next(_numbers)}.spool"
            self._writing = _File.created(self.folder / name)
            self._files.append(self._writing)
        return self._writing

    def _take_over(self) -> None:
        """Own the files whose owners are gone."""
        takeable = (file for path in sorted(self._paths()) if (file := _File.taken_over(path)))
        self._files.extendleft(reversed(list(islice(takeable, _FILES_MAX))))

    def _paths(self) -> list[Path]:
        return list(self.folder.glob(f"{self._signal}-*.spool"))


class _File:
    """A file of the spool that this process has locked."""

    def __init__(self, path: Path, descriptor: int, done: int, end: int) -> None:
        self.path, self._descriptor = path, descriptor
        self._done, self.end = done, end
        self.items = 0

    @classmethod
    def created(cls, path: Path) -> "_File":
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # whoever looks into it right now will not take long
            _write(descriptor, _MAGIC + _DONE.pack(_START), 0)
            if not os.fstat(descriptor).st_nlink:
                raise FileNotFoundError(path)
        except OSError:
            path.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        return cls(path, descriptor, _START, _START)

    @classmethod
    def taken_over(cls, path: Path) -> "_File | None":
        """None when its owner lives, or it is not of this format."""
        try:
            descriptor = os.open(path, os.O_RDWR)
        except OSError:
            return None  # removed meanwhile, or another user's
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return cls._read(path, descriptor)
        except OSError:
            os.close(descriptor)
            return None

    @classmethod
    def _read(cls, path: Path, descriptor: int) -> "_File":
        start, status = os.pread(descriptor, _START, 0), os.fstat(descriptor)
        if not status.st_nlink:
            raise FileNotFoundError(path)
        if len(start) < _START:  # its owner was killed before anything was in it
            path.unlink()
            raise FileNotFoundError(path)
        if not start.startswith(_MAGIC):
            raise OSError(f"{path} is of another version")
        (done,) = _DONE.unpack_from(start, len(_MAGIC))
        file = cls(path, descriptor, done if _START <= done <= status.st_size else _START, status.st_size)
        file.items = file._count()
        return file

    @property
    def has_more(self) -> bool:
        return self._done < self.end

    def append(self, frames: bytes, items: int) -> None:
        try:
            _write(self._descriptor, frames, self.end)
        except OSError:
            os.ftruncate(self._descriptor, self.end)
            raise
        self.end += len(frames)
        self.items += items

    def head(self) -> Frame:
        return self._frame(self._done, whole=True)

    def step(self, frame: Frame) -> None:
        self._done = frame.end
        self.items -= frame.items
        _write(self._descriptor, _DONE.pack(frame.end), len(_MAGIC))

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def let_go(self) -> None:
        os.close(self._descriptor)

    def _count(self) -> int:
        items, at = 0, self._done
        while at < self.end:
            frame = self._frame(at, whole=False)
            items, at = items + frame.items, frame.end
        return items

    def _frame(self, at: int, *, whole: bool) -> Frame:
        """What begins here. Behind a head that cannot be read nothing can be found: one item at least."""
        head = os.pread(self._descriptor, _FRAME.size, at)
        if len(head) < _FRAME.size:
            return Frame(None, 1, self.end)
        size, items, body_crc, head_crc = _FRAME.unpack(head)
        if zlib.crc32(head[:12]) != head_crc:
            return Frame(None, 1, self.end)
        end = at + _FRAME.size + size
        if end > self.end:
            return Frame(None, items, self.end)
        body = os.pread(self._descriptor, size, at + _FRAME.size) if whole else b""
        return Frame(body if zlib.crc32(body) == body_crc else None, items, end)


def _framed(body: bytes, items: int) -> bytes:
    head = struct.pack("<III", len(body), items, zlib.crc32(body))
    return head + struct.pack("<I", zlib.crc32(head)) + body


def _write(descriptor: int, data: bytes, at: int) -> None:
    """All of it, or OSError."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, at)
        view, at = view[written:], at + written


def _size_of(folder: Path) -> int:
    """Bytes in the folder, whoever wrote them. Processes that write at once may each go over by a request."""
    size = 0
    for path in folder.glob("*.spool"):
        with contextlib.suppress(FileNotFoundError):  # sent meanwhile
            size += path.stat().st_size
    return size
