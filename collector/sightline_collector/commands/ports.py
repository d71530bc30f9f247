"""Whether the ports that a collector will listen on are free: asked before the engine takes its seconds."""

from __future__ import annotations

import errno
import os
import socket

from sightline_collector.config import ENVIRONMENT_PREFIX, Config
from sightline_collector.errors import PortTaken

LISTENERS = {"otlp_grpc_port": "OTLP/gRPC", "otlp_http_port": "OTLP/HTTP", "http_port": "SQL and health"}
"""Settings, and what listens there."""


def check_ports(config: Config) -> None:
    """Raises PortTaken, which names the listener and its flag, when one of them cannot be bound now."""
    seen: dict[int, str] = {}
    for setting, name in LISTENERS.items():
        port = getattr(config, setting)
        if port and port in seen:
            raise PortTaken(
                f"{_flag(seen[port])} and {_flag(setting)} are both {port}",
                hint="each listener needs its own",
            )
        seen[port] = setting
        try:
            _bind(config.host, port)
        except OSError as e:
            raise _not_bound(f"{name} cannot listen on {config.host}:{port}", setting, port, e) from None


def _bind(host: str, port: int) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as bound:
        # As the listeners do: connections of one that has just stopped are not in the way.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)


def _not_bound(what: str, setting: str, port: int, error: OSError) -> PortTaken:
    flag = f"{_flag(setting)} (or {ENVIRONMENT_PREFIX}{setting.upper()} in the environment, as for `make up`)"
    hint = f"choose another port with {flag}"
    if error.errno == errno.EADDRINUSE:
        hint = f"stop what uses the port (`ss -ltnp sport = :{port}` names it), or {hint}"
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        hint = "give an address of this machine with --host: 127.0.0.1, or 0.0.0.0 for all"
    why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
    return PortTaken(f"{what}: {why}", hint=hint)


def _flag(setting: str) -> str:
    return "--" + setting.replace("_", "-")
