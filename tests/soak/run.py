"""Runs a soak and says what it has shown."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from soak.faults import OF_THE_PROCESS, OF_THE_STORE, Done
from soak.load import SPANS, OfferedLoad
from soak.promises import Happened, Seen, broken, longest_silence_s, minutes, recoveries, usual_per_s
from soak.stored import Stored, stored
from soak.system import System

MEASURE_S = 25.0
"""How long the capacity is measured, the first half of it not counted: the log fills then."""
CALM_S = (6.0, 25.0)
"""Between two faults."""


def main(arguments: Sequence[str]) -> int:
    """1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="of load, over all stores")
    parser.add_argument("--store", choices=("embedded", "server", "both"), default="both")
    parser.add_argument("--seed", type=int, default=11, help="which faults come, and when")
    given = parser.parse_args(arguments)
    stores = ("embedded", "server") if given.store == "both" else (given.store,)
    failed = 0
    for store in stores:
        folder = Path(tempfile.mkdtemp(prefix="sightline-soak-"))
        seconds = given.minutes * 60 / len(stores)
        seen, held = soak(folder, seconds, server=store == "server", chance=Random(given.seed))
        report(store, seen, held)
        wrong = broken(seen, held)
        failed += len(wrong)
        print(*(f"BROKEN  {each}" for each in wrong or ()), sep="\n", flush=True)
        if wrong:
            print(f"everything is left in {folder}")
        else:
            shutil.rmtree(folder)
    return 1 if failed else 0


def soak(folder: Path, seconds: float, *, server: bool, chance: Random) -> tuple[Seen, Stored]:
    """A collector under twice the load that it can store, with faults; what was seen, and what is stored."""
    measure_s = min(MEASURE_S, seconds / 3)
    with System(folder, server=server) as system:
        flood = OfferedLoad()
        capacity = _capacity(system, flood, measure_s)
        print(f"capacity {capacity * SPANS:,.0f} spans/s; offered from now on: twice that", flush=True)
        load = OfferedLoad(per_s=max(1.0, 2 * capacity))
        load.url = system.collector.otlp
        began_s = time.monotonic()
        load.start()
        faults = OF_THE_PROCESS + (OF_THE_STORE if server else ())
        happened = _disturb(system, load, began_s + seconds, chance, faults)
        ended_s = time.monotonic()
        load.stop()
        drained = system.drain()
        rss = [one for one in system.rss if one[0] >= began_s]
        assert system.end() == 0
    acknowledged = frozenset(one.hex() for one in load.acknowledged | flood.acknowledged)
    seen = Seen(began_s, ended_s, load.answers, rss, happened, acknowledged, drained)
    return seen, stored(system.store)


def _capacity(system: System, flood: OfferedLoad, seconds: float) -> float:
    """Requests a second that are taken when the log is full: what the store takes."""
    flood.url = system.collector.otlp
    flood.start()
    time.sleep(seconds)
    now_s = time.monotonic()
    flood.stop()
    return flood.answers.taken_between(now_s - seconds / 2, now_s) / (seconds / 2)


def _disturb(
    system: System, load: OfferedLoad, until_s: float, chance: Random, faults: Sequence[Done]
) -> list[Happened]:
    """One fault after the other, each once before any comes again."""
    happened: list[Happened] = []
    waiting: list[Done] = []
    while True:
        calm_s = chance.uniform(*CALM_S)
        if time.monotonic() + calm_s + 5 > until_s:
            time.sleep(max(0.0, until_s - time.monotonic()))
            return happened
        time.sleep(calm_s)
        waiting = waiting or chance.sample(faults, len(faults))
        fault = waiting.pop()
        begin_s = time.monotonic()
        why = _failure(fault, system, load, chance)
        happened.append(Happened(fault.__name__, begin_s, time.monotonic(), why))
        print(
            f"{begin_s - until_s:8.0f} s  {fault.__name__}, {happened[-1].end_s - begin_s:.1f} s", flush=True
        )


def _failure(fault: Done, system: System, load: OfferedLoad, chance: Random) -> str:
    """Do it; what the collector did then that it must not, "" when it behaved. It runs afterwards."""
    try:
        fault(system, load, chance)
    except (AssertionError, RuntimeError, TimeoutError, subprocess.TimeoutExpired) as e:
        system.collector.kill()
        system.collector.start()
        load.url = system.collector.otlp
        return f"{type(e).__name__}: {e}"[:500]
    return ""


def report(store: str, seen: Seen, held: Stored) -> None:
    """Print a row a minute, and the end of each fault."""
    spans = sum(held.spans.values())
    print(f"\n{store}: {len(seen.acknowledged):,} requests acknowledged, {spans:,} spans stored")
    print("min  p50 ms  p99 ms  RSS MB  goodput, spans/s in each 10 s | statuses (0: broke) | faults")
    for m in minutes(seen):
        rates = " ".join(f"{rate:,.0f}" for rate in m.goodput)
        row = f"{m.number:3} {m.p50_ms:7.1f} {m.p99_ms:7.1f} {m.rss_most_mb:7.0f}"
        print(f"{row}  {rates} | {m.statuses} | {', '.join(m.faults)}")
    usual = usual_per_s(seen)
    silence_s = longest_silence_s(seen)
    print(f"usual goodput {usual * SPANS:,.0f} spans/s; longest without an answer 200: {silence_s:.1f} s")
    for fault, after_s in recoveries(seen, usual):
        took_s, back = fault.end_s - fault.begin_s, "not" if after_s is None else f"after {after_s:.0f} s"
        print(f"  {fault.what:14} took {took_s:5.1f} s, back {back}")
    print(f"statuses: {dict(Counter(seen.answers.status))}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
