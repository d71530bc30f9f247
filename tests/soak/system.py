"""The collector that is soaked, and its store: embedded, or a server behind a proxy that breaks."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError

import collector_process
from collector_process import CollectorProcess, wait_until
from servers.faulty_proxy import FaultyProxy

LOG_GB = "0.3"
"""Small: at twice the capacity it is full within seconds, and stays so."""
SAMPLE_S = 1.0
DRAIN_S = 300.0


class System:
    """One collector on a folder, restarted as often as asked; its memory is sampled while it runs."""

    def __init__(self, folder: Path, *, server: bool) -> None:
        self.folder = folder
        self.store = folder / "server" if server else folder / "data" / "store"
        self.proxy: FaultyProxy | None = None
        self.rss: list[tuple[float, int]] = []
        self._server: subprocess.Popen[str] | None = None
        self._stopped = threading.Event()
        flags = ["--log-gb", LOG_GB]
        if server:
            if collector_process.migrated:
                collector_process.migrated.copy(self.store)
            self._server = self._play()
            assert self._server.stdout
            self.proxy = FaultyProxy(int(self._server.stdout.readline()))
            flags += ["--store", f"clickhouse://127.0.0.1:{self.proxy.port}/sightline"]
            flags += ["--data", str(folder / "data")]
        self.collector = CollectorProcess(folder / "data", *flags)

    def _play(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "servers.played_server", str(self.store)]
        tests = Path(__file__).parents[1]
        with (self.folder / "server.log").open("w") as log:
            return subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=tests
            )

    def __enter__(self) -> Self:
        self.collector.start()
        threading.Thread(target=self._sample, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self.collector.__exit__()
        if self.proxy:
            self.proxy.close()
        if self._server:
            self._server.communicate()

    def drain(self) -> bool:
        """Returns when all that was acknowledged is stored; False when that does not come to pass."""
        try:
            wait_until(self._is_drained, DRAIN_S)
        except TimeoutError:
            return False
        return True

    def _is_drained(self) -> bool:
        with suppress(URLError, TimeoutError, OSError):
            self.collector.flush()
            return True
        return False

    def end(self) -> int:
        """Stop the collector, then its store; the collector's exit code."""
        code = self.collector.stop()
        if self._server:
            self._server.communicate()
            self._server = None
        return code

    def _sample(self) -> None:
        while not self._stopped.wait(SAMPLE_S):
            with suppress(OSError, StopIteration, ValueError):
                status = Path(f"/proc/{self.collector.pid}/status").read_text().splitlines()
                line = next(one for one in status if one.startswith("VmRSS:"))
                self.rss.append((time.monotonic(), int(line.split()[1]) << 10))
