"""Prints what the collector's receiving half takes: check, append, sync, answer; no store behind it.

    python tests/bench/receive_side.py [SECONDS]

A process of its own serves both doors before a log whose segments are let go at once. Requests are 512 fat
LLM spans (1.7 KB, 17 attributes) or single ones. To reach: 150,000 spans per CPU-second over HTTP, and
acknowledgement p99 below 50 ms at half of the capacity.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import multiprocessing
import random
import resource
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import grpc
import uvloop
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sightline_collector.errors import LogClosed
from sightline_collector.health import Health
from sightline_collector.receive.door import Door
from sightline_collector.receive.grpc import SERVICES
from sightline_collector.receive.http import OtlpHttp
from sightline_collector.receive.serve import serve_grpc, serve_http
from sightline_collector.wal.log import Log
from sightline_collector.wal.segment import Signal

REPEATS = 3
CONNECTIONS = 4
SPANS_TARGET, ACK_P99_TARGET_MS = 150_000, 50

Send = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Usage:
    """What the serving process has used so far."""

    cpu_s: float
    peak_mb: float


def request(spans: int) -> bytes:
    """An OTLP request of fat LLM spans, the same in every run."""
    chance = random.Random(7)
    message = ExportTraceServiceRequest()
    resource_spans = message.resource_spans.add()
    resource_spans.resource.attributes.add(key="service.name").value.string_value = "shop-bot"
    scope = resource_spans.scope_spans.add()
    for number in range(spans):
        span = scope.spans.add(name="chat gpt-4o", kind=Span.SPAN_KIND_CLIENT)
        span.trace_id, span.span_id = chance.randbytes(16), chance.randbytes(8)
        span.start_time_unix_nano = 1_790_000_000_000_000_000 + number
        span.end_time_unix_nano = span.start_time_unix_nano + 10**9
        for key in ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "server.port"):
            span.attributes.add(key=key).value.int_value = chance.randint(1, 5000)
        for key in ("gen_ai.input.messages", "gen_ai.output.messages"):
            words = [chance.choice(["model", "answer", "invoice", "refund", "customer"]) for _ in range(80)]
            said = [{"role": "user", "parts": [{"type": "text", "content": " ".join(words)}]}]
            span.attributes.add(key=key).value.string_value = json.dumps(said)
        for place in range(12):
            span.attributes.add(key=f"gen_ai.attribute.{place}").value.string_value = f"value {place}"
    encoded: bytes = message.SerializeToString()
    return encoded


def serve(pipe: Connection, folder: str) -> None:
    """The measured process: sends its ports, then its usage whenever it is asked, until told to stop."""

    async def run() -> None:
        health = Health()
        log = await Log.open(Path(folder), watcher=health)
        door = Door(log, health)
        http = await serve_http(OtlpHttp(door), "OTLP/HTTP", "127.0.0.1", 0)
        over_grpc = await serve_grpc(door, "OTLP/gRPC", "127.0.0.1", 0)
        emptying = asyncio.create_task(let_go_all(log))
        pipe.send((http.port, over_grpc.port))
        while await asyncio.to_thread(pipe.recv):
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            pipe.send(Usage(time.process_time(), peak_mb))
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


def http_sender(port: int, body: bytes, encoding: str = "") -> Send:
    """A bare socket, so that the client costs as little as can be."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    head = "POST /v1/traces HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-protobuf\r\n"
    head += f"Content-Encoding: {encoding}\r\n" if encoding else ""
    sent = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def send() -> None:
        connection.sendall(sent)
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200"), answer

    return send


def grpc_sender(port: int, body: bytes) -> Send:
    """A channel with a connection of its own."""
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)])
    export = channel.unary_unary(f"/{SERVICES[Signal.TRACES]}/Export")
    return lambda: export(body)


def blast(make: Callable[[], Send], seconds: float, rate: float | None = None) -> list[float]:
    """Sends over all connections as fast as answered, or at a rate; how long each took, in ms."""
    took_ms: list[float] = []

    def one(first: int) -> None:
        send = make()
        due = time.perf_counter() + (first / rate if rate else 0)
        end = time.perf_counter() + seconds
        while due < end:
            time.sleep(max(0.0, due - time.perf_counter()))
            send()
            now = time.perf_counter()
            took_ms.append((now - due) * 1e3)
            due = due + CONNECTIONS / rate if rate else now

    threads = [threading.Thread(target=one, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(took_ms)


def main(seconds: float) -> None:
    """Runs every case and prints medians."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    fat, small = request(512), request(1)
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=serve, args=(there, folder))
        process.start()
        http_port, grpc_port = here.recv()

        def usage() -> Usage:
            here.send(True)
            used: Usage = here.recv()
            return used

        cases: list[tuple[str, int, Callable[[], Send]]] = [
            ("HTTP, 512 spans", 512, lambda: http_sender(http_port, fat)),
            ("HTTP, 512 spans, gzip", 512, lambda: http_sender(http_port, gzip.compress(fat), "gzip")),
            ("gRPC, 512 spans", 512, lambda: grpc_sender(grpc_port, fat)),
            ("HTTP, 1 span", 1, lambda: http_sender(http_port, small)),
            ("gRPC, 1 span", 1, lambda: grpc_sender(grpc_port, small)),
        ]
        print(f"{len(fat) / 512:.0f} bytes a span; medians of {REPEATS} runs of {seconds:.0f} s")
        for name, spans, make in cases:
            per_cpu_s, per_s = [], []
            for _ in range(REPEATS):
                before = usage()
                count = len(blast(make, seconds))
                per_cpu_s.append(count * spans / (usage().cpu_s - before.cpu_s))
                per_s.append(count / seconds)
            print(f"{name:24}{statistics.median(per_cpu_s):>12,.0f} spans per CPU-second", end="")
            took_ms = blast(make, seconds, rate=statistics.median(per_s) / 2)
            p50, p99 = took_ms[len(took_ms) // 2], took_ms[len(took_ms) * 99 // 100]
            print(f"   at half capacity acknowledged p50 {p50:.1f} ms, p99 {p99:.1f} ms")
        print(f"peak memory {usage().peak_mb:.0f} MB")
        print(f"to reach: {SPANS_TARGET:,} spans per CPU-second over HTTP, p99 below {ACK_P99_TARGET_MS} ms")
        here.send(False)
        process.join()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
