"""What is written to a ClickHouse server: one request an insert, sent once, under a name of its own.

The statement stands at the head of the body and not in the address, for it is longer (30 KB) than what load
balancers take for one (8 or 16 KB). It is sent as an iterator, which clickhouse-connect cannot send a second
time by itself: an insert whose answer was lost may have been done.

A server goes on with an insert whose client has left. Asked for its rows meanwhile it would say that there
are none, and the same segment would be inserted twice. So each insert is named after its bytes: as long as
one of that name runs, the server refuses another (216), and that is waited for. Of a cluster all servers are
asked first, for what is tried again may come to another one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from sightline_collector.errors import StoreRefused
from sightline_collector.sql.cluster import READ_SETTINGS, WRITE_SETTINGS

CHUNK_BYTES = 1 << 20

NO_TABLE = ""
"""The statement is in the body: the client need not make one."""

ALREADY_RUNNING = 216
RUNNING = """
select count() from clusterAllReplicas({cluster}, system.processes)
where initial_query_id = {{name:String}} settings skip_unavailable_shards = 1
"""

SETTINGS = {
    # Rows that a server gathers first are stored after the answer, or as a part with the rows of others.
    "async_insert": 0,
}
"""Where a server's defaults would get between an insert and its count."""


def write_settings(cluster: str) -> dict[str, Any]:
    """Settings of a handle that writes to a server, or to one of a cluster."""
    return {**SETTINGS, **(READ_SETTINGS | WRITE_SETTINGS if cluster else {})}


def insert_file(client: Client, statement: str, file: Path, cluster: str = "") -> None:
    """Insert a file of protobuf messages by a statement that reads `input()`.

    Raises ClickHouseError, StoreRefused when an insert of the same file is still going on.
    """
    name = name_of(file)
    if cluster and client.query(RUNNING.format(cluster=cluster), parameters={"name": name}).result_rows[0][0]:
        raise StoreRefused(f"the insert {name} still runs", hint="it is waited for", code=ALREADY_RUNNING)
    body = _chunks(f"{statement}\nformat Protobuf\n".encode(), file)
    client.raw_insert(NO_TABLE, insert_block=body, settings={"query_id": name})


def insert_rows(client: Client, table: str, rows: bytes) -> None:
    """Insert lines of JSON. Raises ClickHouseError."""
    whole = f"insert into {table} format JSONEachRow\n".encode() + rows
    client.raw_insert(NO_TABLE, insert_block=(part for part in (whole,)))


def name_of(file: Path) -> str:
    """The query id of a file's insert: the same for the same bytes, which hold their batch and writer."""
    with file.open("rb") as opened:
        return f"sightline-{hashlib.file_digest(opened, 'sha256').hexdigest()[:32]}"


def _chunks(head: bytes, file: Path) -> Generator[bytes]:
    yield head
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            yield chunk
