"""A collector's SQL port on loopback, as far as budgets are concerned; it can fall silent, or refuse."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from served import served


@dataclass
class SqlPort:
    """Answers each question with `rows`; `answers` are how many it has sent; the last one's credentials."""

    url: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    answers: int = 0
    authorization: str = ""
    silent: threading.Event = field(default_factory=threading.Event)


def sql_port() -> Iterator[SqlPort]:
    """One on a free port."""
    port = SqlPort()
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            while port.silent.is_set() and not over.wait(0.005):
                pass
            body = "".join(json.dumps(row) + "\n" for row in port.rows).encode()
            port.answers += 1
            port.authorization = self.headers.get("authorization", "")
            self.send_response(port.status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that hangs up early is part of the tests."""

    with served(Server(("127.0.0.1", 0), Handler)) as address:
        port.url = f"http://{address}"
        try:
            yield port
        finally:
            over.set()
