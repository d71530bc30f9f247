"""A gateway on a real socket, on a loop and a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import httpx

from sightline_collector.gateway.app import Parts, gateway
from sightline_collector.gateway.limits import DEFAULT, Limits
from sightline_collector.health import Health
from sightline_collector.receive.serve import serve_http
from sightline_collector.store.engine import Engine
from sightline_collector.wal.log import Log

Made = TypeVar("Made")


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
) -> Iterator[Port]:
    """Serve the engine until the block ends."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="gateway")
    thread.start()
    health = Health()
    wal = _on(loop, Log.open(folder / "wal", batch_floor=0, watcher=health))
    health.watch(wal)
    app = gateway(Parts(engine, health, wal, flush, hosts=hosts, limits=limits))
    server = _on(loop, serve_http(app, "SQL", "127.0.0.1", 0))
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as client:
            yield Port(server.port, client, health, wal)
    finally:
        _on(loop, server.stop(5.0))
        _on(loop, wal.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _on(loop: asyncio.AbstractEventLoop, call: Coroutine[Any, Any, Made]) -> Made:
    return asyncio.run_coroutine_threadsafe(call, loop).result(30)
