"""What it takes the engine to understand spans of one dialect, of three, and of all: segment in, rows out.

Merges wait meanwhile, for they would fall into one figure or another; what they take has a figure of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

SEGMENT_REQUESTS = 72
"""Of 512 spans: a segment of 36,864 spans, 64 MB, as the log closes them while the store is busy."""
SMALL_INSERTS = 9


def measure(repeats: int) -> dict[str, float]:
    """Fat spans per CPU-second of this engine by number of dialects, and what a segment of one span takes.

    Measured in a process of its own, for the engine must not be forked. Raises RuntimeError when that fails.
    """
    asked = [sys.executable, "-m", "tests.bench.dialects", str(repeats)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _measured(repeats: int, folder: Path) -> dict[str, float]:
    sys.path.insert(0, "tests")
    from tests.bench import corpus, dialect_spans

    from sightline_collector.store.batch import insert_segment
    from sightline_collector.store.engine import Engine
    from sightline_collector.store.migrate import migrate
    from sightline_collector.store.url import StoreUrl
    from sightline_collector.wal.segment import Entry, Signal, frame

    engine = Engine(StoreUrl(folder / "store", "", 0, "", "", "bench", secure=False))
    migrate(engine)
    engine.command("system stop merges")

    def segment(name: str, bodies: list[bytes], spans: int) -> Path:
        file = folder / name
        with file.open("wb") as out:
            for body in bodies:
                parts = frame(Entry(body, spans, "default", time.time_ns()), 1, "5eed" * 8)
                out.write(parts[0] + body + parts[1])
        return file

    def cpu_s(file: Path) -> float:
        before = time.process_time()
        insert_segment(engine, Signal.TRACES, file)
        return time.process_time() - before

    def typical_s(file: Path, times: int) -> float:
        cpu_s(file)
        return median(cpu_s(file) for _ in range(times))

    def merged_s() -> float:
        engine.command("system start merges")
        before = time.process_time()
        engine.command("optimize table spans_v1 final")
        return time.process_time() - before

    known = list(dialect_spans.DIALECTS)
    figures = {}
    for what, chosen in (("one dialect", known[:1]), ("three dialects", known[:3]), ("all dialects", known)):
        file = segment(what, dialect_spans.requests(SEGMENT_REQUESTS, chosen), corpus.SPANS)
        figures[f"{what}, spans per CPU-second"] = SEGMENT_REQUESTS * corpus.SPANS / typical_s(file, repeats)
    one = segment("one", corpus.requests(1, spans=1), 1)
    figures["one span ms of CPU"] = 1000 * typical_s(one, SMALL_INSERTS)
    rows = engine.value("select count() from spans_v1")
    figures["a merge of them all, us of CPU a span"] = 1e6 * merged_s() / rows
    engine.close()
    return figures


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        print(json.dumps(_measured(int(sys.argv[1]), Path(made))))
