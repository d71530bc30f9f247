"""An OTLP/HTTP collector that keeps what it is sent, byte for byte."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SIGNALS = ("traces", "logs", "metrics")


@dataclass
class Received:
    """The bodies of the requests, unpacked, by signal. `url` is what OTEL_EXPORTER_OTLP_ENDPOINT takes."""

    url: str = ""
    bodies: dict[str, list[bytes]] = field(default_factory=lambda: {signal: [] for signal in SIGNALS})


class _Sink(BaseHTTPRequestHandler):
    """Keeps the bodies of requests to any address that ends in a signal's name."""

    protocol_version = "HTTP/1.1"

    def __init__(self, received: Received, *connection: Any) -> None:
        self.received = received
        super().__init__(*connection)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self.answer(b"{}")

    def do_POST(self) -> None:
        body = b"".join(self.pieces())
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        signal = self.path.rpartition("/")[2]
        if signal in SIGNALS:
            self.received.bodies[signal].append(body)
        self.answer(b"" if signal in SIGNALS else b"{}")

    def pieces(self) -> Iterator[bytes]:
        """The body, which Node's exporter sends in chunks."""
        if self.headers.get("transfer-encoding") != "chunked":
            yield self.rfile.read(int(self.headers.get("content-length", 0)))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def otlp_sink() -> Iterator[Received]:
    """On a free port, at any address that ends in a signal's name: some dialects have their own in front."""
    received = Received()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Sink, received))
    received.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
