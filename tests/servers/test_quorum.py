"""How many replicas of a cluster confirm an insert: what a played server is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from otlp_requests import insert, traces
from servers.played_server import PlayedServer
from servers.played_shards import CLUSTER, on_shards

from sightline_collector.store.engine import Engine
from sightline_collector.store.url import parse_store_url
from sightline_collector.wal.segment import Signal

LAYOUTS = {
    "one server": ([1], "0", "0"),
    "shards without replicas": ([1, 1], "0", "'auto'"),
    "two replicas of each": ([2, 2], "'auto'", "'auto'"),
    "a shard without replicas": ([2, 1], "0", "'auto'"),
}
"""Servers of each shard, and the quorum of spans and of a small table's rows."""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_majority_confirms_where_there_is_more_than_one_replica(
    server: PlayedServer, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    """A table without another replica waits for none: told of a majority it would wait for ever."""
    servers, of_spans, of_rows = LAYOUTS[layout]
    rows = ", ".join(f"('{CLUSTER}', {shard})" for shard, count in enumerate(servers) for _ in range(count))
    clusters = f"values('cluster String, shard_num UInt8', {rows})"
    said: list[str] = []
    monkeypatch.setattr(
        server.played, "said", lambda sql: on_shards(sql).replace("system.clusters", clusters)
    )
    monkeypatch.setattr(server.played, "before_insert", said.append)
    address = f"clickhouse://ann:s3cret@127.0.0.1:{server.port}/{engine.database}?cluster={CLUSTER}"
    store = Engine(parse_store_url(address))
    insert(store, Signal.TRACES, [(traces(), 1)], tmp_path / "a.segment", batch=1)
    store.insert("feedback_v1", [{"feedback_id": layout}])
    store.close()
    assert [re.findall(r"insert_quorum = (\S+)", one) for one in said] == [[of_spans], [of_rows]]
    assert engine.value(f"select count() from feedback_v1 where feedback_id = '{layout}'") == 1
