"""A statement that reads a pipe, in a thread of its own, after others that make what it reads by."""

from __future__ import annotations

import atexit
import fcntl
import os
import select
import struct
import termios
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from threading import Thread

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

PIPE = "{pipe}"
"""Stands in the statement for where its pipe is."""
ROWS_MAX = 1024
"""Requests in a block at most: as many empty ones, of a byte each, push out the last block of a file."""
PUSH = bytes(ROWS_MAX)  # of so few bytes a pipe takes all or none
PIPE_BYTES = 1 << 20
STALLS_S = 50.0
"""How long nothing may be read, and no row may come of it: as long as an insert may take."""
LEAVES_S = 30.0
"""How long an end is waited for: what was read is worked on before."""


class End(StrEnum):
    """Why one that stood open ended."""

    FAILED = "failed"
    """Its statement did, which is of what was sent or of the engine."""
    STALLED = "stalled"
    """Nothing was read, or rows did not come."""
    UNAWAITED = "unawaited"
    """Rows came that nobody awaited."""
    STORE = "store"
    """The engine refused a statement beside it."""
    FILE = "file"
    """A segment could not be read, or a pipe not be made."""
    RENEWED = "renewed"
    CLOSED = "closed"


class Ended(Exception):  # noqa: N818 - it names what was seen
    """The statement reads no more, or not as it should."""

    def __init__(self, end: End, why: str) -> None:
        super().__init__(why)
        self.end = end


class Piped:
    """Runs until `end()`, or until it fails: then whatever is asked of it raises Ended with the reason.

    The pipe has no name: nobody who looks through folders can take it for a file. Raises OSError.
    """

    def __init__(self, client: Client, *statements: str) -> None:
        self._client = client
        self._why = "it came to its end"
        self._pipe: int | None
        self._other_end: int | None
        self._other_end, self._pipe = os.pipe()
        os.set_blocking(self._pipe, False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with suppress(OSError):  # a bound of the system's: then it is smaller
                fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        os.write(self._pipe, PUSH[:1])
        asked = [one.replace(PIPE, f"/dev/fd/{self._other_end}") for one in statements]
        self._thread = Thread(target=self._run, args=(asked,), name="standing insert", daemon=True)
        self._thread.start()
        # The engine must not be torn down around a statement that runs.
        atexit.register(self.end)

    def _run(self, statements: Sequence[str]) -> None:
        try:
            for statement in statements:
                self._client.command(statement)
        except ClickHouseError as e:
            self._why = str(e)[:500]
        finally:
            self._client.close()

    @property
    def is_open(self) -> bool:
        """Whether it was seen to read, and has not ended."""
        return self._pipe is not None and self._other_end is None and self._thread.is_alive()

    def reads(self) -> bool:
        """Whether it has been planned, and has read the first byte. Raises Ended when it never will."""
        self.refuse_ended()
        if self._other_end is not None and not _unread(self._other_end):
            os.close(self._other_end)
            self._other_end = None
        return self._other_end is None

    def refuse_ended(self) -> None:
        """Raises Ended when it runs no more."""
        if not self._thread.is_alive():
            raise Ended(End.FAILED, self._why)

    def write(self, file: Path) -> None:
        """Write a file of whole requests, and see that none of them waits for more. Raises Ended, OSError."""
        with file.open("rb") as opened:
            source, at = opened.fileno(), 0
            size = os.fstat(source).st_size
            while at < size:
                moved = self._moved(source, at, size - at)
                if not moved:
                    raise Ended(End.FILE, f"{file} became shorter")
                at += moved
        self._when_there_is_room(lambda: os.write(self._into, PUSH))

    def _moved(self, source: int, at: int, count: int) -> int:
        if hasattr(os, "splice"):
            return self._when_there_is_room(
                lambda: os.splice(source, self._into, count, offset_src=at, flags=os.SPLICE_F_NONBLOCK)
            )
        return self._when_there_is_room(lambda: os.write(self._into, os.pread(source, PIPE_BYTES, at)))

    @property
    def _into(self) -> int:
        if self._pipe is None:
            raise Ended(End.FAILED, self._why)
        return self._pipe

    def _when_there_is_room(self, write: Callable[[], int]) -> int:
        room = select.poll()
        room.register(self._into, select.POLLOUT)
        while True:
            try:
                return write()
            except BrokenPipeError:
                self._thread.join(LEAVES_S)
                raise Ended(End.FAILED, self._why) from None
            except BlockingIOError:
                if not room.poll(1000 * STALLS_S):
                    raise Ended(End.STALLED, f"it has read nothing for {STALLS_S} s") from None

    def end(self) -> bool:
        """Let it come to its end, and wait for that; whether it has, for it may be stuck."""
        atexit.unregister(self.end)
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        self._thread.join(LEAVES_S)
        if self._thread.is_alive():
            return False
        if self._other_end is not None:
            os.close(self._other_end)
            self._other_end = None
        return True


def _unread(pipe: int) -> int:
    """Bytes that wait in a pipe."""
    (count,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))
    return int(count)
