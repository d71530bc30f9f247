"""A collector's receiving half for tests: real servers, real log, in a thread with a loop of its own."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self, TypeVar

import uvloop
from google.protobuf.message import Message

from sightline_collector.access.gate import Gate
from sightline_collector.errors import Fault
from sightline_collector.health import Health
from sightline_collector.receive import answer
from sightline_collector.receive.check import REQUESTS
from sightline_collector.receive.door import Door
from sightline_collector.receive.fullness import Fullness
from sightline_collector.receive.http import OtlpHttp
from sightline_collector.receive.limits import Limits
from sightline_collector.receive.loss import LossReports
from sightline_collector.receive.serve import Serving, serve_grpc, serve_http
from sightline_collector.wal import segment
from sightline_collector.wal.appender import SegmentLimits
from sightline_collector.wal.log import Log, LogLimits
from sightline_collector.wal.segment import Signal

T = TypeVar("T")
NEVER_S = 3600.0
WAIT_S = 30.0


class WatchedHealth(Health):
    """Sets `refusal` whenever a request is refused."""

    def __init__(self) -> None:
        super().__init__()
        self.refusal = asyncio.Event()

    def refused(self, signal: Signal | None, fault: Fault) -> None:
        super().refused(signal, fault)
        self.refusal.set()


class Receiving:
    """Both doors on free ports of the loopback address, before a log that nobody empties."""

    log: Log
    door: Door
    losses: LossReports
    http: Serving
    grpc: Serving

    def __init__(
        self,
        folder: Path,
        limits: Limits | None = None,
        log_bytes: int = 1 << 30,
        age_s: float = NEVER_S,
        gate: Gate | None = None,
        fullness: Callable[[WatchedHealth, Log], Fullness] | None = None,
    ) -> None:
        self.folder = folder
        self._fullness = fullness
        self._gate = gate
        self.health = WatchedHealth()
        self._limits = limits or Limits()
        self._log_limits = LogLimits(size_bytes=log_bytes, segment=SegmentLimits(age_s=age_s))
        self._loop = uvloop.new_event_loop()  # as the collector's own
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self._start())
        return self

    def __exit__(self, *exc: object) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs it on the collector's loop and returns what it returns."""
        try:
            return self.start(coroutine).result(WAIT_S)
        except TimeoutError:
            raise AssertionError(f"{coroutine} was not done after {WAIT_S} s") from None

    def start(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Starts it on the collector's loop, to be waited for later."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def url(self, signal: str) -> str:
        """Where a signal is posted to."""
        return f"http://127.0.0.1:{self.http.port}/v1/{signal}"

    def target(self) -> str:
        """Where gRPC listens."""
        return f"127.0.0.1:{self.grpc.port}"

    def on_disk(self, signal: Signal) -> list[Message]:
        """Every request of the signal that the log's files hold at this moment, in order."""
        return [REQUESTS[signal].FromString(body) for body, _ in self.records(signal)]

    def records(self, signal: Signal) -> list[tuple[bytes, segment.Record]]:
        """Bodies and trailers of the signal's records on disk at this moment, in order."""
        found = []
        for path in sorted(self.folder.glob(f"{signal}-*.*")):
            content = path.read_bytes()
            for record in segment.records(content, batch=int(path.stem.split("-")[1])):
                found.append((bytes(record.body(content)), record))
        return found

    def count(self, name: str, **labels: str) -> float:
        """The value of one of the collector's counters."""
        return self.health.registry.get_sample_value(f"sightline_{name}", labels) or 0.0

    async def turn(self) -> None:
        """Lets the collector's loop go round: for those who wait on a condition."""
        await asyncio.sleep(0.001)

    async def _start(self) -> None:
        self.log = await Log.open(self.folder, limits=self._log_limits, watcher=self.health)
        self.health.watch(self.log)
        self.losses = LossReports(self.log, self.health)
        full = self._fullness(self.health, self.log) if self._fullness else None
        self.door = Door(self.log, self.health, self.losses, self._limits, self._gate, full)
        self.http = await serve_http(
            OtlpHttp(self.door), "OTLP/HTTP", "127.0.0.1", 0, refusal=answer.http_refusal
        )
        self.grpc = await serve_grpc(self.door, "OTLP/gRPC", "127.0.0.1", 0)

    async def _stop(self) -> None:
        await self.http.stop(0)
        await self.grpc.stop(0)
        self.door.close()
        await self.log.close()
