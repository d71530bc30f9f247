"""Senders of OTLP/HTTP that cost next to nothing, so that what is measured is the receiver."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from urllib.parse import urlsplit

CONNECTIONS = 4
REFUSED_PAUSE_S = 0.1
"""How long a sender waits when it is told 429 or 503; the same request is then sent again."""
TIMEOUT_S = 120

Send = Callable[[bytes], int]


def sender(url: str, path: str = "/v1/traces", headers: str = "") -> Send:
    """A connection of its own: sends a body, gives the status of the answer."""
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname or "", address.port or 80), TIMEOUT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-protobuf\r\n{headers}"

    def send(body: bytes) -> int:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        connection.sendall(body)
        return _status(connection)

    return send


def _status(connection: socket.socket) -> int:
    """Reads one answer whole; its body has a known length, or none."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        received = connection.recv(65536)
        if not received:
            raise ConnectionError("closed without an answer")
        answer += received
    head, _, body = answer.partition(b"\r\n\r\n")
    fields = dict(line.lower().partition(b":")[::2] for line in head.split(b"\r\n")[1:])
    missing = int(fields.get(b"content-length", b"0")) - len(body)
    while missing > 0:
        missing -= len(connection.recv(65536))
    return int(head.split(b" ", 2)[1])


def deliver(send: Send, body: bytes) -> int:
    """Sends until the body is taken; how often it was refused before."""
    refused = 0
    while (status := send(body)) != 200:
        if status not in (429, 503):
            raise RuntimeError(f"answered {status}")
        refused += 1
        time.sleep(REFUSED_PAUSE_S)
    return refused


def blast(url: str, bodies: Sequence[bytes], headers: str = "") -> None:
    """Sends each body once, over all connections, as fast as they are answered."""

    def one(mine: Iterator[bytes]) -> None:
        send = sender(url, headers=headers)
        for body in mine:
            deliver(send, body)

    _on_all_connections(lambda number: one(islice(bodies, number, None, CONNECTIONS)))


def at_rate(url: str, bodies: Sequence[bytes], per_s: float, seconds: float) -> list[float]:
    """Sends at a rate, whatever the answers take; ms from when each was due to its answer, sorted."""
    took_ms: list[float] = []

    def one(number: int) -> None:
        send, mine = sender(url), cycle(islice(bodies, number, None, CONNECTIONS))
        due = time.perf_counter() + number / per_s
        end = time.perf_counter() + seconds
        while due < end:
            time.sleep(max(0.0, due - time.perf_counter()))
            deliver(send, next(mine))
            took_ms.append((time.perf_counter() - due) * 1e3)
            due += CONNECTIONS / per_s

    _on_all_connections(one)
    return sorted(took_ms)


def quantile(values: Sequence[float], share: float) -> float:
    """Of sorted or unsorted values; nan when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def median(values: Sequence[float]) -> float:
    """nan when there are none."""
    return statistics.median(values) if values else float("nan")


def _on_all_connections(work: Callable[[int], None]) -> None:
    failed: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except Exception as e:
            failed.append(e)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
