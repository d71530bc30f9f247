"""`sightline doctor`: what is wrong with a collector, and what to do about it."""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import TYPE_CHECKING

from sightline_collector.commands.asking import Collector, NotAnswered, add_url, told
from sightline_collector.commands.cells import visible
from sightline_collector.commands.program import as_called
from sightline_collector.config import load

if TYPE_CHECKING:
    from sightline_collector.operate.finding import Finding

CLOCKS_APART_S = 2.0
"""Between this machine and the collector's, with the time that the answer took."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "doctor",
        help="what is wrong with a collector, and what to do",
        description="Look at a running collector from all sides, or, with --store, at the folder and store of"
        " one that does not run. Each line is ok, warn or fail; the exit code is 1 when any fails.",
    )
    add_url(parser)
    parser.add_argument("--store", help="of a collector that does not run, as for `sightline up`")
    parser.add_argument("--data", help="folder of its log, as for `sightline up`")
    parser.add_argument("--format", default="text", choices=("text", "json"), help="default text")
    parser.set_defaults(run=told(run))


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; 1 when anything fails. Raises BadConfiguration."""
    from sightline_collector.operate.finding import as_lines, as_rows, healthy

    stopped = arguments.store is not None or arguments.data is not None
    findings = _of_stopped(arguments) if stopped else _of_running(arguments.url)
    if arguments.format == "json":
        print(json.dumps(as_rows(findings), indent=2))
    else:
        print(as_called("\n".join(map(visible, as_lines(findings)))))
    return 0 if healthy(findings) else 1


def _of_stopped(arguments: argparse.Namespace) -> list[Finding]:
    from sightline_collector.commands.stopped import stopped

    return list(stopped(load({"store": arguments.store, "data": arguments.data}, os.environ)))


def _of_running(url: str) -> list[Finding]:
    from sightline_collector.operate.finding import Finding, State, fail, graded, ok

    try:
        began = time.time()
        said = Collector(url).call("GET", "/api/doctor")
        took_s = time.time() - began
    except NotAnswered as e:
        step = e.hint or "read the collector's log"
        return [fail("collector", e.message, f"{step}; of one that is stopped: `sightline doctor --store`")]
    found = [
        Finding(one["check"], State(one["state"]), one["says"], one["next_step"]) for one in said["findings"]
    ]
    apart_s = max(0.0, abs(said["now_s"] - time.time()) - took_s)
    says = f"this machine's clock and the collector's are {apart_s:.1f} s apart"
    step = "set both by NTP"
    clock = graded("clock", apart_s, CLOCKS_APART_S, float("inf"), says, step)
    return [ok("collector", f"answers at {url}"), clock, *found]
