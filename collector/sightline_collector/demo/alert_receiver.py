"""Where the demo's alerts arrive: a webhook on a free local port that keeps what was posted to it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

MAX_BODY_BYTES: Final = 1_000_000

Alert = dict[str, Any]


class AlertReceiver:
    """What arrived so far, each the JSON object that was posted."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._alerts: list[Alert] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._keep))

    @property
    def notify_url(self) -> str:
        """The address as a budget's `--notify` takes it."""
        return f"json://127.0.0.1:{self._server.server_port}/"

    def wait(self, last: Callable[[Alert], bool], timeout_s: float) -> list[Alert]:
        """All that arrived, as soon as the last one is among it; nothing when it does not come in time."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: any(map(last, self._alerts)), timeout_s)
            return list(self._alerts) if came else []

    def _keep(self, alert: Alert) -> None:
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


def _handler(keep: Callable[[Alert], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("content-length", "0")), MAX_BODY_BYTES)
            keep(json.loads(self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """The screen belongs to the demo."""

    return Handler
