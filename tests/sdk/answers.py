"""A collector that answers as a test wants, and what is sent to it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext
from served import served

from sightline._delivery.destination import Destination, Route
from sightline._delivery.sender import Sender
from sightline._outgoing import Draft


class Answers(BaseHTTPRequestHandler):
    """Answers as the test wants; keeps the bodies."""

    protocol_version = "HTTP/1.1"
    status, headers_sent, once, said = 200, {}, False, b""  # type: ignore[var-annotated]
    bodies: list[tuple[str | None, bytes]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.bodies.append((self.headers.get("content-encoding"), body))
        self.send_response(self.status)
        for name, value in {"content-length": str(len(self.said)), **self.headers_sent}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.said)
        self.close_connection = self.once  # without saying so

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def answering() -> Iterator[type[Answers]]:
    """A server on a free port; what is set on the class is what it answers next."""
    handler = type("Handler", (Answers,), {"bodies": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with served(server) as address:
        handler.url = f"http://{address}/v1/traces"  # type: ignore[attr-defined]
        try:
            yield handler
        finally:
            while _opened:
                _opened.pop().close()


def drafts(count: int, note: str = "") -> list[Draft]:
    """Spans s0, s1, ... ready to be sent."""
    ids, resource = SpanContext(1, 2, is_remote=False), Resource.get_empty()
    spans = [ReadableSpan(f"s{n}", ids, resource=resource, attributes={"note": note}) for n in range(count)]
    return [Draft.of(span) for span in spans]


def sender(url: str, **route: Any) -> Sender:
    """A sender to this URL, of both signals; closed with the server that answers."""
    way = Route(url, **route)
    _opened.append(Sender(Destination(way, way)))
    return _opened[-1]


_opened: list[Sender] = []


@contextmanager
def talking(
    say: Callable[[socket.socket, threading.Event], object], host: str = "127.0.0.1"
) -> Iterator[int]:
    """A port where every connection is handled by `say`, which is told when the test is over."""
    over, threads = threading.Event(), []
    family = socket.AF_INET6 if ":" in host else socket.AF_INET

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            say(connection, over)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threads.append(threading.Thread(target=serve, args=(listening.accept()[0],)))
                threads[-1].start()

    with socket.create_server((host, 0), family=family) as listening:
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()
