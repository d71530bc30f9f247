"""One request at a time, and what was acknowledged of them: for faults that last a while."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError

from collector_process import CollectorProcess
from faults.killing import FLAGS
from faults.mounts import disks
from faults.oracle import Held, caught_up, compare, of_two_weeks
from remembered_load import TRACE

POISON = b"\x0b\x10\x01\x0c"
"""At a request's end: the door takes it, the engine never will."""

RETRIES = "sightline_store_retries_total"


@dataclass(frozen=True, slots=True)
class Answer:
    """Of a request: its status, and the seconds after which it may be sent again."""

    status: int
    retry_after: str = ""

    @property
    def says_when_to_come_again(self) -> bool:
        """Refused, and its sender waits 1 to 3 seconds."""
        return self.status == 503 and self.retry_after in {"1", "2", "3"}


@dataclass
class Sender:
    """Sends one request at a time, and remembers what was acknowledged."""

    collector: CollectorProcess
    acknowledged: set[str] = field(default_factory=set)
    sent: int = 0

    def send(self, more: bytes = b"") -> Answer:
        """A request, and what comes behind it."""
        self.sent += 1
        trace = self.sent.to_bytes(16, "big")
        body = of_two_weeks(time.time_ns()).replace(TRACE, trace) + more
        answer = posted(f"{self.collector.otlp}/v1/traces", body)
        if answer.status == 200 and not more:
            self.acknowledged.add(trace.hex())
        return answer

    def come_again(self) -> Answer:
        """Send one more, and when it is told to come again, come again as told, once."""
        answer = self.send()
        if answer.says_when_to_come_again:
            time.sleep(float(answer.retry_after))
            answer = self.send()
        return answer

    def compared(self) -> Held:
        """Once all is stored."""
        caught_up(self.collector)
        return compare(self.collector, self.acknowledged, set())


@contextmanager
def on_disks(folder: Path) -> Iterator[Sender]:
    """Who sends to a collector each of whose folders has a disk of its own. Raises NoMounts."""
    with disks(folder), CollectorProcess(folder, *FLAGS) as collector:
        collector.start()
        yield Sender(collector)
        assert collector.stop() == 0


def posted(url: str, body: bytes) -> Answer:
    """What a request of protobuf is answered."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/x-protobuf"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answered:
            return Answer(answered.status)
    except HTTPError as e:
        with e:
            return Answer(e.code, e.headers["Retry-After"] or "")


def counter(collector: CollectorProcess, name: str) -> float:
    """The sum of a counter over its labels."""
    lines = (line.rsplit(" ", 1) for line in collector.metrics().splitlines() if line.startswith(name))
    return sum(float(value) for _, value in lines)
