"""The collector's third port as one application: statements, operations, budgets, alerts, and more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from sightline_collector.access.audit import Audit
from sightline_collector.access.entrance import Entrance
from sightline_collector.access.gate import Gate
from sightline_collector.gateway.guard import Guard
from sightline_collector.gateway.limits import DEFAULT, Limits
from sightline_collector.gateway.names import Names
from sightline_collector.gateway.operations import Operations
from sightline_collector.gateway.price_routes import Pricing
from sightline_collector.gateway.queries import Queries
from sightline_collector.gateway.watch_routes import Watching
from sightline_collector.health import Health, LogState
from sightline_collector.settle.command_lease import CommandLease
from sightline_collector.store.engine import Engine

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the port shows to the outside. `hosts`: names beside localhost that it may be called by; `more`:
    what else is served; `audit` writes down who read content; `lease` is taken before the ledger
    is written."""

    engine: Engine
    health: Health
    log: LogState
    flush: Callable[[], Awaitable[None]]
    hosts: frozenset[str] = frozenset()
    limits: Limits = DEFAULT
    more: Sequence[BaseRoute] = ()
    gate: Gate = field(default_factory=Gate)
    audit: Audit | None = None
    lease: CommandLease | None = None


def gateway(parts: Parts) -> ASGIApp:
    """The ASGI application."""
    reads = parts.engine.reads()
    names = Names(reads, parts.engine.database)
    audit = parts.audit
    queries = Queries(
        reads, names, parts.limits, parts.health.registry, audit.read_content if audit else None
    )
    operations = Operations(parts.engine, parts.health, parts.log, parts.flush)
    routes: list[BaseRoute] = [
        Route("/", queries, methods=["GET", "POST"]),
        Route("/ping", _ok),
        Route("/replicas_status", _ok),
        *operations.routes,
        *Watching(parts.engine).routes,
        *Pricing(parts.engine, parts.lease).routes,
        *parts.more,
    ]
    pages = Starlette(routes=routes, exception_handlers={ClientDisconnect: _left, Exception: _failed})
    return Guard(
        Entrance(pages, parts.gate, parts.health.registry, audit.acted if audit else None), parts.hosts
    )


async def _ok(_: Request) -> Response:
    return PlainTextResponse("Ok.\n")


async def _left(_: Request, __: Exception) -> Response:
    """Nobody's fault, and read by nobody."""
    return Response(status_code=400)


async def _failed(request: Request, error: Exception) -> Response:
    log.error("request failed", path=request.url.path, error=repr(error)[:500])
    return PlainTextResponse("Code: 1000. DB::Exception: The collector failed. (UNKNOWN_EXCEPTION)\n", 500)
