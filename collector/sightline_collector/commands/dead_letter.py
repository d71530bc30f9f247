"""`sightline dead-letter`: requests that the store refused: why, what they hold, once more, or given up."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from sightline_collector.commands.asking import Collector, NotAnswered, add_url, path_of, told
from sightline_collector.commands.cells import visible
from sightline_collector.commands.sql import put_out

NAMED = "as `sightline dead-letter list` shows it"
SHOWN_CHARACTERS = 200_000
"""Of a request, unless more is asked for: a page that a person can still search."""
COLUMNS = {
    "dead_letter": "String",
    "signal": "String",
    "project": "String",
    "items": "UInt64",
    "size_bytes": "UInt64",
    "put_aside_at": "String",
    "code": "String",
    "why": "String",
}
"""Of a letter's row; `code` is ClickHouse's number of its error."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand and its own."""
    parser = subparsers.add_parser("dead-letter", help="requests that the store refused for good")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="each with its reason, size and age, the oldest first")
    listed.set_defaults(run=told(list_letters))
    shown = actions.add_parser("show", help="print one's request as OTLP/JSON")
    shown.add_argument("name", help=NAMED)
    shown.add_argument(
        "--characters", type=int, default=SHOWN_CHARACTERS, help="at most (default %(default)s)"
    )
    shown.add_argument("--raw", action="store_true", help="write the protobuf bytes, all of them, instead")
    shown.set_defaults(run=told(show_letter))
    replayed = actions.add_parser(
        "replay",
        help="send them through the door once more",
        description="Send requests through the collector's door once more, such as after an upgrade. Each is"
        " removed once it is acknowledged; one that the store refuses again comes back under a new name.",
    )
    replayed.set_defaults(run=told(replay))
    dropped = actions.add_parser(
        "drop", help="give them up", description="Give requests up. Their items are counted in span_loss."
    )
    dropped.add_argument("--yes", action="store_true", help="really: what is dropped is gone")
    dropped.set_defaults(run=told(drop))
    for several in (replayed, dropped):
        several.add_argument("names", nargs="*", metavar="NAME", help=NAMED)
        several.add_argument("--all", action="store_true", help="all that there are")
    for action in (listed, shown, replayed, dropped):
        add_url(action)


def list_letters(arguments: argparse.Namespace) -> int:
    """Print a row for each. Raises NotAnswered."""
    letters = _letters(Collector(arguments.url))
    if not letters:
        print(
            "There are no dead letters. What still waits for the store is in no list: see `sightline doctor`."
        )
        return 0
    rows: list[list[object]] = [[_cell(letter, name) for name in COLUMNS] for letter in letters]
    items = sum(letter["items"] for letter in letters)
    put_out(list(COLUMNS.items()), rows, f"{len(rows):,} dead letters · {items:,} items")
    return 0


def _letters(collector: Collector) -> list[dict[str, Any]]:
    return list(collector.call("GET", "/api/dead-letters")["dead_letters"])


def _cell(letter: dict[str, Any], name: str) -> object:
    if name == "put_aside_at":
        return f"{datetime.fromtimestamp(letter['put_at_ns'] // 10**9, UTC):%Y-%m-%d %H:%M:%S} UTC"
    return str(letter["code"] or "") if name == "code" else letter[name]


def show_letter(arguments: argparse.Namespace) -> int:
    """Print the request. Raises NotAnswered, Malformed."""
    collector = Collector(arguments.url)
    body = collector.content(path_of("api", "dead-letters", arguments.name))
    if arguments.raw:
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return 0
    from sightline_collector.operate.readable import as_json
    from sightline_collector.wal.segment import Signal

    text = as_json(Signal(arguments.name.partition("-")[0]), body)
    print("\n".join(visible(line) for line in text[: arguments.characters].split("\n")))
    if len(text) > arguments.characters:
        left = len(text) - arguments.characters
        print(f"… {left:,} more characters: --characters {len(text)} prints them", file=sys.stderr)
    return 0


def replay(arguments: argparse.Namespace) -> int:
    """Send the named ones. Raises NotAnswered at the first that is not taken."""
    collector = Collector(arguments.url)
    for name in _named(arguments, collector):
        done = collector.call("POST", path_of("api", "dead-letters", name, "replay"), {})
        print(f"{name} was acknowledged again: {done['items']:,} items.")
    return 0


def drop(arguments: argparse.Namespace) -> int:
    """Give up the named ones. Raises NotAnswered."""
    collector = Collector(arguments.url)
    names = _named(arguments, collector)
    if not arguments.yes:
        items = sum(letter["items"] for letter in _letters(collector) if letter["dead_letter"] in names)
        raise NotAnswered(
            f"{len(names)} dead letters with {items:,} items would be gone for good", "say --yes to drop them"
        )
    for name in names:
        done = collector.call("DELETE", path_of("api", "dead-letters", name), {})
        print(f"{name} was dropped: {done['items']:,} items are counted as lost.")
    return 0


def _named(arguments: argparse.Namespace, collector: Collector) -> list[str]:
    if bool(arguments.names) == arguments.all:
        raise NotAnswered("say which", "name dead letters of `sightline dead-letter list`, or --all of them")
    return arguments.names or [str(letter["dead_letter"]) for letter in _letters(collector)]
