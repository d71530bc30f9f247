"""`sightline settle`: judge anew, from the beginning, which spans tell of which calls."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sightline_collector.commands.asking import Collector, NotAnswered, add_url, told
from sightline_collector.commands.program import as_called

WORK_S = 600.0
"""How long an answer is waited for: it comes after seconds, but some hours of a large store take longer."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "settle",
        help="judge anew which spans tell of one call, so that it is paid once",
        description="The collector settles what comes by itself, within a minute. This judges everything of a"
        " time again, from the beginning, and corrects what differs: traces that ran for hours, answers that"
        " a gateway gave again much later. What is settled already stays as it is.",
    )
    parser.add_argument("--since", required=True, type=moment, help="a day or a time, UTC: 2026-11-01")
    parser.add_argument("--until", type=moment, help="likewise; now, unless given")
    parser.add_argument("--dry-run", action="store_true", help="only say how many corrections are missing")
    add_url(parser)
    parser.set_defaults(run=told(settle))


def moment(text: str) -> datetime:
    """A day or a time, in UTC unless it says otherwise."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day or time such as 2026-11-01") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def until(arguments: argparse.Namespace) -> datetime:
    """Where the time ends that is asked for. Raises NotAnswered when it ends before it begins."""
    ends: datetime = arguments.until or datetime.now(UTC)
    if ends <= arguments.since:
        raise NotAnswered(
            f"there is no time from {arguments.since:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC",
            "let --since lie before --until, which is now unless given",
        )
    return ends


def settle(arguments: argparse.Namespace) -> int:
    """Ask for it and say what was done. Raises NotAnswered."""
    until(arguments)
    asked = {"since": arguments.since.isoformat(), "dry_run": arguments.dry_run}
    if arguments.until:
        asked["until"] = arguments.until.isoformat()
    traces = corrections = failed = 0
    for done in in_steps(Collector(arguments.url), "/api/settle", asked, "since"):
        traces += done["traces"]
        corrections += done["corrections"]
        failed += done["failed_groups"]
    written = "would be written" if arguments.dry_run else "were written"
    print(f"{traces} traces looked at, {corrections} corrections {written}.")
    if corrections:
        print(as_called('`sightline sql "select * from cost_corrections"` says which, and why.'))
    return tell_failed(failed)


def tell_failed(groups: int) -> int:
    """Say how many groups of traces could not be corrected, if any; the exit code."""
    if groups:
        print(f"{groups} groups of traces stay as they were: the store refused theirs, the log says why")
    return 1 if groups else 0


def in_steps(
    collector: Collector, path: str, asked: Mapping[str, Any], begins: str
) -> Iterator[dict[str, Any]]:
    """The answers to a question about a time, each as far as it goes; from there it is asked again, with
    `begins` set to it. Raises NotAnswered."""
    done = collector.call("POST", path, asked, WORK_S)
    yield done
    while done["resume"] is not None:
        print(f"… done up to {done['resume'][:16].replace('T', ' ')} UTC", file=sys.stderr)
        done = collector.call("POST", path, {**asked, begins: done["resume"]}, WORK_S)
        yield done
