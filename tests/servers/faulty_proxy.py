"""Stands between a collector and its store, records what passes, and does to it what networks do.

    collector ──▶ FaultyProxy ──▶ server

Each request is taken whole before any of it is passed on, so that a fault happens at a known place.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: a close becomes a reset."""

UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 22\r\n\r\nupstream connect error"
"""What a load balancer says that has no server."""


class Fault(Enum):
    """What happens to a request."""

    NONE = "passed on"
    SILENT = "accepted, never answered, never passed on"
    RESET = "reset before any of it is passed on"
    CUT = "half of it is passed on, then both sides are reset"
    ANSWER_LOST = "passed on; the answer is thrown away and the connection reset"
    ANSWER_NEVER = "passed on; the answer is thrown away and the connection stays open"
    LEFT = "passed on; the client's side is reset while the server still works on it"
    LATE = "kept, and passed on when `deliver` is called; both sides are reset at once"
    SAYS = "answered by the proxy itself, with what `says` has next"


@dataclass(frozen=True, slots=True)
class Passed:
    """One request: its first line, whether it inserts a segment, what became of it."""

    line: bytes
    inserts: bool
    fault: Fault


def is_insert(request: bytes) -> bool:
    """Whether a request is an insert of a segment."""
    return b"\r\ninsert into " in request[:4096].lower() and b"format Protobuf\n" in request


def any_request(_: bytes) -> bool:
    """All of them."""
    return True


@dataclass
class FaultyProxy:
    """Listens at once. `fault` holds for requests that `only` picks, `times` of them, then no more."""

    target: int
    fault: Fault = Fault.NONE
    only: Callable[[bytes], bool] = any_request
    times: float = float("inf")
    says: Iterator[bytes] = field(default_factory=lambda: iter(()))
    delay_s: float = 0.0
    passed: list[Passed] = field(default_factory=list)
    kept: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._woken = threading.Event()
        self._listener: socket.socket | None = None
        self.port = 0
        self.up()

    def up(self) -> None:
        """Listen, on the same port as before."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def down(self) -> None:
        """Refuse connections and reset those that are open: as a server that was killed."""
        if self._listener:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            held = list(self._open)
        for one in held:
            _reset(one)

    def inject(
        self,
        fault: Fault,
        only: Callable[[bytes], bool] = is_insert,
        times: float = float("inf"),
        says: Iterable[bytes] = (),
    ) -> None:
        """From now on."""
        with self._lock:
            self.fault, self.only, self.times, self.says = fault, only, times, iter(says)

    def heal(self) -> None:
        """No fault any more; who was left waiting finds a reset."""
        self.inject(Fault.NONE)
        self._woken.set()
        self._woken = threading.Event()

    def deliver(self) -> list[bytes]:
        """Pass on what was kept, by connections of its own; the answers."""
        answers = []
        while self.kept:
            with (
                socket.create_connection(("127.0.0.1", self.target)) as server,
                server.makefile("rb") as said,
            ):
                server.sendall(self.kept.pop())
                answers.append(whole(said))
        return answers

    def count(self, fault: Fault) -> int:
        """Requests to which it has happened."""
        return sum(1 for one in list(self.passed) if one.fault is fault)

    def close(self) -> None:
        """Stop."""
        self.heal()
        self.down()

    # -- in a thread a connection ------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._connection, args=(client,), daemon=True).start()

    def _connection(self, client: socket.socket) -> None:
        server = socket.socket()
        with self._lock:
            self._open |= {client, server}
        try:
            server.connect(("127.0.0.1", self.target))
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with client.makefile("rb") as requests, server.makefile("rb") as answers:
                while (request := whole(requests)) and self._pass(request, client, server, answers):
                    pass
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open -= {client, server}
            client.close()
            server.close()

    def _chosen(self, request: bytes) -> Fault:
        with self._lock:
            if self.fault is Fault.NONE or self.times < 1 or not self.only(request):
                return Fault.NONE
            self.times -= 1
            return self.fault

    def _pass(self, request: bytes, client: socket.socket, server: socket.socket, answers: object) -> bool:
        """False when the connection is over."""
        fault = self._chosen(request)
        woken = self._woken
        self.passed.append(Passed(request.partition(b"\r\n")[0], is_insert(request), fault))
        if self.delay_s and is_insert(request):
            woken.wait(self.delay_s)
        if fault is Fault.NONE:
            server.sendall(request)
            answer = whole(answers)
            client.sendall(answer)
            return bool(answer)  # a server that has closed answers no more
        if fault is Fault.SAYS:
            client.sendall(next(self.says, UNAVAILABLE))
            return True
        if fault is Fault.CUT:
            server.sendall(request[: len(request) // 2])
        elif fault is Fault.LATE:
            self.kept.append(request)
        elif fault in (Fault.ANSWER_LOST, Fault.ANSWER_NEVER, Fault.LEFT):
            server.sendall(request)
        if fault in (Fault.ANSWER_LOST, Fault.ANSWER_NEVER):
            whole(answers)
        if fault in (Fault.SILENT, Fault.ANSWER_NEVER):
            woken.wait(120)
        _reset(client)
        if fault is Fault.LEFT:
            whole(answers)  # a server's side that lives on, as behind a load balancer
        else:
            _reset(server)
        return False


def whole(stream: object) -> bytes:
    """The next message of a connection, head and body; b"" at its end. Raises ValueError when it is cut."""
    read, readline = stream.read, stream.readline  # type: ignore[attr-defined]
    lines = []
    while (line := readline()) not in (b"\r\n", b""):
        lines.append(line)
    if not lines:
        return b""
    head = b"".join(lines) + b"\r\n"
    fields = head.lower()
    if b"transfer-encoding: chunked" in fields:
        return head + _chunked(stream)
    length = next((int(one[15:]) for one in fields.split(b"\r\n") if one.startswith(b"content-length:")), 0)
    body = read(length)
    if len(body) < length:
        raise ValueError("cut short")
    return bytes(head + body)


def _chunked(stream: object) -> bytes:
    parts = []
    while True:
        size = stream.readline()  # type: ignore[attr-defined]
        data = stream.read(int(size, 16) + 2)  # type: ignore[attr-defined]
        parts += [size, data]
        if int(size, 16) == 0:
            return b"".join(parts)


def error(code: int, words: str, status: int = 500) -> bytes:
    """A server's refusal as it goes over the wire."""
    body = f"Code: {code}. DB::Exception: {words} (version 26.9.2.1 (official build))\n".encode()
    head = (
        f"HTTP/1.1 {status} Internal Server Error\r\nContent-Type: text/plain; charset=UTF-8\r\n"
        f"X-ClickHouse-Exception-Code: {code}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _reset(one: socket.socket) -> None:
    with suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        one.shutdown(socket.SHUT_RD)  # wakes who reads; the other direction would end with a FIN
    one.close()
