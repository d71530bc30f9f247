"""`sightline key`: makes, lists, revokes and rotates keys; a collector that runs notices within seconds."""

from __future__ import annotations

import argparse
import getpass
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sightline_collector.access import key_changes, key_file
from sightline_collector.access.key import ALL_PROJECTS, Key, Scope
from sightline_collector.access.key_file import Keys
from sightline_collector.commands.asking import ENVIRONMENT_KEY, told
from sightline_collector.commands.program import as_called
from sightline_collector.config import Config, load
from sightline_collector.errors import BadConfiguration
from sightline_collector.wal.segment import DEFAULT_PROJECT

DAY_S = 86_400
COLUMNS = ("key", "state", "scopes", "project", "name", "limits", "made", "by")
SIZES = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand and its own."""
    parser = subparsers.add_parser(
        "key",
        help="keys that senders, readers and admins show",
        description="Keys of a collector, in keys.json of its data folder: whoever may write there may make"
        " them. A running collector takes changes within seconds. As soon as there is a key, every request"
        " needs one: senders as `Authorization: Bearer KEY`, `sightline` itself as $SIGHTLINE_KEY.",
    )
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    added = actions.add_parser("add", help="make one; it is shown once")
    added.add_argument("--scope", required=True, help="ingest, read, admin, or several with commas")
    added.add_argument(
        "--project", help=f"what it is for (default {DEFAULT_PROJECT}; {ALL_PROJECTS} to read all)"
    )
    added.add_argument("--name", default="", help="for people: who has it")
    added.add_argument("--days", type=days, help="until it expires (default never)")
    added.add_argument("--spans-per-s", type=float, help="that it may send (default any number)")
    added.add_argument(
        "--bytes-per-day", type=size, help="that it may send, such as 20GB (default any number)"
    )
    added.set_defaults(run=told(make))
    listed = actions.add_parser("list", help="all that were made, without their secrets")
    listed.set_defaults(run=told(show))
    revoked = actions.add_parser("revoke", help="end one at once")
    revoked.set_defaults(run=told(revoke))
    rotated = actions.add_parser("rotate", help="make one like another, which ends after a time")
    rotated.add_argument(
        "--grace-days", type=days, default=DAY_S, help="until the old one ends (default 1; 0 at once)"
    )
    rotated.set_defaults(run=told(rotate))
    for one in (revoked, rotated):
        one.add_argument("key", help="its eight digits, as `sightline key list` shows them")
    for action in (added, listed, revoked, rotated):
        action.add_argument("--store", help="as for `sightline up`")
        action.add_argument("--data", help="as for `sightline up`")
        action.add_argument("--keys-file", help="as for `sightline up`")


def make(arguments: argparse.Namespace) -> int:
    """Make a key. Raises BadConfiguration."""
    wanted = key_changes.Wanted(
        project=arguments.project or _usual_project(arguments.scope),
        scopes=_scopes(arguments.scope),
        name=arguments.name,
        lasts_s=arguments.days,
        spans_per_s=arguments.spans_per_s,
        bytes_per_day=arguments.bytes_per_day,
    )
    _hand_out(arguments, lambda keys, now_s: key_changes.add(keys, wanted, _user(), now_s))
    return 0


def show(arguments: argparse.Namespace) -> int:
    """Print a row for each. Raises BadConfiguration."""
    from sightline_collector.commands.sql import put_out

    config = _config(arguments)
    keys = key_file.read_all(config.key_path, noted=config.key_note).keys
    if not keys:
        print(
            as_called(
                "There are no keys: on loopback everyone may do everything. Make one: `sightline key add`"
            )
        )
        return 0
    rows: list[list[object]] = [list(_cells(key)) for key in keys]
    active = sum(key.state(time.time()) == "active" for key in keys)
    put_out([(name, "String") for name in COLUMNS], rows, f"{len(keys)} keys, {active} in force")
    return 0


def revoke(arguments: argparse.Namespace) -> int:
    """End a key. Raises BadConfiguration."""
    path = _config(arguments).key_path
    with _changing(path):
        key_file.write(path, key_changes.revoke(key_file.read(path), arguments.key, int(time.time())))
    print(f"The key {arguments.key} is in force no longer: running collectors know within seconds.")
    return 0


def rotate(arguments: argparse.Namespace) -> int:
    """Make a key like another. Raises BadConfiguration."""
    grace_s = arguments.grace_days
    _hand_out(arguments, lambda keys, now_s: key_changes.rotate(keys, arguments.key, grace_s, _user(), now_s))
    ends = f"in {grace_s / DAY_S:g} days" if grace_s else "now"
    print(f"The key {arguments.key} ends {ends}.", file=sys.stderr)
    return 0


def _hand_out(arguments: argparse.Namespace, change: Callable[[Keys, int], tuple[Keys, Key, str]]) -> None:
    """The token alone goes to standard output: KEY=$(sightline key add --scope ingest)."""
    path = _config(arguments).key_path
    with _changing(path):
        before = key_file.read(path)
        keys, made, token = change(before, int(time.time()))
        with key_file.replacing(path, keys):
            _print_or_refuse(token)
    for line in _told(made, path, first=not before.keys):
        print(as_called(line), file=sys.stderr)


def _told(made: Key, path: Path, *, first: bool) -> Iterator[str]:
    """What a new key is for, how to show it, and what the first one changes for everybody."""
    scopes = ", ".join(sorted(made.scopes))
    where = "all projects" if made.project == ALL_PROJECTS else f"project {made.project}"
    yield f"The key {made.id} is for {scopes} in {where}. It is shown this once: {path} keeps its hash only."
    if Scope.INGEST in made.scopes:
        yield "  Senders: OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20KEY"
    if made.scopes - {Scope.INGEST}:
        yield f"  `sightline`: {ENVIRONMENT_KEY}=KEY; ClickHouse's clients and Grafana: as their password"
    if first:
        yield "It is the first: from now on whoever sends or asks needs a key."


def _print_or_refuse(token: str) -> None:
    """Raises BadConfiguration when nobody has the token, which is nowhere else."""
    why = "standard output is closed" if sys.stdout is None else ""
    try:
        print(token, flush=True)
    except OSError as e:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left of it, at the end
        why = e.strerror or str(e)
    if why:
        raise BadConfiguration(
            f"the key cannot be printed ({why}): none was made, nothing is changed",
            hint="give the command an output that takes it, and run it again",
        )


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    """Holds the file for one change, and says in words why it cannot."""
    try:
        with key_file.alone(path):
            yield
    except OSError as e:
        raise BadConfiguration(
            f"{path} cannot be written ({e.strerror})", hint="run it as the user that runs the collector"
        ) from None


def _config(arguments: argparse.Namespace) -> Config:
    flags = {name: getattr(arguments, name) for name in ("store", "data", "keys_file")}
    return load(flags, os.environ)


def _scopes(text: str) -> frozenset[Scope]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [name for name in names if name not in set(Scope)]
    if unknown or not names:
        raise BadConfiguration(f"{text!r} is no scope", hint=f"there are {', '.join(Scope)}")
    return frozenset(map(Scope, names))


def _usual_project(scopes: str) -> str:
    return ALL_PROJECTS if Scope.ADMIN in scopes else DEFAULT_PROJECT


def _cells(key: Key) -> tuple[str, ...]:
    limits = [f"{key.spans_per_s:g} spans/s"] if key.spans_per_s else []
    limits += [f"{key.bytes_per_day:,} bytes/day"] if key.bytes_per_day else []
    made = f"{datetime.fromtimestamp(key.made_at, UTC):%Y-%m-%d %H:%M}"
    state = key.state(time.time())
    if state == "active" and key.ends_at:
        state = f"until {datetime.fromtimestamp(key.ends_at, UTC):%Y-%m-%d %H:%M}"
    scopes = ", ".join(sorted(key.scopes))
    return key.id, state, scopes, key.project, key.name, ", ".join(limits), made, key.made_by


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have a number only
        return str(os.getuid())


def days(text: str) -> int:
    """Seconds of a number of days."""
    try:
        return round(float(text) * DAY_S)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days") from None


def size(text: str) -> int:
    """Bytes of 500MB or 20GB."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(KB|MB|GB|TB|)", text.strip(), re.IGNORECASE)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 20GB")
    return round(float(found[1]) * SIZES[found[2].upper()])
