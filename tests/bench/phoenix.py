"""Phoenix' server, `phoenix serve` on SQLite, its default: spans per CPU-second until they are stored."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tests.bench import corpus
from tests.bench.environments import environment
from tests.bench.load import blast, median
from tests.bench.peer_process import free_port, running

START_S, STALLED_S = 180, 60
POLL_S = 0.2


def measure(bodies: Sequence[bytes], repeats: int) -> dict[str, float]:
    """Medians. Raises PeerMissing."""
    program = environment("arize-phoenix") / "bin" / "phoenix"
    per_cpu_s, stored = [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(prefix="sightline-bench-phoenix-") as folder:
            spans, cpu_s = _once(program, Path(folder), bodies)
            per_cpu_s.append(spans / cpu_s)
            stored.append(spans)
    return {"stored spans per CPU-second": median(per_cpu_s), "stored spans": median(stored)}


def _once(program: Path, folder: Path, bodies: Sequence[bytes]) -> tuple[int, float]:
    """Spans in its database, and the CPU seconds they took."""
    port = free_port()
    settings = {
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_TELEMETRY_ENABLED": "false",
    }
    command = [str(program), "serve"]
    with running(command, folder / "phoenix.log", os.environ | settings, port, START_S) as process:
        process.settle()
        before = process.cpu_s
        blast(f"http://127.0.0.1:{port}", bodies)
        spans = _stored(folder / "phoenix.db", len(bodies) * corpus.SPANS)
        return spans, process.cpu_s - before


def _stored(database: Path, wanted: int) -> int:
    """The rows that are stored, once all are, or once no more come."""
    stored, since = 0, time.monotonic()
    while stored < wanted and time.monotonic() - since < STALLED_S:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
            now = int(connection.execute("select count(*) from spans").fetchone()[0])
        if now > stored:
            stored, since = now, time.monotonic()
        time.sleep(POLL_S)
    return stored
