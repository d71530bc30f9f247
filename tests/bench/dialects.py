"""What it takes the engine to understand spans of one dialect, of three, and of all: segment in, rows out.

Merges wait meanwhile, for they would fall into one figure or another; what they take has a figure of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sightline_collector.store.engine import Engine

SEGMENT_REQUESTS = 72
"""Of 512 spans: a segment of 36,864 spans, 64 MB, as the log closes them while the store is busy."""
INSERTS = 3
"""For each repeat."""
SMALL_INSERTS = 9
WARM_INSERTS = 14
"""Of those a few are planned one by one, and one beside the other that is to stand open."""


def measure(repeats: int) -> dict[str, float]:
    """Fat spans per CPU-second of this engine by number of dialects; what one span takes; what merging adds.

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

    from sightline_collector.store.engine import Engine
    from sightline_collector.store.migrate import migrate
    from sightline_collector.store.url import StoreUrl

    engine = Engine(StoreUrl(folder / "store", "", 0, "", "", "bench", secure=False))
    migrate(engine)
    engine.command("system stop merges")
    trial = _Trial(engine, folder / "segment")
    known = list(dialect_spans.DIALECTS)
    figures = {}
    for what, chosen in (("one dialect", known[:1]), ("three dialects", known[:3]), ("all dialects", known)):
        took_s = trial.typical_s(
            dialect_spans.requests(SEGMENT_REQUESTS, chosen), corpus.SPANS, INSERTS * repeats
        )
        figures[f"{what}, spans per CPU-second"] = SEGMENT_REQUESTS * corpus.SPANS / took_s
    one_s = trial.typical_s(corpus.requests(1, spans=1), 1, SMALL_INSERTS)
    figures["one span ms of CPU"] = 1000 * one_s
    figures["a merge of all, us of CPU a span"] = 1e6 * trial.merged_s() / trial.spans()
    engine.close()
    return figures


@dataclass(frozen=True, slots=True)
class _Trial:
    engine: Engine
    file: Path

    def typical_s(self, bodies: list[bytes], spans: int, times: int) -> float:
        """CPU-seconds of inserting requests of that many spans each, in one segment: the median, once an
        insert stands open, as in a collector that has run for some seconds."""
        from sightline_collector.wal.segment import Entry, frame

        with self.file.open("wb") as out:
            for body in bodies:
                head, trailer = frame(Entry(body, spans, "default", time.time_ns()), 1, "5eed" * 8)
                out.write(head + body + trailer)
        items = len(bodies) * spans
        for _ in range(WARM_INSERTS):
            self._insert_s(items)
        return median(self._insert_s(items) for _ in range(times))

    def _insert_s(self, items: int) -> float:
        from sightline_collector.store.batch import insert_segment
        from sightline_collector.wal.segment import Signal

        before = time.process_time()
        insert_segment(self.engine, Signal.TRACES, self.file, items)
        return time.process_time() - before

    def merged_s(self) -> float:
        """CPU-seconds of merging all that was inserted."""
        self.engine.command("system start merges")
        before = time.process_time()
        self.engine.command("optimize table spans_v1 final")
        return time.process_time() - before

    def spans(self) -> int:
        return int(self.engine.value("select count() from spans_v1"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        print(json.dumps(_measured(int(sys.argv[1]), Path(made))))
