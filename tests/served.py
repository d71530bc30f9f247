"""A server that a test runs beside itself, for as long as a block lasts."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LOOK_S = 0.01
"""How often it looks whether it shall stop."""


@contextmanager
def served(server: socketserver.TCPServer) -> Iterator[str]:
    """Its address, host:port. However the block ends it is closed: a thread that serves on would never let
    its process end."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": LOOK_S})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
