"""A collector as a user runs it: a process with a folder and ports, started, asked, stopped, killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.error import HTTPError

if TYPE_CHECKING:
    from migrated_stores import MigratedFolder

START_S = 60.0
LOOK_S, SELDOM_S = 0.01, 0.1
"""How soon one looks again: at first, and where much time has passed."""

migrated: MigratedFolder | None = None
"""What a new collector's store is copied from; none where there is no test run."""


class CollectorProcess:
    """`sightline up` on free ports. Its output goes to files beside its folder.

    `under` is a program, with its arguments, that becomes the collector: one that traces or confines it.
    Its first start finds a store that is migrated already, unless `anew`.
    """

    def __init__(self, folder: Path, *flags: str, under: Sequence[str] = (), anew: bool = False) -> None:
        self.folder = folder
        self.flags = flags
        self.under = tuple(under)
        self.anew = anew
        self._process: subprocess.Popen[bytes] | None = None
        self.otlp = self.http = self.grpc = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Never leave a process behind, whatever a test found."""
        if self._process and self._process.poll() is None:
            self.kill()

    @property
    def output(self) -> str:
        """All that it has printed since its last start."""
        return self._log.read_text() if self._log.exists() else ""

    @property
    def _log(self) -> Path:
        return self.folder.with_suffix(".log")

    def start(self) -> None:
        """Start and wait until it listens. Raises RuntimeError with its output when it does not."""
        store = self.folder / "store"
        if migrated and not (self.anew or "--store" in self.flags or store.exists()):
            migrated.copy(store)
        self.launch()
        wait_until(lambda: "Sightline is up" in self.output or self.exit_code() is not None, START_S)
        if self.exit_code() is not None:
            raise RuntimeError(self.output)
        wait_until(lambda: "Ask it" in self.output, START_S)
        self.grpc = re.search(r"OTLP/gRPC\s+(\S+)", self.output)[1]  # type: ignore[index]
        self.otlp = re.search(r"OTLP/HTTP\s+(\S+)", self.output)[1]  # type: ignore[index]
        self.http = re.search(r"SQL\s+(\S+)", self.output)[1]  # type: ignore[index]

    def launch(self) -> None:
        """Start without waiting."""
        ports = [part for name in ("otlp-grpc", "otlp-http", "http") for part in (f"--{name}-port", "0")]
        store = [] if "--store" in self.flags else ["--store", f"chdb:{self.folder}"]
        program = [*self.under, sys.executable, "-m", "sightline_collector.cli"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*program, "up", *store, *ports, *self.flags],
                stdout=log, stderr=subprocess.STDOUT, cwd=self.folder.parent, env=dict(os.environ),
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        assert self._process
        return self._process.poll()

    def wait(self, seconds: float = START_S) -> int:
        """Its exit code, once it has ended."""
        assert self._process
        return self._process.wait(seconds)

    def kill(self) -> None:
        """kill -9."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query on its SQL port; numbers as numbers."""
        query = f"{sql} format JSONEachRow settings output_format_json_quote_64bit_integers = 0"
        request = urllib.request.Request(self.http, data=query.encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def metrics(self) -> str:
        """Its counters, as Prometheus reads them."""
        with urllib.request.urlopen(f"{self.http}/metrics", timeout=30) as answer:
            return str(answer.read().decode())

    def flush(self) -> None:
        """Returns when all that it has acknowledged can be queried. Raises RuntimeError with its output when
        that is not so in time."""
        request = urllib.request.Request(
            f"{self.http}/api/flush", data=b"{}", headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                assert answer.status == 200
        except HTTPError as e:
            with e:
                said = e.read().decode(errors="replace")
            raise RuntimeError(f"{e.code}: {said}\n{self.output[-4000:]}") from None
        except OSError as e:
            raise RuntimeError(f"{e}\n{self.output[-4000:]}") from e


def wait_until(holds: Callable[[], bool], limit_s: float = 20.0) -> None:
    """Returns soon after the condition holds: one looks often at first, and seldom where it takes long, as to
    look is work, too. Raises TimeoutError after the limit."""
    begun = time.monotonic()
    while not holds():
        waited_s = time.monotonic() - begun
        if waited_s > limit_s:
            raise TimeoutError(f"not within {limit_s} s")
        time.sleep(min(max(waited_s / 20, LOOK_S), SELDOM_S))


def sightline_apart(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A subcommand in a process of its own: one that opens a store, which a process does only once."""
    program = [sys.executable, "-m", "sightline_collector.cli", *arguments]
    return subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
