"""The command `sightline`: reads arguments and calls one function for each subcommand."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import version

COMMANDS = ("up", "demo", "sql", "status", "budget", "alerts", "prices")
"""Modules of `commands`: each has add(subparsers) and run(arguments), which returns the exit code."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand. 0 when it did what was asked, 1 when it could not, 2 when it was asked wrongly."""
    try:
        parser = _parser()
        parsed = parser.parse_args(arguments)
        return int(parsed.run(parsed))
    except ModuleNotFoundError as e:
        print(
            f"sightline: {e.name} is not installed. Run: pip install 'sightline[collector]'", file=sys.stderr
        )
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sightline", description="LLM observability: a collector that never loses a span, asked in SQL."
    )
    parser.add_argument("--version", action="version", version=f"sightline {version('sightline')}")
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(f"sightline_collector.commands.{name}").add(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
