"""`sightline reprice`: charge what came by the prices in force now, which hold for its time."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sightline_collector.commands.asking import Collector, add_url, told
from sightline_collector.commands.program import as_called
from sightline_collector.commands.settle import in_steps, moment, tell_failed, until
from sightline_collector.commands.sql import put_out

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
    """Ask for it, as far as each answer goes, and say what changed by model. Raises NotAnswered."""
    asked = {
        "since": arguments.since.isoformat(), "until": until(arguments).isoformat(),
        "project": arguments.project, "dry_run": arguments.dry_run,
    }  # fmt: skip
    changes: dict[str, list[Decimal]] = {}
    written = failed = 0
    for done in in_steps(Collector(arguments.url), "/api/prices/reprice", asked, "resume"):
        written += done["corrections"]
        failed += done["failed_groups"]
        for change in done["changes"]:
            _add(changes.setdefault(change["model"], [Decimal(0)] * 3), change)
    _show(changes, written, arguments.dry_run)
    return tell_failed(failed)


def _add(total: list[Decimal], change: Mapping[str, Any]) -> None:
    for place, name in enumerate(("calls", "old_usd", "new_usd")):
        total[place] += Decimal(change[name])


def _show(changes: Mapping[str, list[Decimal]], written: int, dry_run: bool) -> None:
    if not changes:
        print(
            f"{written} corrections were written; no bill changes by them."
            if written
            else "Every call is charged by the prices in force already."
        )
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
