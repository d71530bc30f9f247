"""The log's folder: who owns it, which names and numbers are used in it, what it was left with.

::

    lock                                  held (flock) while a collector uses the folder; holds its process id
    writer                                32 hex digits: the identity in each record's trailer; where others
                                          share the store, a new one at each start
    next-batch                            no batch number up to this one is given out again
    traces-00000000000000000042.open      being appended to
    traces-00000000000000000041.segment   sealed: waiting for the store to confirm it
    torn/                                 bytes that were cut off, kept for whoever wants to look
    probe                                 written and removed when somebody asks whether the disk takes more
"""

import errno
import fcntl
import os
import re
import shutil
import threading
import uuid
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from sightline_collector.errors import FolderInUse, FolderUnusable
from sightline_collector.store.durable import sync
from sightline_collector.wal.segment import Signal

OWNERS_ONLY = 0o700
"""The mode of a data folder that is made: prompts and answers lie in it."""
LOCK = "lock"
RESTORING = "restoring"
"""A file in a data folder that a restore has begun and not ended: nothing is to be started on it."""

# Numbers are reserved on disk this many at a time, so that a segment costs no sync of the counter file.
_RESERVED_BATCHES = 1000
# Small requests still fit on a disk that is almost full; this is what a usual one takes.
_PROBE = b"\0" * (64 << 10)
# What the system says where a file can have no second name: another disk, or one that knows no links.
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK)
_SEGMENT_NAME = re.compile(r"(traces|logs|metrics)-(\d{20})\.(open|segment)")


@dataclass(frozen=True, slots=True)
class LeftFile:
    """A segment file that an earlier process left behind, sealed or not."""

    path: Path
    signal: Signal
    batch: int
    size_bytes: int
    modified_at_ns: int


class Folder:
    """An owned log folder. `next_batch` may be called from any thread; the rest from one."""

    def __init__(self, path: Path, *, batch_floor: int | None = 0) -> None:
        """Takes the folder, making it when absent. Numbers start above `batch_floor` and all used before.
        Without a floor, for a store that others share, it gets a new name: a copy of the folder, a cloned
        machine's, may use the same numbers now.

        Raises FolderInUse when another process owns it, FolderUnusable when it cannot be used.
        """
        self.path = path
        self._batch_lock = threading.Lock()
        with ExitStack() as undo:
            try:
                (path / "torn").mkdir(parents=True, exist_ok=True)
                sync(path.parent)
                self._lock_fd = lock_folder(path)
                undo.callback(os.close, self._lock_fd)
                if batch_floor is None:
                    self._replace("writer", uuid.uuid4().hex)
                self.writer = self._own_writer()
                self.left = sorted(self._left_files(), key=lambda left: left.batch)
                used = max((left.batch for left in self.left), default=0)
                self._batch = max(used, self._stored_batch(), batch_floor or 0)
                self._reserve()
            except OSError as error:
                raise _unusable(path, error) from error
            undo.pop_all()

    @property
    def last_batch(self) -> int:
        """The highest number that was given out."""
        return self._batch

    def next_batch(self) -> int:
        """A number that no segment of this folder ever had. Raises OSError when it cannot be made durable."""
        with self._batch_lock:
            if self._batch == self._reserved:
                self._reserve()
            self._batch += 1
            return self._batch

    def segment_path(self, signal: Signal, batch: int, kind: str) -> Path:
        """Where a segment lies: `kind` is "open" or "segment"."""
        return self.path / f"{signal}-{batch:020d}.{kind}"

    def link(self, paths: Sequence[Path], into: Path) -> int:
        """Links segments into a folder, but for those let go meanwhile. How many."""
        into.mkdir(parents=True, exist_ok=True)
        linked = 0
        for path in paths:
            # A file of an earlier process may have been sealed meanwhile.
            for found in (path, path.with_suffix(".segment")):
                with suppress(FileNotFoundError):
                    link_or_copy(found, into / found.name)
                    linked += 1
                    break
        return linked

    def probe(self) -> None:
        """Writes a block, syncs it and removes it, as a record would be written. Raises OSError."""
        path = self.path / "probe"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.write(fd, _PROBE)
            os.fdatasync(fd)
        finally:
            os.close(fd)
            path.unlink(missing_ok=True)

    def sync(self) -> None:
        """Makes the names in the folder durable. A file is found again after power loss only after this."""
        sync(self.path)

    def close(self) -> None:
        """Gives the folder free for another process; stores the exact number reached."""
        with suppress(OSError):  # the reserved number on disk is higher: nothing is at risk
            self._store_batch(self._batch)
        os.close(self._lock_fd)

    def _own_writer(self) -> str:
        path = self.path / "writer"
        if not path.exists():
            self._replace("writer", uuid.uuid4().hex)
        writer = path.read_text().strip()
        if not re.fullmatch("[0-9a-f]{32}", writer):
            raise FolderUnusable(
                f"{path} does not hold the 32 hex digits that name this log",
                hint="Restore it from a backup, or delete it: a new name is made at the next start",
            )
        return writer

    def _left_files(self) -> list[LeftFile]:
        left = []
        for entry in os.scandir(self.path):
            if match := _SEGMENT_NAME.fullmatch(entry.name):
                stat = entry.stat()
                signal, batch = Signal(match[1]), int(match[2])
                left.append(LeftFile(Path(entry.path), signal, batch, stat.st_size, stat.st_mtime_ns))
        return left

    def _stored_batch(self) -> int:
        path = self.path / "next-batch"
        if not path.exists():
            return 0
        text = path.read_text().strip()
        if not re.fullmatch(r"\d{1,20}", text):
            raise FolderUnusable(
                f"{path} does not hold a number",
                hint="Restore it, or delete it: numbers go on above those in the folder and the store",
            )
        return int(text)

    def _reserve(self) -> None:
        self._store_batch(self._batch + _RESERVED_BATCHES)
        self._reserved = self._batch + _RESERVED_BATCHES

    def _store_batch(self, number: int) -> None:
        self._replace("next-batch", str(number))

    def _replace(self, name: str, text: str) -> None:
        new = self.path / f"{name}.new"
        with new.open("w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        new.rename(self.path / name)
        self.sync()


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for a file that does not change any more, or a copy where that lies on another disk.

    Raises OSError.
    """
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(source, target)


def lock_folder(path: Path, *, restoring: bool = False) -> int:
    """Takes a folder for this process, until the descriptor that comes back is closed. `restoring`: also one
    that a restore has left half made. Raises FolderInUse, FolderUnusable.
    """
    fd = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(fd, 20).decode(errors="replace").strip() or "unknown"
        os.close(fd)
        raise FolderInUse(
            f"{path} is in use by another collector, process {owner}",
            hint="Stop that process, or give this one a data folder of its own",
        ) from None
    if (path / RESTORING).exists() and not restoring:
        os.close(fd)
        raise FolderUnusable(
            f"{path} is only a part of a backup: the restore that made it was cut short",
            hint="Run that `sightline restore` once more: it begins anew",
        )
    os.ftruncate(fd, 0)
    os.write(fd, str(os.getpid()).encode())
    return fd


def _unusable(path: Path, error: OSError) -> FolderUnusable:
    return FolderUnusable(
        f"{path} cannot be used for the log: {error.strerror}",
        hint="Make it a folder that this user may write to, on a disk with free space, or name another",
    )
