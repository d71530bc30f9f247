"""How many connections one port holds, and what was cut off before it became a request."""

from __future__ import annotations

import resource
from collections.abc import Sized

from prometheus_client import CollectorRegistry, Counter, Gauge

CONNECTIONS_MAX = 2_000
"""Of a port: an idle one costs some 20 KB, and an open file."""
FILES_KEPT = 256
"""Open files for the store, the log and gRPC."""
CONNECTIONS_MIN = 64
TURNED_AWAY_MAX = 64
"""Beyond the limit, while they are told so."""

SLOW_HEAD = "slow_head"
LARGE_HEAD = "large_head"
TOO_MANY = "too_many"
NO_HTTP = "no_http"
ABUSIVE = "abusive"
REASONS = (SLOW_HEAD, LARGE_HEAD, TOO_MANY, NO_HTTP, ABUSIVE)


def affordable() -> int:
    """Connections that each of two ports may hold with the files that this process may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        CONNECTIONS_MAX
        if files < 0
        else max(CONNECTIONS_MIN, min(CONNECTIONS_MAX, (files - FILES_KEPT) // 2))
    )


class ConnectionMetrics:
    """What is told of all ports over HTTP."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.open = Gauge("sightline_connections", "Open connections over HTTP", ("port",), registry=registry)
        self.limit = Gauge(
            "sightline_connections_limit",
            "Connections over HTTP that may be open",
            ("port",),
            registry=registry,
        )
        self.cut = Counter(
            "sightline_connections_cut",
            "Connections that were cut off before they were a request",
            ("port", "reason"),
            registry=registry,
        )


class Connections:
    """The connections of one port. Lives on one event loop."""

    def __init__(self, port: str, metrics: ConnectionMetrics, limit: int | None = None) -> None:
        self.limit = affordable() if limit is None else limit
        self._open: Sized = ()
        self._cut = {reason: metrics.cut.labels(port, reason) for reason in REASONS}
        metrics.limit.labels(port).set(self.limit)
        metrics.open.labels(port).set_function(lambda: float(len(self._open)))

    def watch(self, connections: Sized) -> None:
        """Counts what the server holds from now on."""
        self._open = connections

    @property
    def too_many(self) -> bool:
        """True when the last one was one too many."""
        return len(self._open) > self.limit

    @property
    def far_too_many(self) -> bool:
        """True when there is not even room to tell it so in its own words."""
        return len(self._open) > self.limit + TURNED_AWAY_MAX

    def cut(self, reason: str) -> None:
        """One was cut off."""
        self._cut[reason].inc()


def uncounted() -> Connections:
    """For a server whose counters nobody reads."""
    return Connections("", ConnectionMetrics(CollectorRegistry()))
