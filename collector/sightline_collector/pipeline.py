"""The composition root: builds every part of a collector and joins them, in the order of a span's way.

receive (gRPC, HTTP) ─▶ door ─▶ log ─▶ inserters ─▶ engine ─▶ views ─▶ gateway, alerts
└───────── here ──────────┘   └───────────── core ────────────┘      └──── here ────┘
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
from starlette.routing import BaseRoute

from sightline_collector.access.erasure import forget
from sightline_collector.access.exposure import check_exposure
from sightline_collector.access.forget_routes import ForgetRoutes
from sightline_collector.access.gate import Gate
from sightline_collector.config import Config
from sightline_collector.core import Core, open_core
from sightline_collector.errors import Fault
from sightline_collector.gateway.app import Parts, gateway
from sightline_collector.operate.doctor import Doctor
from sightline_collector.operate.letters import LetterRoutes
from sightline_collector.operate.running import Parts as Examined
from sightline_collector.operate.snapshot_routes import SnapshotRoutes
from sightline_collector.operate.snapshots import Snapshots
from sightline_collector.receive import answer
from sightline_collector.receive.connections import ConnectionMetrics, Connections
from sightline_collector.receive.cors import with_origins
from sightline_collector.receive.door import Door
from sightline_collector.receive.fullness import of_collector
from sightline_collector.receive.http import OtlpHttp
from sightline_collector.receive.limits import Limits
from sightline_collector.receive.serve import Serving, serve_grpc, serve_http
from sightline_collector.settle.arrivals import HOUR_NS
from sightline_collector.settle.routes import SettleRoutes
from sightline_collector.wal.log import Log

STOP_GRACE_S = 5.0
"""How long requests that are being received may take once the collector is told to stop."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Running:
    """Where a collector listens, and what it writes to."""

    grpc: Serving
    otlp: Serving
    http: Serving
    store: str
    folder: Path
    away: Fault | None
    """Why nothing can be stored yet; None when it can."""


async def run(config: Config, stop: asyncio.Event, ready: Callable[[Running], None]) -> None:
    """Run a collector until `stop` is set, then drain it. `ready` is called once it listens.

    Raises a Fault that says what to do when it cannot start; once it runs it does not raise.
    """
    async with AsyncExitStack() as parts:
        gate = Gate(config.key_path, noted=config.key_note)
        check_exposure(config, gate)
        core = await open_core(config, gate, parts)
        running = await _listen(core, stop, parts)
        ready(running)
        await stop.wait()
        log.info("stopping", waiting_bytes=core.wal.size_bytes)
        await asyncio.gather(*(s.stop(STOP_GRACE_S) for s in (running.grpc, running.otlp, running.http)))


async def _listen(core: Core, stop: asyncio.Event, parts: AsyncExitStack) -> Running:
    """Serve OTLP first, and whoever asks only then."""
    config, tls = core.config, core.tls
    limits = Limits(body_bytes=config.request_mb << 20)
    full = of_collector(core.health.registry, limits, core.wal, config.folder / "wal")
    door = Door(core.wal, core.health, core.losses, limits, core.gate, full)
    parts.callback(door.close)
    held = ConnectionMetrics(core.health.registry)
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
    shown = Parts(
        core.engine,
        core.health,
        core.wal,
        partial(flushed, core.wal),
        hosts=frozenset(config.names),
        more=_operators_routes(core, door, (grpc, otlp), stop),
        gate=core.gate,
        audit=core.audit,
        lease=core.lease,
    )
    bounds = Connections("sql", held)
    http = await serve_http(
        gateway(shown), "SQL and health", config.host, config.http_port, tls=tls, bounds=bounds
    )
    return Running(grpc, otlp, http, store=str(config.store_url), folder=config.folder, away=core.engine.away)


def _operators_routes(
    core: Core, door: Door, doors: tuple[Serving, Serving], stop: asyncio.Event
) -> list[BaseRoute]:
    """What those who run a collector ask of it, beside SQL."""
    folder, engine, letters = core.config.folder, core.engine, core.dead_letters
    examined = Examined(
        core.wal,
        letters,
        core.health.registry,
        core.config.alert_interval_s,
        doors,
        core.gate,
        core.tls,
        core.health.failing,
    )
    forgetting = partial(forget, engine, folder, letters, stopping=stop.is_set)
    return [
        *LetterRoutes(letters, door.take, core.losses).routes,
        *Doctor(folder, engine, examined).routes,
        *SettleRoutes(engine, int(core.config.answer_hours * HOUR_NS), lease=core.lease).routes,
        *ForgetRoutes(forgetting, partial(flushed, core.wal), core.audit).routes,
        *SnapshotRoutes(Snapshots(folder, engine, core.wal, core.health.registry, core.gate)).routes,
    ]


async def flushed(wal: Log) -> None:
    """Returns when all that was acknowledged before the call is stored and can be queried."""
    until = wal.last_batch
    while wal.holds(until):  # noqa: ASYNC110 - the log has no event for it
        await asyncio.sleep(0.02)
