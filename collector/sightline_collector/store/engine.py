"""The one seam to ClickHouse: the embedded engine or a server, behind the same few verbs.

Embedded, every handle of this process shares one engine; writes go through one handle, reads through a
small pool, so that readers never starve the writer. Nothing here may be used after a fork.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from sightline_collector.errors import Fault, FolderInUse, FolderUnusable, StoreRefused, StoreUnreachable
from sightline_collector.sql.catalog import DATA, quoted
from sightline_collector.sql.cluster import LOCAL, SHARDED, clustered
from sightline_collector.sql.cluster import READ_SETTINGS as SHARD_SETTINGS
from sightline_collector.store.embedded_reads import QUICK, EmbeddedReads
from sightline_collector.store.reads import Reads
from sightline_collector.store.schema_file import schema_file
from sightline_collector.store.server_insert import ServerInserts, insert_rows, write_settings
from sightline_collector.store.server_reads import ServerReads
from sightline_collector.store.staging import Insertion
from sightline_collector.store.url import StoreUrl

READERS = 4
"""Handles that read at once: more of them starve the writer on two cores."""

ENGINE_OPTIONS = {
    # The engine's own defaults are for a machine of its own: 5 GiB of caches, 0.9 of the memory.
    "mark_cache_size": 64 << 20,
    "index_mark_cache_size": 16 << 20,
    "primary_index_cache_size": 64 << 20,
    "uncompressed_cache_size": 0,
    "max_server_memory_usage": 1500 << 20,
    "background_pool_size": 2,
    "background_schedule_pool_size": 4,
    # The engine looks at its own memory ten times a second by default: a fifth of what an idle one spends.
    "memory_worker_period_ms": 500,
    "config-file": str(DATA / "engine.xml"),
}
READ_SETTINGS = {"max_threads": 2, "max_memory_usage": 800 << 20}

ANSWER_S = 60
"""A server that has not answered by then is asked again: nothing here takes so long."""

LEAVES_S = 1.0
"""How long a reader may take to hand its handle back when the store is closed."""

WRONG_CREDENTIALS = {193, 194, 516}
CANNOT_OPEN, LOCKED = 76, "server instance"
"""What the engine says of a folder that another has; of any file without the words."""
ONE_PROCESS = "stop the other collector, or give this one a folder of its own with --store chdb:FOLDER"
OTHER_FOLDER = "make it a folder that this user may write, or choose another with --store chdb:FOLDER"
START_IT = "start it, or correct the address; chdb:./sightline-data needs no server"
NO_PATTERN = "choose a folder without any of * ? { } in its path"
RESTART = "restart the collector: it makes what is missing"
CHECK_LOGIN = "check the user and password in the store's address"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Messages:
    """How to read a file of protobuf messages: their .proto text, whose message is `Request`, and columns."""

    schema: str
    structure: str


class Engine:
    """A store that is open, or `away`: then whatever is asked of it raises why, until `open()`.

    `close()` it before the process ends. `clock`: seconds that only grow.
    """

    def __init__(
        self, url: StoreUrl, clock: Callable[[], float] = time.monotonic, *, away: Fault | None = None
    ) -> None:
        self.url = url
        self.database = url.database
        self.away = away
        self._clock = clock
        # A server is written to by all signals at once: its handle keeps nothing between two requests.
        self._write_lock: AbstractContextManager[object] = Lock() if url.path else nullcontext()
        self._closed = False
        self._columns: dict[str, tuple[str, ...]] = {}
        self._readers: SimpleQueue[Client | None] = SimpleQueue()
        for _ in range(READERS):
            self._readers.put(None)
        if away is None:
            self.open()

    def open(self) -> None:
        """Open the write handle, and make the database. Raises a Fault."""
        url = self.url
        self._writer = _connect(url, None if url.path else write_settings(url.cluster))
        self._server_inserts = ServerInserts(self._writer, url.cluster, self._clock)
        try:
            self._say(f"create database if not exists {url.database}")
            self._use(self._writer)
        except ClickHouseError as e:
            self._writer.close()
            raise fault_of(e, url) from None
        self.away = None

    @property
    def embedded(self) -> bool:
        """True for the engine in this process, False for a server."""
        return self.url.path is not None

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
        """A read handle of the pool; waits when all are taken. It is discarded after an error.

        Raises StoreUnreachable once the store is closed, also in those who wait, and while it is away.
        """
        self._refuse_away()
        client = self._readers.get()
        if self._closed:
            self._readers.put(client)
            raise StoreUnreachable(f"the store at {self.url} is closed", hint=RESTART)
        try:
            if client is None:
                client = _connect(self.url, self._read_settings)
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
        """Insert rows into a small table, by column name."""
        if not rows:
            return
        block = "".join(json.dumps(row, default=str) + "\n" for row in rows).encode()
        with self._writing():
            if self.embedded:
                self._writer.raw_insert(table, insert_block=block, fmt="JSONEachRow")
            else:
                insert_rows(self._writer, table, block)

    def columns(self, table: str) -> tuple[str, ...]:
        """A table's column names, in their order. Asked once: a table changes before it is filled."""
        if table not in self._columns:
            rows = self.rows(
                "select name from system.columns where database = currentDatabase()"
                " and table = {table:String} order by position",
                {"table": table},
            )
            if not rows:
                raise StoreRefused(f"the store has no table {table}", hint=RESTART, code=60)
            self._columns[table] = tuple(str(row["name"]) for row in rows)
        return self._columns[table]

    def insert_messages(self, insertion: Insertion, file: Path, messages: Messages) -> None:
        """Insert a file of length-delimited protobuf messages, which stand for `{source}`."""
        structure = quoted(messages.structure)
        with self._writing():
            if self.embedded:
                self._insert_file(
                    insertion, f"file({quoted(str(file))}, Protobuf, {structure}, none)", messages
                )
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

    def _insert_file(self, insertion: Insertion, source: str, messages: Messages) -> None:
        assert self.url.path is not None
        named = f"{schema_file(self.url.path.parent / 'schemas', messages.schema)}:Request"
        schema = f"format_schema = {quoted(named)}"
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
        with suppress(Empty):
            for _ in range(0 if self._closed else READERS):
                client = self._readers.get(timeout=None if self.embedded else LEAVES_S)
                if client is not None:
                    client.close()
        self._closed = True
        self._readers.put(None)  # wakes one who waits, who wakes the next
        if not self.away:
            self._writer.close()


def _connect(url: StoreUrl, given: Mapping[str, Any] | None) -> Client:
    settings = {"session_timezone": "UTC", **(given or {})}
    try:
        if url.path is not None:
            return _embedded(url.path, settings)
        return clickhouse_connect.get_client(
            host=url.host,
            port=url.port,
            username=url.user,
            password=url.password,
            secure=url.secure,
            settings=settings,
            autogenerate_session_id=False,
            connect_timeout=5,
            query_retries=0,  # what is to be tried again is decided above, after a count
            send_receive_timeout=ANSWER_S,
        )
    except (ClickHouseError, OSError) as e:
        raise fault_of(e, url) from None


def _embedded(path: Path, settings: Mapping[str, Any] | None) -> Client:
    refuse_pattern(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        (path / "writable").touch()
        (path / "writable").unlink()
    except OSError as e:
        raise FolderUnusable(f"{path} cannot be used ({e.strerror})", hint=OTHER_FOLDER) from None
    _load_engine()
    return clickhouse_connect.get_client(
        interface="chdb", path=str(path), settings=dict(settings or {}), chdb_options=ENGINE_OPTIONS
    )


def refuse_pattern(path: Path) -> None:
    """Raises FolderUnusable for a folder whose files the engine could not name."""
    if set("*?{}") & set(str(path)):
        raise FolderUnusable(f"{path} would be read as a pattern of names", hint=NO_PATTERN)


def _load_engine() -> None:
    """Import chdb, without pyarrow unless it is here already: chdb would load it for the sake of data frames,
    and with it numpy, which takes a quarter of a second and 45 MB."""
    if {"chdb", "pyarrow"} & sys.modules.keys():
        return
    sys.modules["pyarrow"] = None  # type: ignore[assignment]
    try:
        import_module("chdb.state")
    finally:
        del sys.modules["pyarrow"]


def fault_of(error: Exception, url: StoreUrl) -> Fault:
    """A client's exception as ours: the engine's code when it answered, unreachable when it did not."""
    text = str(error)
    found = re.search(r"Code: (\d+)", text)
    if found is None:
        return StoreUnreachable(f"the store at {url} does not answer ({_cause(text, url)})", hint=START_IT)
    code = int(found[1])
    if code == CANNOT_OPEN and LOCKED in text and url.path is not None:
        return FolderInUse(f"another process has {url.path} open", hint=ONE_PROCESS)
    hint = CHECK_LOGIN if code in WRONG_CREDENTIALS else f"see the engine's error {code}"
    return StoreRefused(f"the store at {url} refused: {text[found.start() :][:500]}", hint=hint, code=code)


def _cause(text: str, url: StoreUrl) -> str:
    """What lies at the bottom of a client's nested words."""
    if "NameResolutionError" in text:
        return f"no host is called {url.host!r}"
    found = re.search(r"\[Errno -?\d+\] ([\w ]+)", text)
    return found[1] if found else text[:300]
