"""One SDK's process from outside: it tells what its steps cost, and the sink what came of them."""

from __future__ import annotations

import json
import select
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.environments import REPOSITORY
from tests.bench.otlp_sink import Sink

ANSWER_S = 300
"""Longest wait for an answer: the slowest emits a burst in half a minute."""
QUIET_S = 6.0
"""When nothing came for so long, nothing more will: most wait 5 s for a batch to fill."""
POLL_S = 0.02
END_S = 20


class PeerFailed(Exception):  # noqa: N818 - it is reported, not raised at a user
    """A peer's process ended or said nothing; the reason, in a line."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What some steps cost in all."""

    caller_s: float
    all_s: float
    wall_s: float
    rss_mb: float
    peak_mb: float
    lost: int


@dataclass(frozen=True, slots=True)
class Program:
    """A running process that has set up its SDK."""

    process: subprocess.Popen[str]
    sink: Sink
    log: Path
    init_cpu_s: float
    rss_mb: float

    def turn(self, steps: int) -> Turn:
        """Make so many steps, and wait until their spans have come, or come no more. Raises PeerFailed."""
        before = self.sink.spans()
        emitted = self._ask(f"{steps}\n")
        came = self._await(before, steps)
        spent = self._ask("\n")
        return Turn(**spent, **emitted, lost=steps - came)

    def _await(self, before: int, wanted: int) -> int:
        came, since = 0, time.monotonic()
        while came < wanted and time.monotonic() - since < QUIET_S:
            now = self.sink.spans() - before
            if now > came:
                came, since = now, time.monotonic()
            time.sleep(POLL_S)
        return came

    def _ask(self, line: str) -> dict[str, float]:
        assert self.process.stdin
        try:
            self.process.stdin.write(line)
            self.process.stdin.flush()
        except BrokenPipeError:
            raise PeerFailed(_last_words(self.log)) from None
        return _answer(self.process, self.log)


@contextmanager
def observing(
    python: Path, program: str, folder: Path, settings: Mapping[str, str], sink: Sink
) -> Iterator[Program]:
    """A process that observes the step with an SDK, ended afterwards. Raises PeerFailed."""
    log = folder / "said.log"
    port = str(sink.grpc_port)
    command = [
        str(python),
        "-m",
        "tests.bench.sdk_peer_run",
        f"tests.bench.sdk_peer_{program}",
        sink.url,
        port,
    ]
    environment = {"PYTHONPATH": str(REPOSITORY), **settings}
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            cwd=folder,
            env=environment,
            text=True,
        )
    try:
        ready = _answer(process, log)
        yield Program(process, sink, log, ready["init_cpu_s"], ready["rss_mb"])
    finally:
        process.kill()
        process.wait(END_S)


def _answer(process: subprocess.Popen[str], log: Path) -> dict[str, float]:
    assert process.stdout
    readable, _, _ = select.select([process.stdout], [], [], ANSWER_S)
    line = process.stdout.readline() if readable else ""
    if not line:
        raise PeerFailed(_last_words(log))
    figures: dict[str, float] = json.loads(line)
    return figures


def _last_words(log: Path) -> str:
    said = log.read_text(errors="replace").strip().splitlines()
    return said[-1][:300] if said else f"no answer in {ANSWER_S} s"
