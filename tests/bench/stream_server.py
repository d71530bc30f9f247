"""A model server that streams to a timetable and says when it wrote the first words: tests.bench.streams.

    headers and the head chunk   0.15 s after the request      (a role, no words)
    first words                  0.35 s
    last words, usage, the end   0.55 s

The clock is the machine's monotonic one, which all processes share.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

HEAD_S, FIRST_S, STEP_S, STEPS = 0.15, 0.35, 0.02, 10

Event = tuple[str, dict[str, Any]]

_USAGE: Final = {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}
_MESSAGE: Final = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [],
    "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1000, "output_tokens": 1},
}  # fmt: skip


def _chat(number: int | None) -> Event:
    """The head, the words number so and so, or (-1) the end of a chat completion."""
    delta: dict[str, Any] = {"role": "assistant", "content": ""} if number is None else {"content": "word "}
    end = number == -1
    choice = {"index": 0, "delta": {} if end else delta, "finish_reason": "stop" if end else None}
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini"}
    return "", {**chunk, "choices": [choice], **({"usage": _USAGE} if end else {})}


def _message(number: int | None) -> Event:
    if number is None:
        return "message_start", {"type": "message_start", "message": _MESSAGE}
    if number == -1:
        usage = {"output_tokens": 50}
        return "message_delta", {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": usage,
        }
    delta = {"type": "text_delta", "text": "word "}
    return "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}


class Handler(BaseHTTPRequestHandler):
    """Speaks as OpenAI's chat and Anthropic's messages; `/truth` tells when words were first written."""

    protocol_version = "HTTP/1.1"
    truth_ns = 0

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        body = str(Handler.truth_ns).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        began = time.perf_counter()
        self.rfile.read(int(self.headers["content-length"]))
        self._until(began + HEAD_S)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for event in self._events(began):
            self._write(event)
        self.close_connection = True

    def _events(self, began: float) -> Iterator[Event]:
        """The stream, each event when its time has come."""
        anthropic = self.path.endswith("/messages")
        spoken = _message if anthropic else _chat
        yield spoken(None)
        if anthropic:
            block = {"type": "text", "text": ""}
            yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": block}
        for number in range(STEPS):
            self._until(began + FIRST_S + number * STEP_S)
            if number == 0:
                Handler.truth_ns = time.perf_counter_ns()
            yield spoken(number)
        if anthropic:
            yield "content_block_stop", {"type": "content_block_stop", "index": 0}
        yield spoken(-1)
        if anthropic:
            yield "message_stop", {"type": "message_stop"}

    def _write(self, event: Event) -> None:
        name, data = event
        head = f"event: {name}\n" if name else ""
        self.wfile.write(f"{head}data: {json.dumps(data)}\n\n".encode())
        self.wfile.flush()

    def _until(self, moment: float) -> None:
        time.sleep(max(0.0, moment - time.perf_counter()))


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    sys.stdin.close()
    server.serve_forever()
