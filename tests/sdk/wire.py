"""A model's server that says the bytes it is told to say, and the framings of the providers' protocols."""

import json
import struct
from binascii import crc32
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from served import served

JSON = "application/json"
SSE = "text/event-stream"
NDJSON = "application/x-ndjson"
AWS = "application/vnd.amazon.eventstream"


@dataclass
class Wire:
    """Answers every request with these frames, as one body of this type; None cuts the connection."""

    url: str = ""
    content_type: str = JSON
    frames: Sequence[bytes | None] = field(default_factory=list)

    def says(self, body: Any) -> "Wire":
        """One whole JSON document."""
        self.content_type, self.frames = JSON, [json.dumps(body).encode()]
        return self

    def streams(self, content_type: str, events: Sequence[Any], *, cut: bool = False) -> "Wire":
        """A stream of events, broken off after the last one if `cut`."""
        framed: list[bytes | None] = [_FRAMES[content_type](event) for event in events]
        ending: list[bytes | None] = [None] if cut else [b"data: [DONE]\n\n"] if _has_done(events) else []
        self.content_type, self.frames = content_type, framed + ending
        return self


def serving() -> Iterator[Wire]:
    """A server on a free port."""
    wire = Wire()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", wire.content_type)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for frame in wire.frames:
                if frame is None:
                    self.close_connection = True
                    return
                self.wfile.write(b"%x\r\n%s\r\n" % (len(frame), frame))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with served(server) as address:
        wire.url = f"http://{address}"
        yield wire


def _sse(event: dict[str, Any]) -> bytes:
    """Events that have a type are named by it."""
    head = f"event: {event['type']}\n" if "type" in event else ""
    return f"{head}data: {json.dumps(event)}\n\n".encode()


def _ndjson(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode() + b"\n"


def _aws(event: dict[str, Any]) -> bytes:
    """One message of Amazon's event stream: lengths, checksum, headers, JSON, checksum."""
    ((kind, body),) = event.items()
    headers = b"".join(
        struct.pack("!B", len(name)) + name + struct.pack("!BH", 7, len(value)) + value
        for name, value in (
            (b":event-type", kind.encode()),
            (b":content-type", JSON.encode()),
            (b":message-type", b"event"),
        )
    )
    payload = json.dumps(body).encode()
    lengths = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    message = lengths + struct.pack("!I", crc32(lengths)) + headers + payload
    return message + struct.pack("!I", crc32(message))


def _has_done(events: Sequence[Any]) -> bool:
    return bool(events) and "choices" in events[-1]


_FRAMES = {SSE: _sse, NDJSON: _ndjson, AWS: _aws}
