"""A gateway on a real socket, on a loop and a thread of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

import httpx
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from sightline_collector.access.audit import Audit
from sightline_collector.access.gate import Gate
from sightline_collector.gateway.app import Parts, gateway
from sightline_collector.gateway.limits import DEFAULT, Limits
from sightline_collector.health import Health
from sightline_collector.receive.serve import serve_http
from sightline_collector.store.engine import Engine
from sightline_collector.wal.log import Log, LogLimits

Made = TypeVar("Made")
WAIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Port:
    """Where it listens, and a client for it."""

    number: int
    client: httpx.Client
    health: Health
    log: Log

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.number}"

    def ask(self, sql: str, **parameters: str) -> httpx.Response:
        """POST a statement; parameters go into the URL."""
        return self.client.post("/", params=parameters, content=sql)


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once it holds; fail when it does not in time."""
    deadline = time.monotonic() + WAIT_S
    pause = Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        pause.wait(0.02)


async def _stored_at_once() -> None:
    """What waits in the log is stored: there is nothing in it."""


@contextmanager
def serving(
    engine: Engine,
    folder: Path,
    *,
    limits: Limits = DEFAULT,
    flush: Callable[[], Awaitable[None]] = _stored_at_once,
    hosts: frozenset[str] = frozenset(),
    log_bytes: int = LogLimits().size_bytes,
    gate: Gate | None = None,
    audited: bool = False,
    more: Sequence[BaseRoute] = (),
) -> Iterator[Port]:
    """Serve the engine until the block ends."""
    with _looping() as loop:
        health = Health()
        wal = _on(loop, Log.open(folder / "wal", limits=LogLimits(log_bytes), watcher=health))
        health.watch(wal)
        audit = Audit(wal, health.registry) if audited else None
        app = gateway(
            Parts(engine, health, wal, flush, hosts, limits, more=more, gate=gate or Gate(), audit=audit)
        )
        with _listening(loop, app) as number, _client(number) as client:
            yield Port(number, client, health, wal)
        _on(loop, wal.close())


@contextmanager
def serving_app(app: ASGIApp) -> Iterator[httpx.Client]:
    """Serve an application until the block ends."""
    with _looping() as loop, _listening(loop, app) as number, _client(number) as client:
        yield client


@contextmanager
def _looping() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="gateway")
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def _listening(loop: asyncio.AbstractEventLoop, app: ASGIApp) -> Iterator[int]:
    server = _on(loop, serve_http(app, "SQL", "127.0.0.1", 0))
    try:
        yield server.port
    finally:
        _on(loop, server.stop(5.0))


def _client(number: int) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{number}", timeout=60)


def _on(loop: asyncio.AbstractEventLoop, call: Coroutine[Any, Any, Made]) -> Made:
    return asyncio.run_coroutine_threadsafe(call, loop).result(30)
