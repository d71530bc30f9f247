"""A statement that reads a pipe, in a thread of its own."""

from __future__ import annotations

import atexit
import fcntl
import os
import select
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

ROWS_MAX = 1024
"""Requests in a block at most: as many empty ones, of a byte each, push out the last block of a file."""
PUSH = bytes(ROWS_MAX)  # of so few bytes a pipe takes all or none
PIPE_BYTES = 1 << 20
STALLS_S = 10.0
"""How long nothing may be read."""
LEAVES_S = 30.0
"""How long an end is waited for: what was read is worked on before."""
TRIES_S = 0.02
OPENS = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC


class Ended(Exception):  # noqa: N818 - it names what was seen
    """The statement reads no more, or not as it should."""


class Piped:
    """Runs until `end()`, or until it fails: then whatever is asked of it raises Ended with the reason.

    The pipe has a name only until the statement has opened it. Raises OSError when it cannot be made.
    """

    def __init__(self, client: Client, statement: str, pipe_at: Path) -> None:
        self._client, self._at = client, pipe_at
        self._pipe: int | None = None
        self._why = "it came to its end"
        pipe_at.unlink(missing_ok=True)
        os.mkfifo(pipe_at, 0o600)
        self._thread = Thread(target=self._run, args=(statement,), name="standing insert", daemon=True)
        self._thread.start()
        # The engine must not be torn down around a statement that runs.
        atexit.register(self.end)

    def _run(self, statement: str) -> None:
        try:
            self._client.command(statement)
        except ClickHouseError as e:
            self._why = str(e)[:500]
        finally:
            self._client.close()

    @property
    def is_open(self) -> bool:
        """Whether it was seen to read, and has not ended."""
        return self._pipe is not None and self._thread.is_alive()

    def reads(self) -> bool:
        """Whether it has been planned, and reads. Raises Ended when it never will."""
        self.refuse_ended()
        if self._pipe is None and self._opens():
            self._at.unlink()
        return self._pipe is not None

    def _opens(self) -> bool:
        """Whether somebody has the other end open: then so have we this one."""
        with suppress(OSError):
            self._pipe = os.open(self._at, OPENS)
            if hasattr(fcntl, "F_SETPIPE_SZ"):
                fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        return self._pipe is not None

    def refuse_ended(self) -> None:
        """Raises Ended when it runs no more."""
        if not self._thread.is_alive():
            raise Ended(self._why)

    def write(self, file: Path) -> None:
        """Write a file of whole requests, and see that none of them waits for more. Raises Ended, OSError."""
        with file.open("rb") as opened:
            source, at = opened.fileno(), 0
            size = os.fstat(source).st_size
            while at < size:
                at += self._moved(source, at, size - at)
        self._when_there_is_room(lambda: os.write(self._into, PUSH))

    def _moved(self, source: int, at: int, count: int) -> int:
        if hasattr(os, "splice"):
            return self._when_there_is_room(lambda: os.splice(source, self._into, count, offset_src=at))
        return self._when_there_is_room(lambda: os.write(self._into, os.pread(source, PIPE_BYTES, at)))

    @property
    def _into(self) -> int:
        if self._pipe is None:
            raise Ended("it does not read yet")
        return self._pipe

    def _when_there_is_room(self, write: Callable[[], int]) -> int:
        room = select.poll()
        room.register(self._into, select.POLLOUT)
        while True:
            try:
                return write()
            except BrokenPipeError:
                self._thread.join(LEAVES_S)
                raise Ended(self._why) from None
            except BlockingIOError:
                if not room.poll(1000 * STALLS_S):
                    raise Ended(f"it has read nothing for {STALLS_S} s") from None

    def end(self) -> None:
        """Let it come to its end, and wait for that. One that is being planned opens its pipe first."""
        atexit.unregister(self.end)
        deadline_s = time.monotonic() + LEAVES_S
        while self._thread.is_alive() and time.monotonic() < deadline_s:
            if self._pipe is not None or self._opens():
                os.close(self._into)
                self._pipe = None
            self._thread.join(TRIES_S)
        self._at.unlink(missing_ok=True)
