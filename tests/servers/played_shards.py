"""A cluster of one shard, played by the embedded engine.

What needs Keeper or a second server is taken out of a statement: ON CLUSTER, Replicated, clusterAllReplicas.
A table that is no replica is told in another way to look for old parts. All else is the engine's own:
Distributed tables over local ones, and how views, projections, deletes and inserts go through them. The
merging of what several shards answer needs servers.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sightline_collector.access.rewriting import NO_PARTITION, NO_ROW

CLUSTER, DATABASE = "played", "sightline"

CONFIG = (
    f"<clickhouse><tcp_port>9000</tcp_port><remote_servers><{CLUSTER}><shard>"
    "<internal_replication>true</internal_replication>"
    "<replica><host>127.0.0.1</host><port>9000</port></replica>"
    f"</shard></{CLUSTER}></remote_servers></clickhouse>"
)
"""The port is not listened on: by it the engine knows that the shard is itself."""

_PATHS = re.compile(r"Replicated(\w*MergeTree)\('[^']*', '[^']*'(?:, (\w+))?\)")
_REPLICAS = re.compile(rf"clusterAllReplicas\({CLUSTER}, (system\.\w+)\)")
_held: list[Any] = []


def open_on_shards(folder: Path) -> None:
    """Open the engine so that it knows of the cluster; the first handle of a process says so."""
    import chdb

    config = folder.with_suffix(".xml")
    config.write_text(CONFIG)
    folder.mkdir(parents=True, exist_ok=True)
    handle = chdb.connect(f"{folder}?config-file={config}")  # type: ignore[no-untyped-call, unused-ignore]
    _held.append(handle)


def on_shards(statement: str) -> str:
    """A statement for a cluster, as the one engine is told it."""
    said = statement.replace(f" on cluster {CLUSTER}", "").replace(NO_ROW, NO_PARTITION)
    said = _REPLICAS.sub(r"\1", said)
    return _PATHS.sub(lambda found: found[1] + (f"({found[2]})" if found[2] else ""), said)
