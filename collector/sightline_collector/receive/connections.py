"""How many connections one port holds, and what was cut off before it became a request.

What is counted is open files: where the system lets a process have few, each port holds fewer connections.
"""

from __future__ import annotations

import resource
from collections.abc import Sized
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge

CONNECTIONS_MAX = 2_000
"""Of a port: an idle one costs some 20 KB, and an open file."""
CONNECTIONS_MIN = 64
TURNED_AWAY_MAX = 64
"""Beyond the limit, while they are told so."""
PORTS = 3
FILES_KEPT = 256
"""Open files for the log and the store, at the least: a large merge opens each column of each part."""
FILES_WANTED = 262_144
"""What ClickHouse's own packages ask the system for."""

SLOW_HEAD = "slow_head"
LARGE_HEAD = "large_head"
TOO_MANY = "too_many"
NO_HTTP = "no_http"
ABUSIVE = "abusive"
REASONS = (SLOW_HEAD, LARGE_HEAD, TOO_MANY, NO_HTTP, ABUSIVE)


def open_more_files() -> int:
    """Raises this process' bound of open files as far as it may and should be; how many it may open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, FILES_WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # some systems bound it elsewhere, too
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return files_allowed()


def files_allowed() -> int:
    """How many files this process may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return FILES_WANTED if files == resource.RLIM_INFINITY else files


def affordable(files: int | None = None) -> int:
    """Connections that each port may hold with so many open files, or with those that this process may have.

    One of 512 files or fewer cannot hold even the least that it lets in.
    """
    each = ((files_allowed() if files is None else files) - FILES_KEPT) // PORTS - TURNED_AWAY_MAX
    return max(CONNECTIONS_MIN, min(CONNECTIONS_MAX, each))


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
