"""Rotel, the Rust collector, from its Python package: alone, and into the same engine as Sightline.

It is given what favours it: no compression towards the engine, which then need not inflate, and a server
that answers as fast as the engine takes the rows. It acknowledges before anything is stored.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench import corpus
from tests.bench.environments import PeerMissing, environment
from tests.bench.load import blast, median
from tests.bench.peer_process import free_port, running
from tests.bench.usage import Process

STALLED_S = 20
"""Rows that have not come by then will not come."""
ALONE = ("--exporter", "blackhole")
QUIET_S = 1.0


def measure(bodies: Sequence[bytes], repeats: int) -> dict[str, float]:
    """Medians. Raises PeerMissing."""
    agent = _agent()
    samples: dict[str, list[float]] = defaultdict(list)
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(prefix="sightline-bench-rotel-") as folder:
            _alone(agent, Path(folder), bodies, samples)
            _into_engine(agent, Path(folder), bodies, samples)
    return {name: median(values) for name, values in samples.items()}


def _agent() -> Path:
    found = list(environment("rotel", prerelease=True).glob("lib/*/site-packages/rotel/rotel-agent"))
    if not found:
        raise PeerMissing("rotel's package has no rotel-agent for this platform")
    return found[0]


@contextmanager
def _rotel(agent: Path, folder: Path, *exporter: str) -> Iterator[tuple[Process, str]]:
    """A running agent, and where it takes OTLP."""
    port = free_port()
    places = ("--otlp-http-endpoint", f"127.0.0.1:{port}", "--otlp-grpc-endpoint", f"127.0.0.1:{free_port()}")
    command = [str(agent), "start", "--pid-file", str(folder / "rotel.pid"), *places, *exporter]
    libraries = {"LD_LIBRARY_PATH": sysconfig.get_config_var("LIBDIR") or ""}
    with running(command, folder / "rotel.log", os.environ | libraries, port) as process:
        yield process, f"http://127.0.0.1:{port}"


def _alone(agent: Path, folder: Path, bodies: Sequence[bytes], samples: dict[str, list[float]]) -> None:
    with _rotel(agent, folder, *ALONE) as (rotel, url):
        before = rotel.cpu_s
        blast(url, bodies)
        while rotel.share(QUIET_S) > 3:
            pass
        spans = len(bodies) * corpus.SPANS
        samples["received spans per CPU-second"].append(spans / (rotel.cpu_s - before))


def _into_engine(agent: Path, folder: Path, bodies: Sequence[bytes], samples: dict[str, list[float]]) -> None:
    command = [sys.executable, "-m", "tests.bench.clickhouse_stand_in", str(folder / "store")]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        engine, port = Process(server.pid), int(server.stdout.readline())
        endpoint = f"http://127.0.0.1:{port}"
        exporter = ("--exporter", "clickhouse", "--clickhouse-exporter-compression", "none")
        with _rotel(agent, folder, *exporter, "--clickhouse-exporter-endpoint", endpoint) as (rotel, url):
            before_rotel, before_engine = rotel.cpu_s, engine.cpu_s
            blast(url, bodies)
            stored = _stored(endpoint, len(bodies) * corpus.SPANS)
            cpu_rotel, cpu_engine = rotel.cpu_s - before_rotel, engine.cpu_s - before_engine
            samples["stored spans per CPU-second"].append(stored / (cpu_rotel + cpu_engine))
            samples["share of Rotel itself %"].append(cpu_rotel / (cpu_rotel + cpu_engine) * 100)
            samples["lost spans"].append(len(bodies) * corpus.SPANS - stored)
            engine.settle()
            both = rotel.cpu_s - before_rotel + engine.cpu_s - before_engine
            samples["stored spans per CPU-second, merges settled"].append(stored / both)
            samples["bytes per span"].append(_ask(endpoint, BYTES) / stored)
    finally:
        server.terminate()
        server.wait()


BYTES = "select sum(bytes_on_disk) from system.parts where active and database = 'otel'"


def _stored(endpoint: str, wanted: int) -> int:
    """The rows that are stored, once all are, or once no more come."""
    stored, since = 0, time.monotonic()
    while stored < wanted and time.monotonic() - since < STALLED_S:
        now = int(_ask(endpoint, "select count() from otel_traces"))
        if now > stored:
            stored, since = now, time.monotonic()
        time.sleep(0.1)
    return stored


def _ask(endpoint: str, query: str) -> float:
    request = urllib.request.Request(endpoint, data=query.encode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        return float(answer.read())
