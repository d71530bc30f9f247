"""What is wrong with a data folder and a store while no collector runs on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sightline_collector.commands.ports import check_ports
from sightline_collector.config import Config
from sightline_collector.errors import Fault, FolderInUse
from sightline_collector.operate.beside import store_of
from sightline_collector.operate.finding import Finding, fail, ok, warn
from sightline_collector.operate.machine import machine
from sightline_collector.operate.segments import reports
from sightline_collector.operate.stored import stored
from sightline_collector.store.connection import OTHER_FOLDER
from sightline_collector.store.engine import Engine


def stopped(config: Config) -> Iterator[Finding]:
    """Ports, disk, log and store, in the order in which a start needs them. The store is not changed."""
    yield _ports(config)
    if config.folder.exists():
        yield from machine(config.folder, config.store_folder)
        yield from _readable(config.folder)
    else:
        yield warn("folder", f"there is no {config.folder} yet", "`sightline up` makes it")
    try:
        yield from _store(config)
    except FolderInUse as e:
        yield warn("folder", e.message, "ask that collector: `sightline doctor --url`")
    except Fault as e:
        yield fail("store", e.message, e.hint)
    except OSError as e:
        yield fail("store", f"{e.filename or config.store} cannot be used ({e.strerror})", OTHER_FOLDER)


def _ports(config: Config) -> Finding:
    try:
        check_ports(config)
    except Fault as e:
        return warn("ports", e.message, e.hint)
    return ok("ports", "all three are free")


def _store(config: Config) -> Iterator[Finding]:
    store = config.store_folder
    if store is None:
        engine = Engine(config.store_url)
        try:
            yield from stored(engine)
        finally:
            engine.close()
    elif store.is_dir():
        with store_of(config.folder, store) as opened:
            yield from stored(opened)
    else:
        yield warn("store", f"there is no {store} yet", "`sightline up` makes it")


def _readable(folder: Path) -> Iterator[Finding]:
    try:
        yield from _left(folder)
    except OSError as e:
        step = "run this as the user that runs the collector, or as root"
        yield fail("log", f"{e.filename or folder} cannot be read ({e.strerror})", step)


def _left(folder: Path) -> Iterator[Finding]:
    found = list(reports(folder)) if (folder / "wal").is_dir() else []
    waiting = sum(report.items for report in found)
    damaged = [report for report in found if report.damage]
    says = f"{len(found)} segments with {waiting:,} items wait for the next start"
    if damaged:
        step = "`sightline wal inspect` shows them; the next start stores all whole requests"
        yield warn("log", f"{says}; {len(damaged)} are damaged: {damaged[0].damage}", step)
    else:
        yield ok("log", says)
    letters = len(list((folder / "dead-letter").glob("*.otlp")))
    if letters:
        step = "start the collector, then `sightline dead-letter list`"
        yield warn("dead letters", f"{letters:,} requests were refused by the store", step)
