"""Starts and ends the processes of peers, and waits until one listens."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench.environments import PeerMissing
from tests.bench.usage import Process

END_S = 20


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], output: Path, environment: Mapping[str, str], port: int, limit_s: float = 60
) -> Iterator[Process]:
    """A process that listens on the port, ended afterwards. Raises PeerMissing when it does not come up."""
    with output.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=dict(environment))
    try:
        _await(process, port, limit_s, output)
        yield Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], port: int, limit_s: float, output: Path) -> None:
    end = time.monotonic() + limit_s
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > end:
            said = " ".join(output.read_text(errors="replace").strip().splitlines()[-2:])
            raise PeerMissing(f"{process.args[0]} does not come up: {said[-300:]}")  # type: ignore[index]
        time.sleep(0.02)
