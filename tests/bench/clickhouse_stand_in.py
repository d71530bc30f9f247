"""Takes a ClickHouse exporter's inserts over HTTP and puts them into the embedded engine.

    python -m tests.bench.clickhouse_stand_in FOLDER

Prints its port. `POST /?query=INSERT ... FORMAT RowBinary` is answered when the body is here, as asynchronous
inserts are that nobody waits for, and inserted in its turn; any other query is answered from the engine.
The engine and its options are Sightline's own; the tables are those of the OpenTelemetry Collector's
clickhouseexporter, with its codecs, indexes and lookup of trace ids, and without syncs, as it makes them.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from urllib.parse import parse_qs, urlsplit

from sightline_collector.store.engine import Engine
from sightline_collector.store.url import StoreUrl

MEMORY = Path("/dev/shm")

TABLES = (
    """create table otel_traces (
    Timestamp DateTime64(9) codec(Delta, ZSTD(1)), TraceId String codec(ZSTD(1)),
    SpanId String codec(ZSTD(1)), ParentSpanId String codec(ZSTD(1)), TraceState String codec(ZSTD(1)),
    SpanName LowCardinality(String) codec(ZSTD(1)), SpanKind LowCardinality(String) codec(ZSTD(1)),
    ServiceName LowCardinality(String) codec(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) codec(ZSTD(1)),
    ScopeName String codec(ZSTD(1)), ScopeVersion String codec(ZSTD(1)),
    SpanAttributes Map(LowCardinality(String), String) codec(ZSTD(1)),
    Duration UInt64 codec(ZSTD(1)), StatusCode LowCardinality(String) codec(ZSTD(1)),
    StatusMessage String codec(ZSTD(1)),
    Events Nested (Timestamp DateTime64(9), Name LowCardinality(String),
        Attributes Map(LowCardinality(String), String)) codec(ZSTD(1)),
    Links Nested (TraceId String, SpanId String, TraceState String,
        Attributes Map(LowCardinality(String), String)) codec(ZSTD(1)),
    index idx_trace_id TraceId type bloom_filter(0.001) granularity 1,
    index idx_res_attr_key mapKeys(ResourceAttributes) type bloom_filter(0.01) granularity 1,
    index idx_res_attr_value mapValues(ResourceAttributes) type bloom_filter(0.01) granularity 1,
    index idx_span_attr_key mapKeys(SpanAttributes) type bloom_filter(0.01) granularity 1,
    index idx_span_attr_value mapValues(SpanAttributes) type bloom_filter(0.01) granularity 1,
    index idx_duration Duration type minmax granularity 1)
engine = MergeTree partition by toDate(Timestamp)
order by (ServiceName, SpanName, toDateTime(Timestamp))
settings index_granularity = 8192, ttl_only_drop_parts = 1""",
    """create table otel_traces_trace_id_ts (
    TraceId String codec(ZSTD(1)), Start DateTime codec(Delta, ZSTD(1)), End DateTime codec(Delta, ZSTD(1)),
    index idx_trace_id TraceId type bloom_filter(0.01) granularity 1)
engine = MergeTree partition by toDate(Start) order by (TraceId, Start)
settings index_granularity = 8192, ttl_only_drop_parts = 1""",
    """create materialized view otel_traces_trace_id_ts_mv to otel_traces_trace_id_ts as
select TraceId, min(Timestamp) as Start, max(Timestamp) as End from otel_traces
where TraceId != '' group by TraceId""",
)


class Handler(BaseHTTPRequestHandler):
    """One exporter's connection."""

    protocol_version = "HTTP/1.1"
    rbufsize = 1 << 20
    engine: Engine
    folder: Path
    inserts: SimpleQueue[tuple[str, Path]]
    numbers = count()

    def do_POST(self) -> None:
        """Insert or answer."""
        query = parse_qs(urlsplit(self.path).query).get("query", [""])[0]
        if query.upper().startswith("INSERT") and query.endswith(" FORMAT RowBinary"):
            self._insert(query.removesuffix(" FORMAT RowBinary"))
            self._answer("")
        else:
            self._answer(f"{self.engine.value(query or self._body().decode())}\n")

    def _insert(self, into: str) -> None:
        file = self.folder / f"{next(self.numbers)}.rows"
        file.write_bytes(self._body())
        self.inserts.put((into, file))

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers["Content-Length"]))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: it would be measured."""


def insert_all(engine: Engine, inserts: SimpleQueue[tuple[str, Path]]) -> None:
    """One after the other, for ever."""
    while True:
        into, file = inserts.get()
        engine.command(f"{into} from infile '{file}' format RowBinary")
        file.unlink()


def main(store: Path) -> None:
    """Serve until ended."""
    engine = Engine(StoreUrl(store, "", 0, "", "", "otel", secure=False))
    for table in TABLES:
        engine.command(table)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        Handler.engine, Handler.folder, Handler.inserts = engine, Path(folder), SimpleQueue()
        threading.Thread(target=insert_all, args=(engine, Handler.inserts), daemon=True).start()
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
