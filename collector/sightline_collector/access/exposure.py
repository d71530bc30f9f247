"""Whether a collector may listen where it is told to: beyond loopback only with keys."""

from __future__ import annotations

from ipaddress import ip_address

import structlog

from sightline_collector.access.gate import Gate
from sightline_collector.config import Config
from sightline_collector.errors import BadConfiguration

log = structlog.get_logger(__name__)


def check_exposure(config: Config, gate: Gate) -> None:
    """Raises BadConfiguration when others could reach a collector that asks nobody for a key."""
    if is_loopback(config.host):
        return
    if not gate.shut and not config.open_to_all_i_know:
        raise BadConfiguration(
            f"others can reach {config.host}, and there is no key: anyone could read everything",
            hint="make one with `sightline key add --scope ingest` (also with --scope read and admin),"
            " listen on 127.0.0.1, or say --open-to-all-i-know yes",
        )
    if gate.shut and config.tls_cert is None:
        log.warning("keys cross the network as they are: give --tls-cert and --tls-key, or a proxy with TLS")
    if not gate.shut:
        log.warning(
            "open to all: whoever reaches the ports may send, read and change everything", host=config.host
        )


def is_loopback(host: str) -> bool:
    """True for this machine alone."""
    return host == "localhost" or ip_address(host).is_loopback
