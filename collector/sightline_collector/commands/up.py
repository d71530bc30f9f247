"""`sightline up`: run the collector until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sightline_collector.commands.asking import DEFAULT_URL
from sightline_collector.commands.ports import check_ports
from sightline_collector.commands.program import complain, program
from sightline_collector.config import Config, load
from sightline_collector.errors import Fault

if TYPE_CHECKING:
    from sightline_collector.pipeline import Running

EXAMPLE = 'sql "select * from cost_by_model"'
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - nothing is bound here
"""Addresses to listen on that none can be called by, and one that can."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand: one flag for each setting."""
    parser = subparsers.add_parser(
        "up",
        help="run the collector",
        description="Run the collector: OTLP in, SQL out. Every flag can also be set as SIGHTLINE_NAME in the"
        " environment or as a line of sightline.toml.",
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="TOML file; ./sightline.toml if it exists"
    )
    for name, field in Config.model_fields.items():
        default = f" (default {field.default})" if field.default not in (None, ()) else ""
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, dest=name, metavar="VALUE", help=f"{field.description}{default}")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; 1 when the collector cannot start."""
    from sightline_collector.own_log import configure

    # The embedded engine takes its zone from the process; budgets and days are UTC wherever this runs.
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        flags = {name: getattr(arguments, name) for name in Config.model_fields}
        config = load(flags, os.environ, arguments.config)
        configure(config.log_format)
        check_ports(config)
        _open_files()
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(config))
    except Fault as e:
        complain(e.message, e.hint)
        return 1
    return 0


def _open_files() -> None:
    """As many as the ports and the engine want, where the system allows it; else it is said."""
    from sightline_collector.operate.entry import open_files
    from sightline_collector.operate.finding import State
    from sightline_collector.receive.connections import open_more_files

    found = open_files(open_more_files())
    if found.state is not State.OK:
        import structlog

        structlog.get_logger(__name__).warning("few open files", says=found.says, next_step=found.next_step)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there is one; Windows has none."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop


async def _serve(config: Config) -> None:
    from sightline_collector.pipeline import run as run_pipeline
    from sightline_collector.store.embedded_reads import statements_run

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run_pipeline(config, stop, _say)
    if config.store_url.path is None or statements_run():
        _leave()


def _leave() -> None:
    """End at once: a thread may still wait for a server that never answers, or for a statement that nothing
    interrupts. All that was acknowledged is in the store or on disk, and the folder is closed."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def example(scheme: str, host: str, port: int) -> str:
    """A question that works as it is typed, with the address where it is not the usual one."""
    url = f"{scheme}://{EVERYWHERE.get(host, host)}:{port}"
    return EXAMPLE if url == DEFAULT_URL else f"{EXAMPLE} --url {url}"


def _away(why: Fault | None) -> list[str]:
    if why is None:
        return []
    return [f"  AWAY       {why.message}", f"             {why.hint}; what comes waits in the log, durable"]


def _say(running: Running) -> None:
    http = running.http
    lines = [
        "Sightline is up.",
        f"  OTLP/gRPC  {running.grpc.host}:{running.grpc.port}",
        f"  OTLP/HTTP  {running.otlp.scheme}://{running.otlp.host}:{running.otlp.port}",
        f"  SQL        {http.scheme}://{http.host}:{http.port}   also /healthz /readyz /metrics",
        f"  store      {running.store}   log {running.folder / 'wal'}",
        *_away(running.away),
        f"Ask it:  {program()} {example(http.scheme, http.host, http.port)}      Stop it: Ctrl-C",
    ]
    try:
        print("\n".join(lines), flush=True)
    except OSError:
        # Nobody reads it, or its disk is full: no reason to stop. Nor is what is left of it, at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
