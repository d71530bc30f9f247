"""Prints the collector's and the SDK's figures beside its targets and its peers: python -m tests.bench"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import (
    corpus,
    dialects,
    kills,
    phoenix,
    receive_side,
    report,
    rotel,
    sdk,
    sdk_peers,
    streams,
    whole,
)
from tests.bench.environments import PeerMissing
from tests.bench.sdk_peer_table import as_text as peer_table

PARTS = ("whole", "receive", "rotel", "phoenix", "kills", "sdk", "sdk-peers", "streams", "dialects")
REPEATS_LEAST = 3
BUSY = 0.5
"""Load per core from others beyond which figures are worth little."""


def main() -> int:
    """Measure what is asked for; 1 when acknowledged spans were lost or stored twice."""
    asked = _arguments()
    load = os.getloadavg()[0]
    cores = os.cpu_count() or 1
    print(f"{cores} cores, {platform.machine()}, load of others {load:.1f}, {asked.repeats} repeats, medians")
    if load > BUSY * cores:
        print("this machine is busy: CPU-seconds grow with it, and times far more")
    bodies = corpus.requests(asked.requests)
    bytes_a_span = sum(map(len, bodies)) / len(bodies) / corpus.SPANS
    print(f"{len(bodies)} requests of {corpus.SPANS} spans, {bytes_a_span:,.0f} bytes a span", flush=True)
    work: dict[str, Callable[[], dict[str, float]]] = {
        "whole": lambda: whole.measure(bodies, asked.repeats, asked.window, asked.quiet / asked.repeats),
        "receive": lambda: receive_side.measure(asked.repeats, asked.window / 4),
        "rotel": lambda: rotel.measure(bodies, asked.repeats),
        "phoenix": lambda: phoenix.measure(bodies[: asked.phoenix_requests], asked.repeats),
        "kills": lambda: kills.measure(asked.kills),
        "sdk": lambda: sdk.measure(asked.repeats),
        "sdk-peers": lambda: sdk_peers.measure(asked.repeats),
        "streams": lambda: streams.measure(asked.repeats),
        "dialects": lambda: dialects.measure(asked.repeats),
    }
    measured = {part: _run(part, work[part]) for part in PARTS if part in asked.parts}
    if asked.views:
        subprocess.run([sys.executable, "tests/bench/views_10m.py"], check=False)
    table = report.rows(measured)
    print(f"\n{report.as_text(table)}")
    if asked.json:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        machine = {"at": when, "cores": cores, "load": load, "repeats": asked.repeats}
        asked.json.write_text(json.dumps({**machine, "measured": measured, "table": report.as_data(table)}))
    counted = measured.get("kills", {})
    return int(counted.get("lost spans", 0) + counted.get("duplicate spans", 0) > 0)


def _run(part: str, measure: Callable[[], dict[str, float]]) -> dict[str, float]:
    """One part's figures, printed; none, and the reason in a line, when it cannot be measured."""
    began = time.perf_counter()
    try:
        figures = measure()
    except (PeerMissing, kills.KillsFailed, OSError, RuntimeError, TimeoutError) as e:
        print(f"\n{part}: not measured: {e}", flush=True)
        return {}
    print(f"\n{part}  ({time.perf_counter() - began:.0f} s)")
    shown = peer_table if part == "sdk-peers" else report.as_lines
    print(shown(figures), flush=True)
    return figures


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", default=PARTS, help=f"of {', '.join(PARTS)}; all when none is named"
    )
    parser.add_argument("--repeats", type=int, default=REPEATS_LEAST, help="of each figure (3)")
    parser.add_argument("--requests", type=int, default=240, help="of 512 spans, in a full blast (240)")
    parser.add_argument("--phoenix-requests", type=int, default=4, help="it is slower (4)")
    parser.add_argument("--window", type=float, default=20, help="seconds of a repeat at half capacity (20)")
    parser.add_argument("--quiet", type=float, default=60, help="seconds idle, and of one span a second (60)")
    parser.add_argument("--kills", type=int, default=300, help="of the collector under load (300)")
    parser.add_argument("--views", action="store_true", help="also the views over ten million spans")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
