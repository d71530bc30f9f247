"""Where the demo's alerts arrive: a webhook on a free local port that keeps what was posted to it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

MAX_BODY_BYTES: Final = 1_000_000


class AlertReceiver:
    """What arrived so far, each the JSON object that was posted."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._alerts: list[dict[str, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._keep))

    @property
    def notify_url(self) -> str:
        """The address as a budget's `--notify` takes it."""
        return f"json://127.0.0.1:{self._server.server_port}/"

    def wait(self, count: int, timeout_s: float) -> list[dict[str, Any]]:
        """The alerts, as soon as there are `count` of them or time is up."""
        with self._arrived:
            self._arrived.wait_for(lambda: len(self._alerts) >= count, timeout_s)
            return list(self._alerts)

    def _keep(self, alert: dict[str, Any]) -> None:
        with self._arrived:
            self._alerts.append(alert)
            self._arrived.notify_all()


@contextmanager
def receiving() -> Iterator[AlertReceiver]:
    """An alert receiver that listens inside the block."""
    receiver = AlertReceiver()
    thread = threading.Thread(target=receiver._server.serve_forever, name="alert-receiver", daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver._server.shutdown()
        receiver._server.server_close()


def _handler(keep: Any) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("content-length", "0")), MAX_BODY_BYTES)
            keep(json.loads(self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """The screen belongs to the demo."""

    return Handler
