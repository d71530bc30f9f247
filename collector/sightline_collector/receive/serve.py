"""Servers inside a running event loop: bound, reported, stopped with time to finish."""

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn

from sightline_collector.access.tls import Tls
from sightline_collector.errors import PortTaken
from sightline_collector.receive import answer, grpc_strangers
from sightline_collector.receive import grpc as otlp_grpc
from sightline_collector.receive.connection import HEAD_WAIT_S, BoundedHttp, Refusal
from sightline_collector.receive.connections import Connections, uncounted
from sightline_collector.receive.door import Door

# Senders keep connections open between batches; most batch processors send every 5 seconds, some every 60.
_KEEP_ALIVE_S = 75

# Of asyncio's 60 s a stranger could hold an open file for nothing.
_HANDSHAKE_S = 10.0

# gRPC cuts off what runs when the grace is over; it should be done with that long before.
_CUT_OFF_S = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that listens. `stop(grace_s)` takes no more, and gives what runs so long to finish."""

    name: str
    host: str
    port: int
    stop: Callable[[float], Coroutine[Any, Any, None]]
    scheme: str = "http"


class _Uvicorn(uvicorn.Server):
    """Lives in a loop that is not its own: leaves signals alone, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Uvicorn's, with a bound on TLS handshakes: who does not begin one counts as no connection."""
        await self.lifespan.startup()
        loop = asyncio.get_running_loop()
        handshake_s = _HANDSHAKE_S if self.config.ssl else None
        self.servers = [
            await loop.create_server(
                self._protocol,
                sock=each,
                ssl=self.config.ssl,
                backlog=self.config.backlog,
                ssl_handshake_timeout=handshake_s,
            )
            for each in sockets or ()
        ]
        self.started = True
        self.listening.set()

    def _protocol(self) -> asyncio.Protocol:
        made: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = made(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol


async def serve_http(
    app: Any,
    name: str,
    host: str,
    port: int,
    *,
    head_wait_s: float = HEAD_WAIT_S,
    tls: Tls | None = None,
    bounds: Connections | None = None,
    refusal: Refusal = answer.plain_refusal,
) -> Serving:
    """Serves an ASGI application over HTTP/1.1 and HTTP/2; port 0 takes a free one. Raises PortTaken."""
    bound = _bind(name, host, port)
    config = uvicorn.Config(
        app,
        http=partial(  # type: ignore[arg-type]
            BoundedHttp, bounds=bounds or uncounted(), head_wait_s=head_wait_s, refusal=refusal
        ),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
    )
    if tls:
        config.load()
        config.ssl = tls.context
    server = _Uvicorn(config)
    running = asyncio.get_running_loop().create_task(server.serve(sockets=[bound]))

    async def stop(grace_s: float) -> None:
        config.timeout_graceful_shutdown = max(1, round(grace_s))
        server.should_exit = True
        await running

    await server.listening.wait()
    return Serving(name, host, bound.getsockname()[1], stop, "https" if tls else "http")


async def serve_grpc(door: Door, name: str, host: str, port: int, tls: Tls | None = None) -> Serving:
    """Serves OTLP over gRPC; port 0 takes a free one. Raises PortTaken."""
    server = grpc_strangers.server(otlp_grpc.options(door))
    for service, methods in otlp_grpc.handlers(door).items():
        server.add_registered_method_handlers(service, methods)
    try:
        address = f"{f'[{host}]' if ':' in host else host}:{port}"
        bound = (
            server.add_secure_port(address, tls.credentials()) if tls else server.add_insecure_port(address)
        )
    except RuntimeError:
        _bind(name, host, port).close()  # gRPC does not say why: this does
        raise
    await server.start()

    async def stop(grace_s: float) -> None:
        try:
            async with asyncio.timeout(grace_s + _CUT_OFF_S):
                await server.stop(grace_s)
        except TimeoutError:
            _log.warning("%s has not let go of its connections; they end with the process", name)

    return Serving(name, host, bound, stop)


def _bind(name: str, host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _not_bound(name, host, port, error) from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise _not_bound(name, host, port, error) from error
    return bound


def _not_bound(name: str, host: str, port: int, error: OSError) -> PortTaken:
    return PortTaken(
        f"{name} cannot listen on {host}:{port}: {error.strerror}",
        hint=f"Stop what uses the port (`ss -ltnp sport = :{port}` names it), or choose another",
    )
