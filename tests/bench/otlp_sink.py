"""A collector that takes spans and counts them, as a process of its own: its CPU is nobody's."""

from __future__ import annotations

import json
import threading
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Sink:
    """A running sink, by its base URL."""

    url: str

    def spans(self) -> int:
        """How many it has taken so far."""
        with urllib.request.urlopen(f"{self.url}/spans") as answer:
            return int(json.load(answer))


def serve(pipe: Connection) -> None:
    """Sends where it listens, and serves until the process is ended."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    pipe.send(f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    taken = 0
    lock = threading.Lock()

    def do_POST(self) -> None:
        """Takes one request of whatever signal."""
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/v1/traces":
            request = ExportTraceServiceRequest.FromString(body)
            spans = sum(len(scope.spans) for each in request.resource_spans for scope in each.scope_spans)
            with self.lock:
                type(self).taken += spans
        self._answer(b"")

    def do_GET(self) -> None:
        """Says how many spans it has taken."""
        self._answer(json.dumps(type(self).taken).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
