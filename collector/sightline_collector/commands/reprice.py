"""`sightline reprice`: charge what came by the prices in force now, which hold for its time."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sightline_collector.commands.asking import Collector, add_url, told
from sightline_collector.commands.program import as_called
from sightline_collector.commands.settle import moment, until
from sightline_collector.commands.sql import put_out

STEP = timedelta(days=1)
"""How much is asked for at once: an answer takes a while, and a stop in between leaves whole days behind."""

USD = "Decimal(18, 12)"
COLUMNS = [
    ("model", "String"),
    ("calls", "UInt64"),
    ("old_usd", USD),
    ("new_usd", USD),
    ("difference_usd", USD),
]


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "reprice",
        help="charge what came by the prices in force now",
        description="Charge the calls of a time by the prices that are in force now and hold for that time:"
        " after an import, an override, or an end of one. Nothing is overwritten: the difference is added to"
        " the ledger. What is charged right already stays as it is.",
    )
    parser.add_argument("--since", required=True, type=moment, help="a day or a time, UTC: 2026-11-01")
    parser.add_argument("--until", type=moment, help="likewise; now, unless given")
    parser.add_argument("--project", default="", help="only of one project")
    parser.add_argument("--dry-run", action="store_true", help="only say what would change")
    add_url(parser)
    parser.set_defaults(run=told(reprice))


def reprice(arguments: argparse.Namespace) -> int:
    """Ask for it, day by day, and say what changed by model. Raises NotAnswered."""
    collector = Collector(arguments.url)
    changes: dict[str, list[Decimal]] = {}
    written = 0
    for since, ends in _days(arguments.since, until(arguments)):
        asked = {"since": since, "until": ends, "project": arguments.project, "dry_run": arguments.dry_run}
        done = collector.call("POST", "/api/prices/reprice", asked)
        written += done["corrections"]
        for change in done["changes"]:
            _add(changes.setdefault(change["model"], [Decimal(0)] * 3), change)
    _show(changes, written, arguments.dry_run)
    return 0


def _days(since: datetime, last: datetime) -> Iterator[tuple[str, str]]:
    while since < last:
        ends = min(since + STEP, last)
        yield since.isoformat(), ends.isoformat()
        since = ends


def _add(total: list[Decimal], change: Mapping[str, Any]) -> None:
    for place, name in enumerate(("calls", "old_usd", "new_usd")):
        total[place] += Decimal(change[name])


def _show(changes: Mapping[str, list[Decimal]], written: int, dry_run: bool) -> None:
    if not changes:
        print("Every call is charged by the prices in force already.")
        return
    rows = [
        [model, int(calls), f"{old:f}", f"{new:f}", f"{new - old:f}"]
        for model, (calls, old, new) in sorted(
            changes.items(), key=lambda item: -abs(item[1][2] - item[1][1])
        )
    ]
    difference = sum((new - old for _, old, new in changes.values()), Decimal(0))
    footer = f"{difference.normalize():+f} USD in all; " + (
        "nothing was written" if dry_run else f"{written} corrections were written"
    )
    put_out(COLUMNS, rows, footer)
    if written:
        print(as_called('`sightline sql "select * from cost_corrections"` says which, and why.'))
