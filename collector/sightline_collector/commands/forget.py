"""`sightline forget`: erases a user from everything that a collector holds, and certifies it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from sightline_collector.access.redaction import PLACEHOLDER
from sightline_collector.commands.asking import Collector, NotAnswered, add_url, told


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "forget",
        help="erase a user, with a certificate",
        description="Erase what a user's spans, their traces, logs, judgements and dead letters hold, in each"
        " table, projection, segment and file of a running collector; then search all of its files for them."
        " The certificate, JSON, goes to standard output: keep it. Backups made before are not changed.",
    )
    parser.add_argument(
        "--user", required=True, metavar="ID", help="as spans name them; - reads standard input"
    )
    parser.add_argument("--session", default="", metavar="ID", help="this session of theirs only")
    parser.add_argument(
        "--redact-mentions",
        action="store_true",
        help=f"put {PLACEHOLDER} where others name them: in texts, attributes, logs, comments, dead letters",
    )
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="TEXT",
        help="with --redact-mentions: another name of theirs, as it is spelled; may be said again",
    )
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="write it there")
    parser.add_argument("--yes", action="store_true", help="really: what is erased is gone")
    add_url(parser)
    parser.set_defaults(run=told(run))


def run(arguments: argparse.Namespace) -> int:
    """Erase and certify; 1 when anything of the user is left. Raises NotAnswered."""
    if not arguments.yes:
        raise NotAnswered("what is erased is gone for good", "say --yes to erase it")
    user = sys.stdin.readline().rstrip("\n") if arguments.user == "-" else arguments.user
    asked = {"user": user, "session": arguments.session}
    if arguments.redact_mentions or arguments.also:
        asked |= {"redact_mentions": arguments.redact_mentions, "also": arguments.also}
    certificate = Collector(arguments.url).call("POST", "/api/forget", asked)
    if "error" in certificate:
        raise NotAnswered(str(certificate["error"]), str(certificate.get("hint", "")))
    text = json.dumps(certificate, indent=2, ensure_ascii=False)
    if arguments.certificate:
        _write(arguments.certificate, text)
    else:
        print(text)
    print(_summary(certificate), file=sys.stderr)
    return 0 if certificate["complete"] else 1


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(f"{text}\n", encoding="utf8")
    except OSError as e:
        print(text)
        raise NotAnswered(f"{path} cannot be written ({e.strerror})", "the certificate is above") from None


def _summary(certificate: dict[str, Any]) -> str:
    from sightline_collector.access.search import PART, SCHEMA

    tables, search = certificate["tables"], certificate["search"]
    rows = sum(table["erased"] for table in tables)
    said = f"{rows:,} rows of {certificate['traces']:,} traces erased; {search['files']:,} files searched"
    if certificate["complete"]:
        return f"{said}: nothing is left."
    found = {one["file"] for one in search["found"] if one["what"] not in (PART, SCHEMA)}
    if search["unreadable"]:
        said += f", {search['unreadable']:,} could not be read: make them readable, and ask again"
    if certificate["not_yet_gone"]:
        said += f", {len(certificate['not_yet_gone'])} tables keep old files until no question reads them"
    mentions = certificate["mentions"]
    hold = "1 file still holds" if len(found) == 1 else f"{len(found):,} files still hold"
    left = f"; {mentions}" if isinstance(mentions, str) else ""
    return f"{said}: {hold} an id, see `found`{left}"
