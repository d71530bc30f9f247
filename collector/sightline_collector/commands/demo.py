"""`sightline demo`: a week of an instrumented agent in half a minute, and what the views say about it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

FOLDER = Path("sightline-demo")
"""Not within a collector's own folder: whom that one forgets is looked for in all of its files."""
PIPE_WIDTH = 100
"""Columns, where there is no terminal to ask."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "demo",
        help="watch an instrumented agent, and read what the views say",
        description="Start a collector on free ports, run an instrumented support desk for a back-dated"
        " week against a stand-in model server (or a real model: OPENAI_API_KEY, OPENAI_BASE_URL), and print"
        " what the views say about it.",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=FOLDER,
        help=f"data of the demo, made anew each time (default {FOLDER})",
    )
    parser.add_argument("--model", help="the model that answers everything, at a provider of your own")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another week (default 1)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when every stage came to its end; 1, with what to do, when one did not."""
    from rich.console import Console

    from sightline_collector.demo.options import Options
    from sightline_collector.demo.run import run as run_demo

    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH)
    options = Options(arguments.folder, seed=arguments.seed, model=arguments.model)
    return run_demo(options, os.environ, console)
