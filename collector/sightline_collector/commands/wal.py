"""`sightline wal`: look into a log folder, and send what it holds to a collector."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from sightline_collector.commands.asking import NotAnswered, authorization, told
from sightline_collector.commands.cells import counted
from sightline_collector.commands.sql import put_out
from sightline_collector.config import load
from sightline_collector.errors import FolderUnusable

DEFAULT_TO = "http://127.0.0.1:4318"
COLUMNS = {
    "segment": "String",
    "signal": "String",
    "batch": "UInt64",
    "state": "String",
    "requests": "UInt64",
    "items": "UInt64",
    "size_bytes": "UInt64",
    "age_s": "Nullable(Float64)",
    "damage": "String",
    "stored": "String",
}
"""Of a segment's row, with the types that say how they are printed."""
FORMATS = ("table", "json")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand and its own."""
    parser = subparsers.add_parser("wal", help="look into a log folder, or send what it holds")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    _add_inspect(actions)
    _add_replay(actions)


def _add_inspect(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "inspect",
        help="the segments of a log: what they hold, how old they are, what is damaged",
        description="List the segments of a log folder. It may be in use: a running collector lets go of what"
        " its store has confirmed, so what is listed then is what still waits.",
    )
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        help="a data folder, its wal folder, or one segment (default: where `sightline up` would keep it)",
    )
    parser.add_argument(
        "--stored",
        action="store_true",
        help="also ask the embedded store beside the log what it holds of each; no collector may use it",
    )
    parser.add_argument("--format", default="table", choices=FORMATS, help="default table")
    parser.set_defaults(run=told(inspect))


def _add_replay(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "replay",
        help="send the segments of a folder, such as a dead machine's, to a running collector",
        description="Send each whole request of the segments, byte for byte, and return once all are"
        " acknowledged. What was sent is noted: run again, it goes on where it stopped. Segments that were"
        " sent whole are moved to `replayed` in their folder.",
    )
    parser.add_argument("folder", type=Path, help="a data folder, its wal folder, or one file")
    parser.add_argument(
        "--to",
        default=DEFAULT_TO,
        metavar="URL",
        help=f"where a collector takes OTLP over HTTP (default {DEFAULT_TO})",
    )
    parser.add_argument(
        "--header", action="append", default=[], metavar="NAME=VALUE", help="sent with each (may be repeated)"
    )
    parser.add_argument("--project", help="only requests of this project, when the log holds several")
    parser.set_defaults(run=told(replay))


def inspect(arguments: argparse.Namespace) -> int:
    """Print a row for each segment; 1 when any is damaged. Raises a Fault."""
    from sightline_collector.operate.segments import log_folder, reports

    folder: Path = arguments.folder or load({}, os.environ).folder
    if not folder.exists():
        raise FolderUnusable(f"there is no {folder}", hint="name the data folder of a collector")
    if arguments.stored:
        from sightline_collector.operate.beside import store_beside

        with store_beside(log_folder(folder)) as engine:
            found = list(reports(folder, engine))
    else:
        found = list(reports(folder))
    rows = [asdict(report) for report in found]
    if arguments.format == "json":
        print(json.dumps(rows, indent=2))
    else:
        cells: list[list[object]] = [[row[name] for name in COLUMNS] for row in rows]
        put_out(list(COLUMNS.items()), cells, _footer(len(rows), sum(row["items"] for row in rows)))
    return 1 if any(report.damage for report in found) else 0


def _footer(segments: int, items: int) -> str:
    if not segments:
        return "The log is empty: all that was acknowledged is stored."
    return f"{counted(segments, 'segment')} · {items:,} items"


def replay(arguments: argparse.Namespace) -> int:
    """Send what the folder holds. Raises NotDelivered, FolderInUse, FolderUnusable."""
    from sightline_collector.operate.delivery import deliver, projects, sender, taken
    from sightline_collector.operate.segments import log_folder, segment_files

    folder: Path = arguments.folder
    with taken(log_folder(folder) if folder.is_dir() else folder.parent):
        files = segment_files(folder)
        held = projects(files)
        if len(held) > 1 and arguments.project is None:
            raise NotAnswered(
                f"the log holds requests of {len(held)} projects: {', '.join(sorted(held))}",
                "send one at a time: --project NAME, with its key in --header",
            )
        headers = authorization() | _headers(arguments.header)
        done = deliver(files, sender(arguments.to, headers), arguments.project)
    print(f"{done.requests:,} requests with {done.items:,} items were sent and acknowledged.")
    if done.left:
        print(f"{done.left:,} segments still hold requests of other projects.")
    if done.before:
        print(f"{done.before:,} requests had been sent before.")
    if done.damaged_bytes:
        print(f"{done.damaged_bytes:,} bytes are damaged and were not sent.", file=sys.stderr)
    return 0


def _headers(given: list[str]) -> dict[str, str]:
    headers = dict(one.split("=", 1) for one in given if "=" in one)
    if len(headers) != len(given):
        raise NotAnswered("a header is NAME=VALUE, each name once", "such as --header x-api-key=…")
    return headers
