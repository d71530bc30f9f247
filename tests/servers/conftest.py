"""A server that the embedded engine plays, a proxy before it that breaks connections, a store behind both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.faulty_proxy import Fault, FaultyProxy
from servers.inserting import LIMIT_S, Collector
from servers.played_server import Played, PlayedServer

from sightline_collector.store import connection, lateness, server_insert
from sightline_collector.store import insert as insert_module
from sightline_collector.store.engine import Engine
from sightline_collector.store.url import parse_store_url


@pytest.fixture(scope="module")
def server(engine_folder: Path) -> Iterator[PlayedServer]:
    """It knows one user."""
    opened = PlayedServer(Played(engine_folder, "ann", "s3cret"))
    yield opened
    opened.close()


@pytest.fixture
def proxy(server: PlayedServer) -> Iterator[FaultyProxy]:
    """Between a collector and that server."""
    opened = FaultyProxy(server.port)
    yield opened
    opened.close()


@pytest.fixture
def store(
    proxy: FaultyProxy, engine: Engine, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Engine]:
    """The server's store, through the proxy; a client that waits three seconds for what never comes,
    and tries again soon."""
    spec = getattr(request.node, "callspec", None)
    never = spec is not None and spec.params.get("fault") in (Fault.SILENT, Fault.ANSWER_NEVER)
    monkeypatch.setattr(connection, "ANSWER_S", 3.0 if never else LIMIT_S)
    monkeypatch.setattr(lateness, "FIRST_S", 0.6)
    monkeypatch.setattr(server_insert, "CLOCKS_APART_S", 0.05)
    monkeypatch.setattr(insert_module, "RETRY_FIRST_S", 0.02)
    monkeypatch.setattr(insert_module, "RETRY_MOST_S", 0.05)
    engine.command("truncate table spans_v1")
    url = f"clickhouse://ann:s3cret@127.0.0.1:{proxy.port}/{engine.database}"
    opened = Engine(parse_store_url(url))
    yield opened
    opened.close()


@pytest.fixture
def collector(store: Engine, tmp_path: Path) -> Collector:
    """On the store behind the proxy."""
    return Collector(store, tmp_path)
