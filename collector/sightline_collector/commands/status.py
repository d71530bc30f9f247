"""`sightline status`: whether a collector runs, what it has taken, and whether it keeps up."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from sightline_collector.commands.asking import Collector, NotAnswered, add_url, told
from sightline_collector.operate.finding import size


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("status", help="whether a collector runs and keeps up")
    add_url(parser)
    parser.set_defaults(run=told(run))


def run(arguments: argparse.Namespace) -> int:
    """Print the collector's numbers; 1 when it is not ready. Raises NotAnswered."""
    collector = Collector(arguments.url)
    print("\n".join(lines(arguments.url, collector.call("GET", "/api/status"))))
    try:
        collector.call("GET", "/readyz")
    except NotAnswered as e:
        print(f"  NOT READY  {e.message}")
        return 1
    return 0


def lines(url: str, said: Mapping[str, Any]) -> list[str]:
    """The numbers as a person reads them."""
    items, log = said["items"], said["log"]
    held, limit = (size(log[name]) for name in ("bytes", "limit_bytes"))
    counted = "   ".join(f"{name.replace('_', ' ')} {items[name]:,}" for name in items)
    return [
        f"Sightline {said['version']} at {url}, up {_time(said['up_s'])}",
        f"  store      {said['store']}   ClickHouse {said['engine']}",
        f"  items      {counted}   since the start",
        f"  log        {held} of {limit}   {_waiting(log)}",
    ]


def _waiting(log: Mapping[str, Any]) -> str:
    if not log["oldest_age_s"]:
        return "all is stored"
    segments = log["waiting_segments"]
    wait = "1 segment waits" if segments == 1 else f"{segments:,} segments wait"
    return f"{wait} for the store   the oldest record is {_time(log['oldest_age_s'])} old"


def _time(seconds: float) -> str:
    for unit, unit_s in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
