"""What the collector's receiving half takes: check, append, sync, answer; no store behind it.

A process of its own serves both doors before a log whose segments are let go at once. Requests hold 512
fat spans or a single one; the same few bodies are sent over and over.
"""

from __future__ import annotations

import asyncio
import gzip
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import grpc
import httpx
import uvloop
from tests.bench import corpus
from tests.bench.load import CONNECTIONS, TIMEOUT_S, at_rate, median, quantile, sender
from tests.bench.usage import Process

from sightline_collector.errors import LogClosed
from sightline_collector.health import Health
from sightline_collector.receive.door import Door
from sightline_collector.receive.grpc import SERVICES
from sightline_collector.receive.http import OtlpHttp
from sightline_collector.receive.serve import serve_grpc, serve_http
from sightline_collector.wal.log import Log
from sightline_collector.wal.segment import Signal

BODIES = 4
Connect = Callable[[], Callable[[bytes], object]]
"""Opens a connection of its own; what comes back sends a body over it."""
GZIP = "Content-Encoding: gzip\r\n"


def measure(repeats: int, seconds: float) -> dict[str, float]:
    """Medians of spans per CPU-second for each door, and of acknowledgement at half of HTTP's capacity."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="sightline-bench-receive-") as folder:
        server = context.Process(target=serve, args=(there, folder))
        server.start()
        assert server.pid
        http, over_grpc = here.recv()
        try:
            return _measure(Process(server.pid), http, over_grpc, repeats, seconds)
        finally:
            here.send(False)
            server.join()


def serve(pipe: Connection, folder: str) -> None:
    """The measured process: sends where it listens, and ends when it is sent anything."""

    async def run() -> None:
        health = Health()
        log = await Log.open(Path(folder), watcher=health)
        door = Door(log, health)
        http = await serve_http(OtlpHttp(door), "OTLP/HTTP", "127.0.0.1", 0)
        over_grpc = await serve_grpc(door, "OTLP/gRPC", "127.0.0.1", 0)
        emptying = asyncio.create_task(let_go_all(log))
        pipe.send((f"http://127.0.0.1:{http.port}", f"127.0.0.1:{over_grpc.port}"))
        await asyncio.to_thread(pipe.recv)
        await asyncio.gather(http.stop(1), over_grpc.stop(1))
        await log.drain()
        await emptying
        await log.close()
        door.close()

    uvloop.run(run())


async def let_go_all(log: Log) -> None:
    """Stands where the store would."""
    with suppress(LogClosed):
        while True:
            await log.let_go(await log.sealed(Signal.TRACES))


def _measure(process: Process, http: str, over_grpc: str, repeats: int, seconds: float) -> dict[str, float]:
    fat, small = corpus.requests(BODIES), corpus.requests(BODIES, spans=1)
    zipped = [gzip.compress(body, 6) for body in fat]
    cases: dict[str, tuple[int, Connect, Sequence[bytes]]] = {
        "HTTP, 512 spans": (corpus.SPANS, lambda: sender(http), fat),
        "HTTP, 512 spans, gzip": (corpus.SPANS, lambda: sender(http, headers=GZIP), zipped),
        "gRPC, 512 spans": (corpus.SPANS, lambda: grpc_sender(over_grpc), fat),
        "HTTP/2, 512 spans": (corpus.SPANS, lambda: http2_sender(http), fat),
        "HTTP, 1 span": (1, lambda: sender(http), small),
        "gRPC, 1 span": (1, lambda: grpc_sender(over_grpc), small),
    }
    figures = {}
    for name, (spans, connect, bodies) in cases.items():
        runs = [_run(process, connect, bodies, seconds) for _ in range(repeats)]
        figures[f"{name} per CPU-second"] = median([spans * count / cpu_s for count, cpu_s in runs])
        figures[f"{name} requests per second"] = median([count / seconds for count, _ in runs])
    half = figures["HTTP, 512 spans requests per second"] / 2
    took_ms = [at_rate(http, fat, half, seconds) for _ in range(repeats)]
    figures["acknowledged p50 ms"] = median([quantile(t, 0.5) for t in took_ms])
    figures["acknowledged p99 ms"] = median([quantile(t, 0.99) for t in took_ms])
    figures["peak MB"] = process.peak_rss_mb
    return figures


def _run(
    process: Process,
    connect: Callable[[], Callable[[bytes], object]],
    bodies: Sequence[bytes],
    seconds: float,
) -> tuple[int, float]:
    """Requests taken over all connections in the time, and the CPU seconds they cost."""
    counts = [0] * CONNECTIONS
    before, end = process.cpu_s, time.perf_counter() + seconds

    def one(number: int) -> None:
        send = connect()
        while time.perf_counter() < end:
            send(bodies[counts[number] % len(bodies)])
            counts[number] += 1

    threads = [threading.Thread(target=one, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts), process.cpu_s - before


def http2_sender(url: str) -> Callable[[bytes], object]:
    """A connection over HTTP/2 of its own, one stream after the other."""
    client = httpx.Client(http1=False, http2=True, timeout=TIMEOUT_S)
    headers = {"content-type": "application/x-protobuf"}

    def send(body: bytes) -> int:
        return client.post(f"{url}/v1/traces", content=body, headers=headers).status_code

    return send


def grpc_sender(address: str) -> Callable[[bytes], object]:
    """A channel with a connection of its own."""
    channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
    export: Callable[[bytes], object] = channel.unary_unary(f"/{SERVICES[Signal.TRACES]}/Export")
    return export
