"""What is written to a ClickHouse server: one request an insert, sent once, under a name of its own.

The statement stands at the head of the body and not in the address, for it is longer (30 KB) than what load
balancers take for one (8 or 16 KB). It is sent as an iterator, which clickhouse-connect cannot send a second
time by itself: an insert whose answer was lost may have been done.

A server goes on with an insert whose client has left, and a proxy may pass one on long after. Asked for its
rows meanwhile the server would say that there are none, and the same segment would be inserted twice. So

    an insert says until when it may begin, by the server's clock: begun later, it fails and stores nothing;
    where one failed, it is waited until it can begin no more, and as long as any that began by then runs.

Only then is what it has left counted, unless all of it is there: that is no more, for nothing is sent twice.
How late an insert may begin outlives the process (lateness.py). Each is named after its bytes, too: a server
that runs one of a name refuses another (216). Rows of small tables have such a time as well.

On a cluster a majority of replicas confirms an insert, where there are several: told to wait for one, a table
that has no other replica waits for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from sightline_collector.errors import StoreRefused
from sightline_collector.sql.catalog import quoted
from sightline_collector.sql.cluster import READ_SETTINGS, SHARDED, WRITE_SETTINGS
from sightline_collector.store.lateness import Lateness
from sightline_collector.store.verdict import ENGINE_SAYS

CHUNK_BYTES = 1 << 20

NO_TABLE = ""
"""The statement is in the body: the client need not make one."""

SLOWEST_WAY = 4 << 20
"""Bytes a second that a proxy passes on at least when it first takes a request whole."""

CLOCKS_APART_S = 2.0
"""A clock that was asked may be ahead of that of the server that an insert comes to."""

GONE_S = 60.0
"""No insert takes longer: after that a server that cannot be asked, or does not say, is not waited for."""

CLOCK = "select toUnixTimestamp64Milli(now64(3))"
REPLICAS = """
, (select min(replicas) from
    (select count() as replicas from system.clusters where cluster = {cluster} group by shard_num)),
(select count() from system.clusters where cluster = {cluster})
"""
"""Of the shard that has the fewest, and of a table that every server holds."""
BEGUN_LATE, TOO_LATE = 394, "the insert came too late to begin"
"""As if it had been cancelled: of such a code the segment is tried again."""

IN_TIME = """
where not throwIf(toUnixTimestamp64Milli(now64(3)) > {until_ms}, '{too_late}', toInt16({code}))
"""
IN_TIME_SETTINGS = "allow_custom_error_code_in_throwif = 1"

NAMED = "sightline-"
ALREADY_RUNNING = 216
PROCESSES = "system.processes"
RUNNING = f"""
select count() from {{processes}}
where startsWith(initial_query_id, '{NAMED}') and elapsed > {{{{since:Float64}}}}
"""  # noqa: S608 - constants

SETTINGS = {
    # Rows that a server gathers first are stored after the answer, or as a part with the rows of others.
    "async_insert": 0,
}
"""Where a server's defaults would get between an insert and its count."""


def write_settings(cluster: str) -> dict[str, Any]:
    """Settings of a handle that writes to a server, or to one of a cluster."""
    return {**SETTINGS, **(READ_SETTINGS | WRITE_SETTINGS if cluster else {})}


class ServerInserts:
    """Inserts into a server, or into one of a cluster. Safe to use from several threads."""

    def __init__(self, client: Client, cluster: str, clock: Callable[[], float], lateness: Lateness) -> None:
        self._client = client
        self._cluster = cluster
        self._clock = clock
        self._lateness = lateness
        self._opened = self._due = clock()

    def insert(self, statement: str, file: Path, settings: str) -> None:
        """Insert a file of protobuf messages by a statement that reads `input()` and ends with its source.

        Raises ClickHouseError; when what was sent may begin is remembered.
        """
        may_s, way_s = self._lateness.now_s, _way_s(file)
        in_time, more = self._bounds(may_s + way_s, sharded=True)
        due = self._clock() + may_s + way_s + CLOCKS_APART_S
        head = f"{statement}{in_time}settings {settings}, {more}\nformat Protobuf\n"
        body = _chunks(head.encode(), file)
        try:
            with self._told_late(may_s):
                self._client.raw_insert(NO_TABLE, insert_block=body, settings={"query_id": name_of(file)})
        except Exception as e:
            answered = ENGINE_SAYS.search(str(e)) is not None
            self._due = max(self._due, self._clock() if answered else due)
            raise

    def insert_rows(self, table: str, structure: Mapping[str, str], rows: bytes) -> None:
        """Insert lines of JSON into a small table, whose columns of these names have these types; others have
        their defaults. Raises ClickHouseError."""
        columns = ", ".join(f"`{name}`" for name in structure)
        source = quoted(", ".join(f"`{name}` {kind}" for name, kind in structure.items()))
        may_s = self._lateness.now_s
        in_time, settings = self._bounds(may_s + len(rows) / SLOWEST_WAY, sharded=table in SHARDED)
        head = (
            f"insert into {table} ({columns}) select {columns} from input({source})"  # noqa: S608 - our own
            f"{in_time}settings {settings}\nformat JSONEachRow\n"
        )
        with self._told_late(may_s):
            self._client.raw_insert(NO_TABLE, insert_block=(part for part in (head.encode() + rows,)))

    def refuse_while_due(self, file: Path, *, left: bool) -> None:
        """Raises StoreRefused while an insert that failed, or one of an earlier process that has `left` the
        file, may yet begin, or any that began by then runs; ClickHouseError when a server of a cluster does
        not say so."""
        left_due = self._opened + self._lateness.left_s + _way_s(file) + CLOCKS_APART_S
        due = max(self._due, left_due) if left else self._due
        since_s = self._clock() - due
        if since_s < 0:
            said = f"an insert may yet begin for {-since_s:.1f} s"
            raise StoreRefused(said, hint="it is waited for", code=BEGUN_LATE)
        if since_s < GONE_S and self._client.query(self._running, {"since": since_s}).result_rows[0][0]:
            raise StoreRefused("an insert still runs", hint="it is waited for", code=ALREADY_RUNNING)

    def _bounds(self, may_s: float, *, sharded: bool) -> tuple[str, str]:
        """A condition that fails when the statement begins later than that, and settings to go with it."""
        cluster = self._cluster
        asked = CLOCK + (REPLICAS.format(cluster=quoted(cluster)) if cluster else "")
        now_ms, *replicas = self._client.query(asked).result_rows[0]
        until_ms = int(now_ms) + int(may_s * 1000)
        in_time = IN_TIME.format(until_ms=until_ms, too_late=TOO_LATE, code=BEGUN_LATE)
        if not cluster:
            return in_time, IN_TIME_SETTINGS
        of_shard, of_all = map(int, replicas)
        quorum = "'auto'" if (of_shard if sharded else of_all) > 1 else "0"
        return in_time, f"{IN_TIME_SETTINGS}, insert_quorum = {quorum}"

    @contextmanager
    def _told_late(self, may_s: float) -> Iterator[None]:
        try:
            yield
        except Exception as e:
            said = ENGINE_SAYS.search(str(e))
            if said and int(said[1]) == BEGUN_LATE and TOO_LATE in str(e):
                self._lateness.came_late(may_s)
            raise

    @property
    def _running(self) -> str:
        of_all = f"clusterAllReplicas({self._cluster}, {PROCESSES})" if self._cluster else PROCESSES
        return RUNNING.format(processes=of_all)


def _way_s(file: Path) -> float:
    """How long a file's bytes may be on their way."""
    return file.stat().st_size / SLOWEST_WAY


def name_of(file: Path) -> str:
    """The query id of a file's insert: the same for the same bytes, which hold their batch and writer."""
    with file.open("rb") as opened:
        return f"{NAMED}{hashlib.file_digest(opened, 'sha256').hexdigest()[:32]}"


def _chunks(head: bytes, file: Path) -> Generator[bytes]:
    yield head
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            yield chunk
