"""One deadline for a whole request: sockets know only how long a single read or write may take.

A server that sends a byte a second, or takes one, never comes near the timeout of any of them.
"""

import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any, Final

import httpcore2

_CHUNK_BYTES: Final = 64 * 1024  # of a request, between two looks at the clock


class Deadline(threading.local):
    """Until when the request of this thread has to be over."""

    until_s = float("inf")  # by the monotonic clock

    def within(self, seconds: float) -> None:
        self.until_s = time.monotonic() + seconds

    def left_s(self, timed_out: type[Exception]) -> float:
        """Seconds that are left; raises `timed_out` when none are."""
        left_s = self.until_s - time.monotonic()
        if left_s <= 0:
            raise timed_out("the request took too long")
        return left_s


class TimedNetwork(httpcore2.NetworkBackend):
    """Connections on which everything ends at the deadline; the timeouts of single steps are not needed."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline, self._network = deadline, httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left_s = self._deadline.left_s(httpcore2.ConnectTimeout)
        stream = self._network.connect_tcp(host, port, left_s, local_address, socket_options)
        return _TimedStream(stream, self._deadline)


class _TimedStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left_s(httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _CHUNK_BYTES):
            left_s = self._deadline.left_s(httpcore2.WriteTimeout)
            self._stream.write(buffer[start : start + _CHUNK_BYTES], left_s)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left_s = self._deadline.left_s(httpcore2.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left_s), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
