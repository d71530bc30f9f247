"""The command `sightline`: reads arguments and calls one function for each subcommand."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from sightline_collector.commands.program import complain

COMMANDS = (
    "up",
    "demo",
    "sql",
    "status",
    "budget",
    "alerts",
    "prices",
    "reprice",
    "wal",
    "dead_letter",
    "doctor",
    "conformance",
    "backup",
    "reconcile",
    "settle",
    "schema",
    "key",
    "forget",
)
"""Modules of `commands`: each has add(subparsers) and run(arguments), which returns the exit code."""


class Parser(argparse.ArgumentParser):
    """Says in a line what was asked wrongly, and in a second where to read what can be asked."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        complain(message, f"`{self.prog} --help` says what it takes")
        sys.exit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand. 0 when it did what was asked, 1 when it could not, 2 when it was asked wrongly."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        parser = _parser()
        parsed = parser.parse_args([_utf8(parser, argument) for argument in given])
        return int(parsed.run(parsed))
    except ModuleNotFoundError as e:
        complain(f"{e.name} is not installed", "run: pip install 'sightline[collector]'")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _utf8(parser: Parser, argument: str) -> str:
    """The argument, if it is text: the collector takes no other, in statements, names or addresses."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        parser.error(f"the argument {argument!r} is not UTF-8")
    return argument


def _parser() -> Parser:
    parser = Parser(
        prog="sightline", description="LLM observability: a collector that never loses a span, asked in SQL."
    )
    parser.add_argument("--version", action="version", version=f"sightline {version('sightline')}")
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(f"sightline_collector.commands.{name}").add(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
