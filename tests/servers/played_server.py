"""A ClickHouse server, played by the embedded engine: its HTTP protocol, and statements that write, too.

    python -m servers.played_server FOLDER [--user NAME --password TEXT] [--shards]

In tests/. Prints its port. What a client can see is the engine's: rows, errors with their codes, read-only
questions. Of a server's own behaviour it has what a collector's promises rest on: it inserts only a body that
is whole, it goes on with an insert whose client has left, and refuses a statement of the same query id
meanwhile. `input()`, which the embedded engine lacks, becomes a file; settings of the request become its
handle's.
"""

from __future__ import annotations

import argparse
import base64
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

from servers.played_shards import DATABASE, on_shards, open_on_shards

from sightline_collector.store.engine import Engine
from sightline_collector.store.url import StoreUrl

INSERTED = re.compile(rb"\sformat (\w+)\n", re.IGNORECASE)
"""Where an insert's statement ends and its rows begin."""

NOT_SETTINGS = {
    "query", "database", "query_id", "default_format", "user", "password", "session_id", "quota_key",
    "client_protocol_version", "wait_end_of_query", "enable_http_compression", "compress", "decompress",
    "send_progress_in_http_headers", "http_headers_progress_interval_ms", "role", "async_insert",
    "cancel_http_readonly_queries_on_client_close",
}  # fmt: skip
"""Parameters of the transport, and settings that mean nothing within one process."""

STATUS = {60: 404, 81: 404, 516: 403, 497: 403, 164: 403, 62: 400, 216: 500}
PROCESSES, OF_PROCESSES = "system.processes", "initial_query_id String, elapsed Float64"
FIELD_BYTES = 128 << 10
"""A server takes no longer statement or parameter in a form (http_max_field_value_size)."""
EMPTY = "\0"
"""An empty setting as the engine's address carries it."""


class Refused(Exception):  # noqa: N818 - it is what the server says
    """An error in the engine's words."""

    def __init__(self, code: int, words: str, name: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {words} ({name}) (version 26.9.2.1 (played))")


@dataclass
class Played:
    """What all connections share. `before_insert` is called with the statement once its body is whole;
    `said` gives what the engine is told instead of a statement."""

    folder: Path
    user: str = "default"
    password: str = ""
    before_insert: Callable[[str], None] = lambda _: None
    said: Callable[[str], str] = str
    running: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    scratch: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="played-")))

    def run(self, statement: str, rows: bytes | None, asked: dict[str, str]) -> bytes:
        """Run one statement under its id. Raises Refused, RuntimeError in the engine's words."""
        name = asked.get("query_id") or uuid4().hex
        with self.lock:
            if name in self.running:
                said = f"Query with id = {name} is already running."
                raise Refused(216, said, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING")
            self.running[name] = time.monotonic()
        try:
            if rows is None:
                return self._ask(statement, asked)
            self.before_insert(statement)
            return self._insert(statement, rows, asked)
        finally:
            with self.lock:
                del self.running[name]

    def _ask(self, statement: str, asked: dict[str, str]) -> bytes:
        import chdb

        settings = {k: v for k, v in asked.items() if k not in NOT_SETTINGS and not k.startswith("param_")}
        settings["database"] = asked.get("database") or "default"
        spelled = urlencode({key: value or EMPTY for key, value in settings.items()})
        handle: Any = chdb.connect(f"{self.folder}?{spelled}")  # type: ignore[no-untyped-call, unused-ignore]
        try:
            parameters = {k.removeprefix("param_"): v for k, v in asked.items() if k.startswith("param_")}
            said = self._with_processes(self.said(statement))
            answer = handle.query(said, asked.get("default_format", "TabSeparated"), params=parameters)
            return bytes(answer.bytes())
        finally:
            handle.close()

    def _with_processes(self, statement: str) -> str:
        """The engine knows of no statement that only waits, nor the ids that clients have given."""
        if PROCESSES not in statement:
            return statement
        with self.lock:
            rows = [f"('{name}', {time.monotonic() - began})" for name, began in self.running.items()]
        return statement.replace(PROCESSES, f"values('{OF_PROCESSES}', {', '.join(rows)})")

    def _insert(self, statement: str, rows: bytes, asked: dict[str, str]) -> bytes:
        file = self.scratch / uuid4().hex
        file.write_bytes(rows)
        head, form = statement.rsplit(None, 2)[0], statement.rsplit(None, 1)[1]
        if "input(" in head:
            text = self._with_schema_file(head) if "format_schema" in head else head
            text = text.replace("input(", f"file('{file}', {form}, ")
        else:
            text = f"{head} from infile '{file}' format {form}"
        try:
            return self._ask(text, asked)
        finally:
            file.unlink()

    def _with_schema_file(self, statement: str) -> str:
        """The embedded engine reads schemas from files, and caches them by their path."""
        found = re.search(r"format_schema = '((?:[^'\\]|\\.)*)'", statement)
        assert found
        schema = self.scratch / f"{abs(hash(found[1]))}.proto"
        if not schema.exists():
            unfinished = schema.with_suffix(f".{uuid4().hex}")
            unfinished.write_text(found[1].replace("\\'", "'").replace("\\n", "\n"))
            unfinished.rename(schema)
        named = f"format_schema = '{schema.with_suffix('')}:Request'"
        return re.sub(
            r"format_schema_(source|message_name) = '\w+', ", "", statement.replace(found[0], named)
        )


class Handler(BaseHTTPRequestHandler):
    """One client's connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rbufsize = 1 << 20
    wbufsize = 1 << 16
    played: ClassVar[Played]

    def handle(self) -> None:
        """Until the client leaves, in whatever way."""
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        """A ping, or a question in the address."""
        if "query=" in self.path:
            self.do_POST()
        else:
            self._answer(200, b"Ok.\n")

    def do_POST(self) -> None:
        """One statement."""
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        try:
            body = self._body()
        except (OSError, ValueError):
            self.close_connection = True  # cut short: nothing of it is run
            return
        try:
            self._authenticate()
            form = fields(self.headers.get("Content-Type", ""), body)
            asked |= form
            statement, rows = taken_apart(asked.get("query", ""), b"" if form else body)
            self._answer(200, self.played.run(statement, rows, asked))
        except (Refused, RuntimeError) as e:
            text = re.sub(r"^(Code: \d+\. DB::Exception: )+", r"\1", str(e))
            code = int(found[1]) if (found := re.search(r"Code: (\d+)", text)) else 0
            self._answer(STATUS.get(code, 500), f"{text}\n".encode(), code)

    def _authenticate(self) -> None:
        user, password = self.headers.get("X-ClickHouse-User"), self.headers.get("X-ClickHouse-Key", "")
        basic = self.headers.get("Authorization", "").partition(" ")[2]
        if basic:
            user, _, password = base64.b64decode(basic).decode().partition(":")
        if (user or "default", password) != (self.played.user, self.played.password):
            said = f"{user}: Authentication failed: password is incorrect, or there is no such user."
            raise Refused(516, said, "AUTHENTICATION_FAILED")

    def _body(self) -> bytes:
        """Raises ValueError when it ends before it is whole."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            length = int(self.headers.get("Content-Length", 0))
            return self._exactly(length)
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self._exactly(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise ValueError("cut short")
        return data

    def _answer(self, status: int, body: bytes, code: int = 0) -> None:
        with suppress(OSError):  # the client may have left: what it asked for is done all the same
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-ClickHouse-Timezone", "UTC")
            self.send_header("X-ClickHouse-Summary", "{}")
            if code:
                self.send_header("X-ClickHouse-Exception-Code", str(code))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
            return
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests read what is stored."""


def fields(kind: str, body: bytes) -> dict[str, str]:
    """Of a form, which clients send where parameters are long. Raises Refused when one is too long."""
    if not kind.startswith("multipart/form-data"):
        return {}
    form = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    found = {}
    for part in form.walk():
        if name := part.get_param("name", header="content-disposition"):
            found[str(name)] = bytes(part.get_payload(decode=True) or b"").decode()
    if any(len(value.encode()) > FIELD_BYTES for value in found.values()):
        raise Refused(1000, "Poco::Exception. Field value too long", "POCO_EXCEPTION")
    return found


def taken_apart(query: str, body: bytes) -> tuple[str, bytes | None]:
    """A request's statement, and the rows that an insert brings; None for any other statement."""
    if query:
        writes = query.lower().startswith("insert") and " format " in query[-40:].lower()
        return query if writes or not body else query + body.decode(), body if writes else None
    found = INSERTED.search(body) if body[:7].lower() == b"insert " else None
    if found is None:
        return body.decode(), None
    return body[: found.end(1)].decode(), body[found.end() :]


class PlayedServer:
    """A server on a free port of this machine, on a thread of its own."""

    def __init__(self, played: Played) -> None:
        self.played = played
        handler = type("Bound", (Handler,), {"played": played})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def close(self) -> None:
        """Take no more connections."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def main(arguments: list[str]) -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--user", default="default")
    parser.add_argument("--password", default="")
    parser.add_argument("--shards", action="store_true", help="play a cluster, called played")
    given = parser.parse_args(arguments)
    folder = given.folder.absolute()
    played = Played(folder, given.user, given.password)
    if given.shards:
        open_on_shards(folder)
        played.said = on_shards
    engine = Engine(StoreUrl(folder, "", 0, "", "", DATABASE, secure=False))
    server = PlayedServer(played)
    print(server.port, flush=True)
    sys.stdin.read()  # ends with who started it
    server.close()
    engine.close()


if __name__ == "__main__":
    main(sys.argv[1:])
