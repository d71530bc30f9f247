"""A real webhook on a local port: keeps what is posted to it, and answers as told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import Any

from served import served


class Webhook:
    """Posts so far, and the status of each answer to come: 204 when none is left."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.arrived = Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    @property
    def address(self) -> str:
        """As a budget is given it; the path is a secret."""
        return f"json://127.0.0.1:{self.server.server_port}/s3cret-token"

    @property
    def shown(self) -> str:
        """As people see it."""
        return f"json://127.0.0.1:{self.server.server_port}/***"

    def titles(self) -> list[str]:
        """The titles of the posts."""
        return [post["title"] for post in self.posts]


@contextmanager
def listening() -> Iterator[Webhook]:
    """A webhook that listens inside the block."""
    hook = Webhook()
    with served(hook.server):
        yield hook


def _handler(hook: Webhook) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = hook.answers.pop(0) if hook.answers else 204
            if status < 300:
                hook.posts.append(json.loads(body))
                hook.arrived.set()
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler
