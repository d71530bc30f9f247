"""A collector that takes spans and counts them, as a process of its own: its CPU is nobody's.

    POST …/v1/traces     OTLP over HTTP, under whatever prefix; OTLP over gRPC has a port of its own
    POST …/spans/batch   Opik's own JSON
    anything else        is welcome and counts for nothing: metrics, pings, envelopes of spans

A span counts once, however often it is sent, and when it has ended. Requests can be made to take time.
"""

from __future__ import annotations

import gzip
import json
import multiprocessing
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PENDING = ("logfire.span_type", "pending_span")
"""Logfire may announce a span when it starts, as a span of its own."""
GRPC_THREADS = 8
WELCOME = b'{"project_name": "bench", "project_url": "http://127.0.0.1"}'
"""What Logfire wants to hear of its token; all others take any JSON."""


@dataclass(frozen=True, slots=True)
class Sink:
    """A running sink: its base URL, and its port for gRPC."""

    url: str
    grpc_port: int

    def spans(self) -> int:
        """How many it has taken so far."""
        with urllib.request.urlopen(f"{self.url}/-/spans") as answer:
            return int(json.load(answer))

    def take_time(self, seconds: float) -> None:
        """Make each request from now on take so long."""
        urllib.request.urlopen(f"{self.url}/-/delay", json.dumps(seconds).encode()).close()


@contextmanager
def running() -> Iterator[Sink]:
    """A sink in a process of its own, ended afterwards."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Connection) -> None:
    """Sends where it listens, and serves until the process is ended."""
    over_grpc = grpc.server(ThreadPoolExecutor(GRPC_THREADS))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(_TraceService(), over_grpc)
    grpc_port = over_grpc.add_insecure_port("127.0.0.1:0")
    over_grpc.start()
    over_http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    pipe.send(Sink(f"http://127.0.0.1:{over_http.server_port}", grpc_port))
    over_http.serve_forever()


class _Taken:
    """The spans that came, by their ids."""

    def __init__(self) -> None:
        self._ids: set[bytes | str] = set()
        self._lock = threading.Lock()
        self.delay_s = 0.0

    def add(self, ids: Iterable[bytes | str]) -> None:
        with self._lock:
            self._ids.update(ids)

    def __len__(self) -> int:
        return len(self._ids)


_taken = _Taken()


class _TraceService(trace_service_pb2_grpc.TraceServiceServicer):
    def Export(
        self, request: ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> ExportTraceServiceResponse:
        """Takes one request."""
        time.sleep(_taken.delay_s)
        _taken.add(_ids(request))
        return ExportTraceServiceResponse()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Takes one request of whatever signal."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/-/delay":
            _taken.delay_s = float(json.loads(body))
            return self._answer(b"")
        time.sleep(_taken.delay_s)
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if self.path.endswith("/v1/traces"):
            _taken.add(_ids(ExportTraceServiceRequest.FromString(body)))
            return self._answer(b"", "application/x-protobuf")
        if self.path.endswith("/spans/batch"):
            _taken.add(_ended(json.loads(body)["spans"]))
        return self._answer(WELCOME)

    def do_GET(self) -> None:
        """Says how many spans it has taken; to any other question, that all is well."""
        self._answer(json.dumps(len(_taken)).encode() if self.path == "/-/spans" else WELCOME)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def _answer(self, body: bytes, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _ids(request: ExportTraceServiceRequest) -> Iterable[bytes]:
    spans = (span for each in request.resource_spans for scope in each.scope_spans for span in scope.spans)
    return [span.trace_id + span.span_id for span in spans if not _is_pending(span)]


def _is_pending(span: Span) -> bool:
    return any((pair.key, pair.value.string_value) == PENDING for pair in span.attributes)


def _ended(spans: list[dict[str, Any]]) -> Iterable[str]:
    return [span["id"] for span in spans if span.get("end_time")]
