"""The whole collector, as users run it: from a request's first byte to a row that answers a query.

CPU is user and system time of the collector's process, all threads, from before the first byte until
/api/flush has answered: receiving, syncing, inserting, confirming, and the merges that ran meanwhile.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.bench import corpus
from tests.bench.load import at_rate, blast, deliver, median, quantile, sender
from tests.bench.usage import Process
from tests.collector_process import CollectorProcess

MARK_EVERY_S, POLL_S, FOUND_WITHIN_S = 0.3, 0.02, 30.0

Samples = dict[str, list[float]]


class Collector(CollectorProcess):
    """A collector whose process is looked at."""

    @property
    def process(self) -> Process:
        """Valid while it runs."""
        assert self._process
        return Process(self._process.pid)

    def started_s(self) -> float:
        """Start it; seconds until it has taken a span."""
        began = time.perf_counter()
        self.start()
        deliver(sender(self.otlp), corpus.marked(os.urandom(16)))
        return time.perf_counter() - began


def measure(bodies: Sequence[bytes], repeats: int, window_s: float, quiet_s: float) -> dict[str, float]:
    """Medians of all that is measured. `window_s` is one repeat at half capacity, `quiet_s` one when idle."""
    samples: Samples = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as folder:
        for number in range(repeats):
            _full_blast(Collector(Path(folder) / f"blast-{number}"), bodies, samples)
        collector = Collector(Path(folder) / "steady")
        collector.start()
        try:
            _quiet(collector, repeats, quiet_s, samples)
            requests_per_s = median(samples["spans per second"]) / corpus.SPANS / 2
            for _ in range(repeats):
                _half_capacity(collector, bodies, requests_per_s, window_s, samples)
        finally:
            collector.stop()
    return {name: median(values) for name, values in samples.items()}


def _full_blast(collector: Collector, bodies: Sequence[bytes], samples: Samples) -> None:
    samples["first start s"].append(collector.started_s())
    process = collector.process
    try:
        collector.flush()
        process.settle()
        samples["idle MB"].append(process.rss_mb)
        cpu_s, began = process.cpu_s, time.perf_counter()
        blast(collector.otlp, bodies)
        collector.flush()
        spans, wall_s = len(bodies) * corpus.SPANS, time.perf_counter() - began
        samples["spans per CPU-second"].append(spans / (process.cpu_s - cpu_s))
        samples["spans per second"].append(spans / wall_s)
        assert collector.ask("select count() as n from spans")[0]["n"] == spans + 1
        process.settle()
        samples["spans per CPU-second, merges settled"].append(spans / (process.cpu_s - cpu_s))
        samples["full load MB"].append(process.peak_rss_mb)
    finally:
        collector.stop()
    samples["bytes per span"].append(bytes_per_span(collector.folder / "store"))
    samples["next start s"].append(collector.started_s())
    collector.stop()


def bytes_per_span(store: Path) -> float:
    """Of the parts that are live, roll-ups and indexes included; another process opens the store."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.bench.disk", str(store)], check=True, capture_output=True, text=True
    )
    return float(told.stdout.split()[-1])


def _quiet(collector: Collector, repeats: int, seconds: float, samples: Samples) -> None:
    collector.process.settle()
    for _ in range(repeats):
        samples["idle % of a core"].append(collector.process.share(seconds))
    for _ in range(repeats):
        with meanwhile(lambda stop: _one_a_second(collector.otlp, stop)):
            samples["one span a second % of a core"].append(collector.process.share(seconds))


@contextmanager
def meanwhile(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Runs the work in a thread until the block ends. Raises what the work raised."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work, stop)
        try:
            yield
        finally:
            stop.set()
        working.result()


def _one_a_second(url: str, stop: threading.Event) -> None:
    send = sender(url)
    while not stop.wait(1.0):
        deliver(send, corpus.marked(os.urandom(16)))


def _half_capacity(
    collector: Collector, bodies: Sequence[bytes], per_s: float, seconds: float, samples: Samples
) -> None:
    """Requests at a rate; meanwhile marked ones, each asked for until it is found."""
    queryable_ms: list[float] = []
    with meanwhile(lambda stop: _mark(collector, stop, queryable_ms)):
        acknowledged_ms = at_rate(collector.otlp, bodies, per_s, seconds)
    collector.flush()
    for name, values in (("acknowledged", acknowledged_ms), ("queryable", queryable_ms)):
        for share in (0.5, 0.95, 0.99):
            samples[f"{name} p{share * 100:.0f} ms"].append(quantile(values, share))


def _mark(collector: Collector, stop: threading.Event, took_ms: list[float]) -> None:
    while not stop.wait(MARK_EVERY_S):
        trace_id, send = os.urandom(16), sender(collector.otlp)
        deliver(send, corpus.marked(trace_id))
        acknowledged = time.perf_counter()
        while not _found(collector, trace_id):
            if time.perf_counter() - acknowledged > FOUND_WITHIN_S:
                break
            time.sleep(POLL_S)
        took_ms.append((time.perf_counter() - acknowledged) * 1e3)


def _found(collector: Collector, trace_id: bytes) -> bool:
    rows = collector.ask(f"select count() as n from spans where trace_id = '{trace_id.hex()}'")
    return bool(rows[0]["n"])
