"""One deadline for a whole request: sockets know only how long a single read or write may take.

A server that sends a byte a second, or takes one, never comes near the timeout of any of them. Nothing ends
the system's look-up of a name: it is made by a thread of its own, and waited for as long as there is time.
"""

import ipaddress
import ssl
import threading
import time
from collections.abc import Iterable, Sequence
from socket import EAI_NONAME, SOCK_STREAM, getaddrinfo
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
        self._lookups: dict[str, _Lookup] = {}

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        *others, last = self._addresses(host)
        for address in others:
            try:
                return self._connected(address, port, local_address, socket_options)
            except httpcore2.ConnectError:
                continue
        return self._connected(last, port, local_address, socket_options)

    def _connected(self, address: str, port: int, *more: Any) -> httpcore2.NetworkStream:
        left_s = self._deadline.left_s(httpcore2.ConnectTimeout)
        return _TimedStream(self._network.connect_tcp(address, port, left_s, *more), self._deadline)

    def _addresses(self, host: str) -> Sequence[str]:
        """At least one. A look-up that hangs is waited for again by the next request, not begun again."""
        left_s = self._deadline.left_s(httpcore2.ConnectTimeout)
        if _is_address(host):
            return [host]
        lookup = self._lookups.get(host)
        if lookup is None:
            lookup = self._lookups[host] = _Lookup(host)
            try:
                lookup.start()
            except RuntimeError:  # the interpreter is going down and grants no thread
                lookup.run()
        if lookup.ident is not None:
            lookup.join(left_s)
        if lookup.is_alive():
            raise httpcore2.ConnectTimeout(f"{host} was not found in time")
        del self._lookups[host]
        try:
            return lookup.answer()
        except OSError as error:
            raise httpcore2.ConnectError(f"{host} was not found") from error


class _Lookup(threading.Thread):
    """Asks for the addresses of one name, in the order in which they are to be tried."""

    def __init__(self, host: str) -> None:
        super().__init__(name="sightline-lookup", daemon=True)
        self._host = host
        self._found: list[str] = []
        self._error = OSError(EAI_NONAME, "the name has no address")

    def answer(self) -> Sequence[str]:
        """When it is over. Raises OSError."""
        if not self._found:
            raise self._error
        return self._found

    def run(self) -> None:
        try:
            answers = getaddrinfo(self._host, None, type=SOCK_STREAM)
            self._found = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
        except UnicodeError:  # a name that is none
            self._error = OSError(EAI_NONAME, "no name of a server")
        except OSError as error:
            self._error = error


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


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
