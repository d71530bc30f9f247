"""The store that tests run on: the embedded engine, or the server that an environment variable names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace

from sightline_collector.store.engine import Engine
from sightline_collector.store.migrate import migrate
from sightline_collector.store.url import StoreUrl, parse_store_url

VARIABLE = "SIGHTLINE_TEST_STORE"
"""Such as clickhouse://user:password@host:8123, with ?cluster=NAME for a cluster."""


def server() -> StoreUrl | None:
    """The server's address; None when tests run on the embedded engine."""
    address = os.environ.get(VARIABLE)
    return parse_store_url(address) if address else None


def database(url: StoreUrl, name: str) -> StoreUrl:
    """The address of a database of a test's own on a server."""
    return replace(url, database=f"{url.database}_test_{re.sub(r'[^0-9A-Za-z]', '_', name)}"[:120])


def lent(url: StoreUrl, name: str) -> Iterator[Engine]:
    """A migrated store without rows on a server, gone afterwards."""
    own = database(url, name)
    drop(own)
    engine = Engine(own)
    migrate(engine)
    yield engine
    engine.close()
    drop(own)


def drop(url: StoreUrl) -> None:
    """Remove a database, if it is there."""
    engine = Engine(url)
    engine.command(f"drop database if exists {url.database}")
    engine.close()
