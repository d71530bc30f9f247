"""One file of requests that wait on disk: frames, and how far they are answered for. See `_delivery.spool`.

    file  = "SLSPOOL1" | done u64 | frame ...                            numbers are little-endian
    frame = size u32 | items u32 | crc32 of body | crc32 of these 12 bytes | body
    body  = an OTLP request in protobuf, as it would have been sent: the guard has seen it

`done` is where the first request begins that was not answered yet. Written without fsync: what was written
outlives a killed process; a power cut may take the last seconds of it.
"""

import os
import struct
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

if sys.platform != "win32":  # where `_settings` refuses a spool
    import fcntl

_MAGIC: Final = b"SLSPOOL1"
_DONE: Final = struct.Struct("<Q")
START: Final = len(_MAGIC) + _DONE.size
_FRAME: Final = struct.Struct("<IIII")

Request = tuple[bytes, int]  # a body, and how many items it holds


@dataclass(frozen=True, slots=True)
class Frame:
    """A request and how many spans or records it holds; `body` is None when it cannot be read any more."""

    body: bytes | None
    items: int
    end: int


class SpoolFile:
    """A file of the spool that this process has locked."""

    def __init__(self, path: Path, descriptor: int, done: int, end: int) -> None:
        self.path, self._descriptor = path, descriptor
        self._done, self.end = done, end
        self.items = 0

    @classmethod
    def created(cls, path: Path) -> "SpoolFile":
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # whoever looks into it right now will not take long
            _write(descriptor, _MAGIC + _DONE.pack(START), 0)
            if not os.fstat(descriptor).st_nlink:
                raise FileNotFoundError(path)
        except OSError:
            path.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        return cls(path, descriptor, START, START)

    @classmethod
    def taken_over(cls, path: Path) -> "SpoolFile | None":
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
    def _read(cls, path: Path, descriptor: int) -> "SpoolFile":
        start, status = os.pread(descriptor, START, 0), os.fstat(descriptor)
        if not status.st_nlink:
            raise FileNotFoundError(path)
        done = _DONE.unpack_from(start, len(_MAGIC))[0] if len(start) == START else status.st_size
        if status.st_size <= START or done == status.st_size:  # killed before the first, or after the last
            path.unlink()
            raise FileNotFoundError(path)
        if not start.startswith(_MAGIC):
            raise OSError(f"{path} is of another version")
        file = cls(path, descriptor, done if START <= done < status.st_size else START, status.st_size)
        file.items = file._count()
        return file

    @property
    def has_more(self) -> bool:
        """Whether a request waits in it."""
        return self._done < self.end

    def append(self, frames: bytes, items: int) -> None:
        """All of the frames, or none and OSError."""
        try:
            _write(self._descriptor, frames, self.end)
        except OSError:
            os.ftruncate(self._descriptor, self.end)
            raise
        self.end += len(frames)
        self.items += items

    def head(self) -> Frame:
        """The oldest request that waits."""
        return self._frame(self._done, whole=True)

    def step(self, frame: Frame) -> None:
        """The head is answered for."""
        self._done = frame.end
        self.items -= frame.items
        _write(self._descriptor, _DONE.pack(frame.end), len(_MAGIC))

    def remove(self) -> None:
        """Nothing is in it any more."""
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def let_go(self) -> None:
        """Another process may take it over."""
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


def framed(body: bytes, items: int) -> bytes:
    """The request as a frame."""
    head = struct.pack("<III", len(body), items, zlib.crc32(body))
    return head + struct.pack("<I", zlib.crc32(head)) + body


def _write(descriptor: int, data: bytes, at: int) -> None:
    """All of it, or OSError."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, at)
        view, at = view[written:], at + written
