"""A load that is offered at a rate whatever becomes of it, and remembers every answer."""

from __future__ import annotations

import http.client
import os
import threading
import time
from array import array
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

from remembered_load import TRACE, request_template

SPANS = 100
"""Of a request, which is 70 KB."""
THREADS = 24
TIMEOUT_S = 20.0
LATE_S = 1.0
"""A request that could not be offered this long after it was due is not offered at all."""
AWAY_S = 0.5
"""A sender that found nobody waits so long."""
BROKE = 0
"""In place of a status: the connection could not be made, or broke."""


@dataclass
class Answers:
    """Of each request: when its answer came, how long it took, and what it was. Times as time.monotonic."""

    at_s: array[float] = field(default_factory=lambda: array("d"))
    took_s: array[float] = field(default_factory=lambda: array("d"))
    status: array[int] = field(default_factory=lambda: array("H"))
    told_when: array[int] = field(default_factory=lambda: array("b"))
    """1 when the answer said when to come back."""

    def add(self, at_s: float, took_s: float, status: int, told_when: bool) -> None:
        """One more."""
        self.at_s.append(at_s)
        self.took_s.append(took_s)
        self.status.append(status)
        self.told_when.append(told_when)

    def taken_between(self, begin_s: float, end_s: float) -> int:
        """Requests that were acknowledged then."""
        return sum(
            1 for at, status in zip(self.at_s, self.status, strict=False)
            if status == 200 and begin_s <= at < end_s
        )  # fmt: skip


class OfferedLoad:
    """Threads that send `per_s` requests a second, or as many as are answered when that is None."""

    def __init__(self, per_s: float | None = None, threads: int = THREADS) -> None:
        self.per_s = per_s
        self.url = ""
        self.acknowledged: set[bytes] = set()
        self.answers = Answers()
        self._threads = threads
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._running: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to send."""
        self._template = request_template(time.time_ns(), SPANS)
        self._tickets = count()
        self._began_s = time.monotonic()
        self._running = [threading.Thread(target=self._send, daemon=True) for _ in range(self._threads)]
        for thread in self._running:
            thread.start()

    def stop(self) -> None:
        """Send no more; returns when every answer is in, or its connection broke."""
        self._stop.set()
        for thread in self._running:
            thread.join(TIMEOUT_S + 10)
            assert not thread.is_alive()

    def _send(self) -> None:
        url, connection = "", http.client.HTTPConnection("127.0.0.1")
        while not self._stop.is_set():
            if not self._is_due():
                continue
            if url != self.url:
                url, address = self.url, urlsplit(self.url)
                connection.close()
                connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=TIMEOUT_S)
            self._one(connection)
        connection.close()

    def _is_due(self) -> bool:
        """Waits for the next request's time; False when that is over already, or there is none any more."""
        if self.per_s is None:
            return True
        with self._lock:
            due_s = self._began_s + next(self._tickets) / self.per_s
        now_s = time.monotonic()
        if due_s < now_s - LATE_S:
            return False
        return not self._stop.wait(max(0.0, due_s - now_s))

    def _one(self, connection: http.client.HTTPConnection) -> None:
        trace = os.urandom(16)
        body = self._template.replace(TRACE, trace)
        began_s = time.monotonic()
        try:
            connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
            status, told_when = answer.status, answer.getheader("Retry-After") is not None
        except (OSError, http.client.HTTPException):
            connection.close()
            status, told_when = BROKE, False
        now_s = time.monotonic()
        with self._lock:
            self.answers.add(now_s, now_s - began_s, status, told_when)
            if status == 200:
                self.acknowledged.add(trace)
        if status == BROKE:
            self._stop.wait(AWAY_S)
