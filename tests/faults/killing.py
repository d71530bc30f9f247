"""kill -9 at every stage, one after the other on one folder, and what is there afterwards."""

from __future__ import annotations

import os
import re
import signal
import socket
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

from collector_process import CollectorProcess, wait_until
from faults.moment import killed_at
from faults.oracle import Held, Loads, caught_up, compare
from faults.ptrace import UNTRACEABLE
from faults.stages import Stage

REACHED_S = 60.0
"""A stage that a collector under load has not come to by then is not on its way."""

HALF_BYTES = 1 << 20
"""Half of a body that is larger than all that the load has under way."""

OPENS_S = 120.0
"""An insert that stands open does so by then: it is planned for seconds, on a machine that does other things,
too, for longer."""

STANDS = ", an insert stands open"
OPEN = 'sightline_store_standing_inserts{state="open"}'

FLAGS = ("--segment-age-s", "0.1", "--settle-interval-s", "2")


class Untraceable(Exception):  # noqa: N818 - it is a reason to skip
    """This machine lets no process be traced."""


@dataclass
class Kills:
    """What was killed where: `reached` and `missed` are names of stages."""

    folder: Path
    loads: Loads = field(default_factory=Loads)
    reached: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def run(
        self,
        stages: Iterable[Stage],
        told: Callable[[str], None] = lambda _: None,
        *,
        standing: bool = False,
    ) -> None:
        """Kill at each stage in turn, of a collector under load when an insert stands open if so asked, and
        if one does in time. Raises Untraceable."""
        for stage in stages:
            killed, stood = self._kill_at(stage, standing=standing)
            name = stage.name + STANDS * stood
            (self.reached if killed else self.missed).append(name)
            told(f"{'killed' if killed else 'missed'}  {name}")

    def judge(self) -> Held:
        """Start once more, let it catch up, and compare."""
        with CollectorProcess(self.folder, *FLAGS) as collector:
            collector.start()
            caught_up(collector)
            held = compare(collector, self.loads.spans.acknowledged, self.loads.judgements.acknowledged)
            assert collector.stop() == 0
            return held

    def _kill_at(self, stage: Stage, *, standing: bool) -> tuple[bool, bool]:
        """Whether it was killed there, and whether an insert stood open."""
        armed = self.folder.parent / "armed"
        armed.unlink(missing_ok=True)
        under = killed_at(stage.moment(self.folder), armed)
        with CollectorProcess(self.folder, *FLAGS, under=under) as collector:
            if stage.reached_by == "start":
                armed.touch()
                collector.launch()
                return _dies(collector), False
            collector.start()
            self.loads.start(collector.otlp)
            try:
                before = self.loads.acknowledged
                wait_until(lambda: self.loads.acknowledged > before + 5)
                stands = standing and _one_stands(collector)
                armed.touch()
                _approach(stage, collector)
                return _dies(collector), stands
            finally:
                self.loads.stop()


def _approach(stage: Stage, collector: CollectorProcess) -> None:
    """What an operator does, when load alone does not lead there."""
    if stage.reached_by == "backup":
        as_json = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{collector.http}/api/snapshots", b"{}", as_json)
        with (
            suppress(URLError, ConnectionError),
            urllib.request.urlopen(request, timeout=REACHED_S) as answer,
        ):
            answer.read()
    if stage.reached_by == "body":
        address = urlsplit(collector.otlp)
        with socket.create_connection((address.hostname or "", address.port or 0), REACHED_S) as half:
            fields = f"Content-Type: application/x-protobuf\r\nContent-Length: {2 * HALF_BYTES}"
            half.sendall(f"POST /v1/traces HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n".encode())
            half.sendall(bytes(HALF_BYTES))
            wait_until(lambda: _held_bytes(collector) >= HALF_BYTES, REACHED_S)
            os.kill(collector.pid, signal.SIGKILL)
    if stage.reached_by == "stop":
        with suppress(ProcessLookupError):
            os.kill(collector.pid, signal.SIGTERM)


def _held_bytes(collector: CollectorProcess) -> float:
    """Bytes of bodies that are not answered yet."""
    return _measured(collector, "sightline_receive_in_flight_bytes")


def _one_stands(collector: CollectorProcess) -> bool:
    """Whether an insert stands open for spans, within the time that this may take."""
    with suppress(TimeoutError):
        wait_until(lambda: _measured(collector, OPEN) > 0, OPENS_S)
        return True
    return False


def _measured(collector: CollectorProcess, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)", collector.metrics(), re.MULTILINE)
    assert found
    return float(found[1])


def _dies(collector: CollectorProcess) -> bool:
    """Whether it is killed where it should be; one that lives on is killed anyway. Raises Untraceable."""
    with suppress(TimeoutError):
        wait_until(lambda: collector.exit_code() is not None, REACHED_S)
    code = collector.exit_code()
    if code == UNTRACEABLE:
        raise Untraceable(collector.output.strip())
    if code is None:
        collector.kill()
    return code == -signal.SIGKILL
