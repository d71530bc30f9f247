"""The composition root: builds every part of a collector and joins them, in the order of a span's way.

receive (gRPC, HTTP) ─▶ door ─▶ log ─▶ inserters ─▶ engine ─▶ views ─▶ gateway, alerts
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import structlog

from sightline_collector.access.audit import Audit, untold, watch_keys
from sightline_collector.access.day_bytes import NAME as DAY_BYTES
from sightline_collector.access.day_bytes import DayBytes
from sightline_collector.access.erasure import forget
from sightline_collector.access.exposure import check_exposure
from sightline_collector.access.forget_routes import ForgetRoutes
from sightline_collector.access.gate import Gate
from sightline_collector.access.look import Look, looking
from sightline_collector.access.tls import Tls
from sightline_collector.alerts.loop import AlertLoop
from sightline_collector.config import Config
from sightline_collector.errors import FolderUnusable
from sightline_collector.gateway.app import Parts, gateway
from sightline_collector.health import Health
from sightline_collector.operate.disk_gauges import measure_disk
from sightline_collector.operate.doctor import Doctor
from sightline_collector.operate.keep_loop import KeepLoop
from sightline_collector.operate.letters import LetterRoutes
from sightline_collector.operate.retention import keep_for
from sightline_collector.operate.running import Parts as Examined
from sightline_collector.operate.snapshot_routes import SnapshotRoutes
from sightline_collector.operate.snapshots import Snapshots
from sightline_collector.receive import answer
from sightline_collector.receive.connections import ConnectionMetrics, Connections
from sightline_collector.receive.cors import with_origins
from sightline_collector.receive.door import Door
from sightline_collector.receive.http import OtlpHttp
from sightline_collector.receive.limits import Limits
from sightline_collector.receive.loss import LossReports
from sightline_collector.receive.serve import Serving, serve_grpc, serve_http
from sightline_collector.settle.loop import SettleLoop
from sightline_collector.settle.routes import SettleRoutes
from sightline_collector.store.batch import TABLES
from sightline_collector.store.engine import OTHER_FOLDER, Engine, refuse_pattern
from sightline_collector.store.golden import prove
from sightline_collector.store.insert import Inserter
from sightline_collector.store.migrate import migrate
from sightline_collector.store.url import StoreUrl
from sightline_collector.wal.appender import SegmentLimits
from sightline_collector.wal.dead_letter import DeadLetters
from sightline_collector.wal.folder import lock_folder
from sightline_collector.wal.log import Log, LogLimits
from sightline_collector.wal.segment import Signal

STOP_GRACE_S = 5.0
"""How long requests that are being received may take once the collector is told to stop."""
DRAIN_S = 20.0
"""How long the store may take with what is left then; the next start carries on with the rest."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Running:
    """Where a collector listens, and what it writes to."""

    grpc: Serving
    otlp: Serving
    http: Serving
    store: str
    folder: Path


async def run(config: Config, stop: asyncio.Event, ready: Callable[[Running], None]) -> None:
    """Run a collector until `stop` is set, then drain it. `ready` is called once it listens.

    Raises a Fault that says what to do when it cannot start; once it runs it does not raise.
    """
    async with AsyncExitStack() as parts:
        gate = Gate(config.key_path)
        tls = Tls(config.tls_files) if config.tls_files else None
        check_exposure(config, gate)
        parts.callback(os.close, _take_folder(config.folder))
        health = Health()
        gate.measure(health.registry)
        engine = await asyncio.to_thread(open_store, config)
        parts.push_async_callback(asyncio.to_thread, engine.close)
        await asyncio.to_thread(keep_for, engine, config.keep_content_days, config.keep_days)
        await parts.enter_async_context(KeepLoop(engine, health.registry, config.store_gb).running())
        wal = await _open_log(config, engine, health)
        parts.push_async_callback(wal.close)
        audit = Audit(wal, health.registry)
        await audit.keys_changed(await asyncio.to_thread(untold, engine, gate, time.time()), time.time())
        sent = DayBytes(config.folder / DAY_BYTES, gate)
        looks: list[Look] = [partial(watch_keys, gate, audit), partial(asyncio.to_thread, sent.keep)]
        looks += [partial(asyncio.to_thread, tls.refresh)] if tls else []
        await parts.enter_async_context(looking(looks))

        losses = LossReports(wal, health)
        dead_letters = DeadLetters(config.folder / "dead-letter", losses)
        health.dead_letter_bytes.set_function(lambda: dead_letters.size_bytes)
        health.dead_letter_limit_bytes.set(dead_letters.limit_bytes)
        measure_disk(health.registry, config.folder)
        threads = ThreadPoolExecutor(len(Signal), thread_name_prefix="insert")
        parts.callback(threads.shutdown)
        inserting = _start_inserters(config, engine, wal, health, dead_letters, threads)
        parts.push_async_callback(_finish, wal, inserting)
        parts.push_async_callback(losses.flush)
        reporting = asyncio.create_task(losses.run())
        parts.callback(reporting.cancel)
        alerts = AlertLoop(engine, health, interval_s=config.alert_interval_s, channels=config.notify)
        await parts.enter_async_context(alerts.running())
        await parts.enter_async_context(_settling(config, engine, wal, health).running())

        door = Door(wal, health, losses, Limits(body_bytes=config.request_mb << 20), gate)
        parts.callback(door.close)
        held = ConnectionMetrics(health.registry)
        grpc = await serve_grpc(door, "OTLP/gRPC", config.host, config.otlp_grpc_port, tls)
        otlp = await serve_http(
            with_origins(OtlpHttp(door), config.cors_origins),
            "OTLP/HTTP",
            config.host,
            config.otlp_http_port,
            tls=tls,
            bounds=Connections("otlp", held),
            refusal=answer.http_refusal,
        )
        doors = (grpc, otlp)
        examined = Examined(wal, dead_letters, health.registry, config.alert_interval_s, doors, gate)
        more = [
            *LetterRoutes(dead_letters, door.take, losses).routes,
            *Doctor(config.folder, engine, examined).routes,
            *SettleRoutes(engine).routes,
            *ForgetRoutes(
                partial(forget, engine, config.folder, dead_letters, stopping=stop.is_set),
                partial(flushed, wal),
                audit,
            ).routes,
            *SnapshotRoutes(Snapshots(config.folder, engine, wal, health.registry)).routes,
        ]
        hosts = frozenset(config.names)
        shown = Parts(
            engine, health, wal, partial(flushed, wal), hosts=hosts, more=more, gate=gate, audit=audit
        )
        http = await serve_http(
            gateway(shown),
            "SQL and health",
            config.host,
            config.http_port,
            tls=tls,
            bounds=Connections("sql", held),
        )
        running = Running(grpc, otlp, http, store=str(config.store_url), folder=config.folder)
        ready(running)
        await stop.wait()
        log.info("stopping", waiting_bytes=wal.size_bytes)
        await asyncio.gather(*(s.stop(STOP_GRACE_S) for s in (running.grpc, running.otlp, running.http)))


def _take_folder(folder: Path) -> int:
    """The data folder, for this process alone: the engine's own word for it would be hard to read."""
    refuse_pattern(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return lock_folder(folder)
    except OSError as e:
        raise FolderUnusable(f"{folder} cannot be used ({e.strerror})", hint=OTHER_FOLDER) from None


def open_store(config: Config) -> Engine:
    """The store, opened, brought to this version and proven."""
    engine = Engine(_store_of(config))
    try:
        if migrate(engine):
            prove(engine, config.folder / "scratch")
    except BaseException:
        engine.close()
        raise
    return engine


def _store_of(config: Config) -> StoreUrl:
    """The embedded engine's files lie in a folder of their own beside the log."""
    url = config.store_url
    return replace(url, path=url.path / "store") if url.path else url


async def _open_log(config: Config, engine: Engine, health: Health) -> Log:
    floor = await asyncio.to_thread(_highest_batch, engine)
    limits = LogLimits(
        size_bytes=round(config.log_gb * 1e9), segment=SegmentLimits(age_s=config.segment_age_s)
    )
    wal = await Log.open(config.folder / "wal", batch_floor=floor, limits=limits, watcher=health)
    health.watch(wal)
    return wal


def _highest_batch(engine: Engine) -> int:
    tables = [each[0] for each in TABLES.values()]
    return max(int(engine.write_value(f"select max(batch) from {t}") or 0) for t in tables)  # noqa: S608


def _settling(config: Config, engine: Engine, wal: Log, health: Health) -> SettleLoop:
    return SettleLoop(
        engine,
        health,
        lambda: wal.writer,
        whole_until=lambda: wal.stored_until(Signal.TRACES),
        interval_s=config.settle_interval_s,
    )


def _start_inserters(
    config: Config,
    engine: Engine,
    wal: Log,
    health: Health,
    dead_letters: DeadLetters,
    threads: ThreadPoolExecutor,
) -> list[asyncio.Task[None]]:
    scratch = config.folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    return [
        asyncio.create_task(
            Inserter(signal, engine, wal, dead_letters, health, scratch, threads).run(),
            name=f"insert-{signal}",
        )
        for signal in Signal
    ]


async def _finish(wal: Log, inserting: list[asyncio.Task[None]]) -> None:
    """Seal what the log holds and give the store its time; the rest waits for the next start."""
    await wal.drain()
    _, late = await asyncio.wait(inserting, timeout=DRAIN_S)
    for task in late:
        task.cancel()
    log.info("stopped", drained=not late, signals_left=[t.get_name() for t in late])


async def flushed(wal: Log) -> None:
    """Returns when all that was acknowledged before the call is stored and can be queried."""
    loop = asyncio.get_running_loop()
    asked = loop.time()
    while wal.oldest_age_s() > loop.time() - asked:  # noqa: ASYNC110 - the log's age has no event
        await asyncio.sleep(0.02)
