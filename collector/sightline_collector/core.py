"""What a collector holds before it listens: its folder, store and log, and the loops that work on them."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import structlog

from sightline_collector.access import unfinished
from sightline_collector.access.audit import Audit, untold, watch_keys
from sightline_collector.access.day_bytes import NAME as DAY_BYTES
from sightline_collector.access.day_bytes import DayBytes
from sightline_collector.access.gate import Gate
from sightline_collector.access.look import Look, looking
from sightline_collector.access.rewriting import take_back
from sightline_collector.access.tls import Tls
from sightline_collector.alerts.loop import AlertLoop
from sightline_collector.alerts.rule import Rule, rules_in_force
from sightline_collector.config import Config
from sightline_collector.errors import Fault, FolderUnusable
from sightline_collector.health import Health
from sightline_collector.operate.disk_gauges import measure_disk
from sightline_collector.operate.keep_loop import KeepLoop
from sightline_collector.operate.retention import keep_for
from sightline_collector.receive.loss import LossReports
from sightline_collector.settle.arrivals import HOUR_NS
from sightline_collector.settle.command_lease import CommandLease
from sightline_collector.settle.loop import SettleLoop
from sightline_collector.store.arrival import arrived, opened_or_away
from sightline_collector.store.batch import TABLES
from sightline_collector.store.connection import OTHER_FOLDER, refuse_pattern
from sightline_collector.store.draining import drained
from sightline_collector.store.engine import Engine
from sightline_collector.store.golden import prove
from sightline_collector.store.insert import Inserter
from sightline_collector.store.lateness import NAME as BEGINS
from sightline_collector.store.migrate import migrate
from sightline_collector.store.url import StoreUrl
from sightline_collector.wal.appender import SegmentLimits
from sightline_collector.wal.dead_letter import DeadLetters
from sightline_collector.wal.folder import OWNERS_ONLY, lock_folder
from sightline_collector.wal.log import Log, LogLimits
from sightline_collector.wal.segment import Signal

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Core:
    """All that what listens works with."""

    config: Config
    gate: Gate
    tls: Tls | None
    health: Health
    engine: Engine
    wal: Log
    audit: Audit
    losses: LossReports
    dead_letters: DeadLetters
    lease: CommandLease


async def open_core(config: Config, gate: Gate, parts: AsyncExitStack) -> Core:
    """Open the folder, the store and the log, and begin to store what the log holds. `parts` closes them, the
    last first.

    Raises a Fault that says what to do.
    """
    tls = Tls(config.tls_files) if config.tls_files else None
    rules = rules_in_force(config.alert_rules)
    own = {config.folder.resolve(), (config.store_url.path or config.folder).resolve()}
    for folder in sorted(own):  # the store may lie in a folder of its own
        parts.callback(os.close, _take_folder(folder))
    health = Health()
    gate.measure(health.registry)
    if tls:
        tls.measure(health.registry)
    bring, begins = partial(open_store, config), config.folder / BEGINS
    engine = await asyncio.to_thread(opened_or_away, _store_of(config), begins, bring)
    parts.push_async_callback(asyncio.to_thread, engine.close)
    await parts.enter_async_context(KeepLoop(engine, health.registry, config.store_gb).running())
    wal = await open_log(config, engine, health)
    parts.push_async_callback(wal.close)
    losses = LossReports(wal, health)
    letters = DeadLetters(config.folder / "dead-letter", losses)
    audit, lease = Audit(wal, health.registry), CommandLease(engine)
    core = Core(config, gate, tls, health, engine, wal, audit, losses, letters, lease)
    await _watch(core, parts)
    _start_storing(core, parts)
    await _start_loops(core, rules, parts)
    if engine.away:
        arriving = asyncio.create_task(_arrive(core), name="arrival")
        parts.callback(arriving.cancel)
    else:
        await _tell_keys(core)
    return core


async def _arrive(core: Core) -> None:
    await arrived(core.engine, partial(open_store, core.config))
    await _tell_keys(core)


def _take_folder(folder: Path) -> int:
    """The data folder, for this process alone: the engine's own word for it would be hard to read."""
    refuse_pattern(folder)
    try:
        folder.mkdir(mode=OWNERS_ONLY, parents=True, exist_ok=True)
        return lock_folder(folder)
    except OSError as e:
        raise FolderUnusable(f"{folder} cannot be used ({e.strerror})", hint=OTHER_FOLDER) from None


def open_store(config: Config) -> Engine:
    """The store, opened, brought to this version, proven, and told how long to keep things."""
    engine = Engine(_store_of(config), begins=config.folder / BEGINS)
    try:
        if migrate(engine):
            prove(engine, config.folder / "scratch")
        keep_for(engine, config.keep_content_days, config.keep_days)
        if unfinished.any_left(config.folder):
            take_back(engine)
    except BaseException:
        engine.close()
        raise
    return engine


def _store_of(config: Config) -> StoreUrl:
    """The embedded engine's files lie in a folder of their own beside the log."""
    return replace(config.store_url, path=config.store_folder)


async def open_log(config: Config, engine: Engine, health: Health) -> Log:
    """The log, with names and numbers that the store has not seen. Raises FolderInUse, FolderUnusable."""
    # On a server a copy of the folder may write, too: each start has a name of its own there.
    floor = await asyncio.to_thread(_highest_batch, engine) if engine.embedded else None
    limits = LogLimits(
        size_bytes=round(config.log_gb * 1e9), segment=SegmentLimits(age_s=config.segment_age_s)
    )
    wal = await Log.open(config.folder / "wal", batch_floor=floor, limits=limits, watcher=health)
    health.watch(wal)
    return wal


def _highest_batch(engine: Engine) -> int:
    tables = [each[0] for each in TABLES.values()]
    return max(int(engine.write_value(f"select max(batch) from {t}") or 0) for t in tables)  # noqa: S608


async def _watch(core: Core, parts: AsyncExitStack) -> None:
    """Look now and then at what changes outside: keys, certificates, the bytes of a day, the disk."""
    folder, registry = core.config.folder, core.health.registry
    sent = DayBytes(folder / DAY_BYTES, core.gate)
    looks: list[Look] = [partial(watch_keys, core.gate, core.audit), partial(asyncio.to_thread, sent.keep)]
    looks += [partial(asyncio.to_thread, core.tls.refresh)] if core.tls else []
    await parts.enter_async_context(looking(looks))
    core.health.dead_letter_bytes.set_function(lambda: core.dead_letters.size_bytes)
    core.health.dead_letter_limit_bytes.set(core.dead_letters.limit_bytes)
    core.engine.measure(registry)
    measure_disk(registry, folder, core.engine.url.path)


async def _tell_keys(core: Core) -> None:
    """Write down which keys were made or ended while no collector ran."""
    now_s = time.time()
    with suppress(Fault):  # a server that went away again: the next start tells it
        await core.audit.keys_changed(await asyncio.to_thread(untold, core.engine, core.gate, now_s), now_s)


def _start_storing(core: Core, parts: AsyncExitStack) -> None:
    """One inserter a signal, each with a thread of its own."""
    threads = ThreadPoolExecutor(len(Signal), thread_name_prefix="insert")
    parts.callback(threads.shutdown, wait=core.engine.embedded)
    scratch = core.config.folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    inserters = [
        Inserter(signal, core.engine, core.wal, core.dead_letters, core.health, scratch, threads)
        for signal in Signal
    ]
    inserting = [(each, asyncio.create_task(each.run(), name=f"insert-{each.signal}")) for each in inserters]
    parts.push_async_callback(_finish, core.wal, inserting)


async def _start_loops(core: Core, rules: Sequence[Rule], parts: AsyncExitStack) -> None:
    """Tell losses, look at alert rules, settle what arrived."""
    config, wal = core.config, core.wal
    parts.push_async_callback(core.losses.flush)
    reporting = asyncio.create_task(core.losses.run())
    parts.callback(reporting.cancel)
    alerts = AlertLoop(
        core.engine,
        core.health,
        interval_s=config.alert_interval_s,
        rules=rules,
        channels=config.notify,
    )
    settling = SettleLoop(
        core.engine,
        core.health,
        lambda: wal.writer,
        whole_until=lambda: wal.stored_until(Signal.TRACES),
        interval_s=config.settle_interval_s,
        again_ns=int(config.answer_hours * HOUR_NS),
    )
    await parts.enter_async_context(alerts.running())
    await parts.enter_async_context(settling.running())


async def _finish(wal: Log, inserting: list[tuple[Inserter, asyncio.Task[None]]]) -> None:
    """Seal what the log holds and give the store its time; the rest waits for the next start."""
    await wal.drain()
    late = await drained(inserting)
    for inserter, task in inserting:
        inserter.leave()
        task.cancel()
    log.info("stopped", drained=not late, signals_left=[t.get_name() for t in late])
