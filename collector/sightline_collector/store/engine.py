"""The one seam to ClickHouse: the embedded engine or a server, behind the same few verbs.

Embedded, every handle of this process shares one engine; writes go through one handle, reads through a
small pool, so that readers never starve the writer. Nothing here may be used after a fork.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from prometheus_client import CollectorRegistry

from sightline_collector.errors import Fault, StoreRefused, StoreUnreachable
from sightline_collector.sql.catalog import quoted
from sightline_collector.sql.cluster import LOCAL, SHARDED, clustered
from sightline_collector.sql.cluster import READ_SETTINGS as SHARD_SETTINGS
from sightline_collector.store.connection import connect, fault_of
from sightline_collector.store.embedded_reads import QUICK, EmbeddedReads
from sightline_collector.store.lateness import Lateness
from sightline_collector.store.piped import PIPE
from sightline_collector.store.reads import Reads
from sightline_collector.store.schema_file import schema_file
from sightline_collector.store.server_insert import ServerInserts, write_settings
from sightline_collector.store.server_reads import ServerReads
from sightline_collector.store.staging import Insertion
from sightline_collector.store.standing import Standing, Statements
from sightline_collector.store.standing_metrics import StandingMetrics
from sightline_collector.store.url import StoreUrl

READERS = 4
"""Handles that read at once: more of them starve the writer on two cores."""

READ_SETTINGS = {"max_threads": 2, "max_memory_usage": 800 << 20}

LEAVES_S = 1.0
"""How long a reader may take to hand its handle back when the store is closed."""

RESTART = "restart the collector: it makes what is missing"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Messages:
    """How to read a file of protobuf messages: their .proto text, whose message is `Request`, and columns."""

    schema: str
    structure: str


class Engine:
    """A store that is open, or `away`: then whatever is asked of it raises why, until `open()`.

    `close()` it before the process ends. `clock`: seconds that only grow. `begins`: the file that keeps how
    late an insert into a server may begin.
    """

    def __init__(
        self,
        url: StoreUrl,
        clock: Callable[[], float] = time.monotonic,
        *,
        away: Fault | None = None,
        begins: Path | None = None,
    ) -> None:
        # The engine knows its folder by one name: a second handle by another is refused.
        self.url = replace(url, path=url.path.resolve()) if url.path else url
        self._schemas = url.path.parent / "schemas" if url.path else None
        self._standing: dict[str, Standing] = {}
        self._standing_metrics = StandingMetrics()
        self.database = url.database
        self.away = away
        self._clock = clock
        self._lateness = Lateness(None if url.path else begins, clock)
        # A server is written to by all signals at once: its handle keeps nothing between two requests.
        self._write_lock: AbstractContextManager[object] = Lock() if url.path else nullcontext()
        self._closed = False
        self._columns: dict[str, dict[str, str]] = {}
        self._readers: LifoQueue[Client | None] = LifoQueue()
        for _ in range(READERS):
            self._readers.put(None)
        if away is None:
            self.open()

    def open(self) -> None:
        """Open the write handle, and make the database. Raises a Fault."""
        url = self.url
        self._writer = connect(url, None if url.path else write_settings(url.cluster))
        self._server_inserts = ServerInserts(self._writer, url.cluster, self._clock, self._lateness)
        try:
            self._say(f"create database if not exists {url.database}")
            self._use(self._writer)
        except ClickHouseError as e:
            self._writer.close()
            raise fault_of(e, url) from None
        self.away = None

    def _new_writer(self) -> Client:
        client = connect(self.url, None)
        with self._named():
            self._use(client)
        return client

    @property
    def embedded(self) -> bool:
        """True for the engine in this process, False for a server."""
        return self.url.path is not None

    @property
    def late_s(self) -> float:
        """How late what was sent may yet begin, apart from the time on its way; 0 of an embedded engine."""
        return 0.0 if self.embedded else self._lateness.now_s

    @property
    def version(self) -> str:
        """The engine's version, such as 26.9.2.1; '' while it is away."""
        return "" if self.away else str(self._writer.server_version)

    @property
    def _read_settings(self) -> dict[str, Any]:
        more = QUICK if self.embedded else SHARD_SETTINGS if self.url.cluster else {}
        return {**READ_SETTINGS, **more}

    def _use(self, client: Client) -> None:
        if self.embedded:
            client.command(f"use {self.database}")
        client.database = self.database

    @contextmanager
    def reader(self) -> Iterator[Client]:
        """A read handle of the pool, the one that was used last; waits when all are taken. One is opened when
        no open one is free, as that takes longer than most questions. It is discarded after an error.

        Raises StoreUnreachable once the store is closed, also in those who wait, and while it is away.
        """
        self._refuse_away()
        client = self._readers.get()
        if self._closed:
            self._readers.put(client)
            raise StoreUnreachable(f"the store at {self.url} is closed", hint=RESTART)
        try:
            if client is None:
                client = connect(self.url, self._read_settings)
                self._use(client)
            yield client
        except BaseException:
            if client is not None:
                client.close()
            client = None
            raise
        finally:
            self._readers.put(client)

    def _refuse_away(self) -> None:
        if self.away:
            raise StoreUnreachable(self.away.message, hint=self.away.hint, reason=self.away.reason)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The write handle may be used, the embedded engine's by one at a time; what it raises is ours."""
        with self._write_lock, self._named():
            self._refuse_away()
            yield

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Turns a client's exceptions into ours."""
        try:
            yield
        except (ClickHouseError, OSError) as e:
            raise fault_of(e, self.url) from e

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows that a query gives, as dictionaries in column order."""
        with self.reader() as client, self._named():
            return list(client.query(sql, parameters=dict(parameters or {})).named_results())

    def value(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """The first value of the first row, None when there is no row."""
        rows = self.rows(sql, parameters)
        return next(iter(rows[0].values())) if rows else None

    def answers(self) -> None:
        """Returns when questions are answered, the collector's own and those of strangers. Raises a Fault."""
        self.value("select 1")
        if self.embedded:
            self.reads().text("select 1")

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that changes something; on a cluster, on all of its servers."""
        with self._writing():
            self._say(sql, parameters)

    def _say(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        cluster = self.url.cluster
        for statement in clustered(sql, cluster, self.database) if cluster else (sql,):
            self._writer.command(statement, parameters=dict(parameters or {}))

    def stored(self, table: str) -> str:
        """The name of the table that holds a table's rows: of one that is cut into shards another."""
        return f"{table}{LOCAL}" if self.url.cluster and table in SHARDED else table

    def commands(self, statements: Sequence[str]) -> None:
        """Run statements one after the other; embedded, with no write of this process between them."""
        with self._writing():
            for sql in statements:
                self._writer.command(sql)

    def write_value(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """The first value that a query gives, asked on the write handle: never behind a slow reader."""
        with self._writing():
            rows = self._writer.query(sql, parameters=dict(parameters or {})).result_rows
        return rows[0][0] if rows else None

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows into a small table, by column name. What all rows leave out has its default."""
        if not rows:
            return
        block = "".join(json.dumps(row, default=str) + "\n" for row in rows).encode()
        with self._writing():
            if self.embedded:
                self._writer.raw_insert(table, insert_block=block, fmt="JSONEachRow")
            else:
                types = self.columns(table)
                given = dict.fromkeys(name for row in rows for name in row)
                self._server_inserts.insert_rows(table, {name: types[name] for name in given}, block)

    def columns(self, table: str) -> Mapping[str, str]:
        """A table's column names, in their order, and types. Asked once: a table changes before it is
        filled."""
        if table not in self._columns:
            rows = self.rows(
                "select name, type from system.columns where database = currentDatabase()"
                " and table = {table:String} order by position",
                {"table": table},
            )
            if not rows:
                raise StoreRefused(f"the store has no table {table}", hint=RESTART, code=60)
            self._columns[table] = {str(row["name"]): str(row["type"]) for row in rows}
        return self._columns[table]

    def insert_standing(self, stands: Statements, file: Path, items: int, messages: Messages) -> bool:
        """Insert a file of as many items by the insert that stands open; False when it has to be inserted by
        a statement of its own."""
        standing = self._standing.get(stands.coming)
        if standing is None:
            read, schema = self._read_of(Path(PIPE), messages)
            stands = replace(
                stands,
                requests=stands.requests.replace("{source}", read),
                open=f"{stands.open}\nsettings {schema}",
            )
            standing = Standing(self, self._new_writer, stands, self._standing_metrics)
            self._standing[stands.coming] = standing
        return standing.takes(file, items)

    @property
    def standing(self) -> Sequence[Standing]:
        """Its inserts that may stand open."""
        return list(self._standing.values())

    def measure(self, registry: CollectorRegistry) -> None:
        """Register what becomes of inserts that stand open."""
        self._standing_metrics.measure(
            registry, lambda state: sum(one.state is state for one in self.standing)
        )

    def insert_messages(self, insertion: Insertion, file: Path, messages: Messages) -> None:
        """Insert a file of length-delimited protobuf messages, which stand for `{source}`."""
        structure = quoted(messages.structure)
        with self._writing():
            if self.embedded:
                self._insert_file(insertion, *self._read_of(file, messages))
                return
            schema = (
                "format_schema_source = 'string', format_schema_message_name = 'Request',"
                f" format_schema = {quoted(messages.schema)}"
            )
            (whole,) = insertion.statements
            self._server_inserts.insert(whole.replace("{source}", f"input({structure})"), file, schema)

    def refuse_while_due(self, file: Path, *, left: bool) -> None:
        """Raises a Fault while an insert that failed may yet leave rows, or one of an earlier process when it
        has `left` the file."""
        if not self.embedded:
            with self._writing():
                self._server_inserts.refuse_while_due(file, left=left)

    def _read_of(self, file: Path, messages: Messages) -> tuple[str, str]:
        """What reads a file here, and the setting that says how."""
        assert self._schemas is not None
        named = f"{schema_file(self._schemas, messages.schema)}:Request"
        source = f"file({quoted(str(file))}, Protobuf, {quoted(messages.structure)}, none)"
        return source, f"format_schema = {quoted(named)}"

    def _insert_file(self, insertion: Insertion, source: str, schema: str) -> None:
        first, *rest = insertion.statements
        for tidy in insertion.tidy:
            self._writer.command(tidy)
        try:
            self._writer.command(f"{first.replace('{source}', source)}\nsettings {schema}")
            for statement in rest:
                self._writer.command(statement)
        finally:
            for tidy in insertion.tidy:
                with suppress(ClickHouseError):
                    self._writer.command(tidy)

    def reads(self) -> Reads:
        """Read-only access for the questions of strangers: handles apart from all others."""
        if self.url.path is not None:
            return EmbeddedReads(self.url.path, self.database)
        return ServerReads(self.url)

    def close(self) -> None:
        """Close every handle. The embedded engine finishes what it writes; a server that is silent is not
        waited for. Closed twice is closed."""
        for standing in self.standing:
            standing.close()
        with suppress(Empty):
            for _ in range(0 if self._closed else READERS):
                client = self._readers.get(timeout=None if self.embedded else LEAVES_S)
                if client is not None:
                    client.close()
        self._closed = True
        self._readers.put(None)  # wakes one who waits, who wakes the next
        if not self.away:
            self._writer.close()
