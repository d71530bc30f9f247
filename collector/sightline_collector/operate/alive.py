"""Whether a collector on this machine lives: python -m sightline_collector.operate.alive, for containers.

It asks /healthz on the port of SIGHTLINE_HTTP_PORT, with TLS where the port speaks it, and believes any
certificate: it is its own. A port that wants a client's certificate lives when it asks for one.
"""

from __future__ import annotations

import http.client
import os
import ssl
import sys

DEFAULT_PORT = 4319
WAIT_S = 2.0


def alive(port: int, host: str = "127.0.0.1") -> bool:
    """True when it answers 200, or shows its certificate and wants one."""
    return _alive_in_the_clear(host, port) or _alive_over_tls(host, port)


def _alive_in_the_clear(host: str, port: int) -> bool:
    try:
        return _status(http.client.HTTPConnection(host, port, timeout=WAIT_S)) == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False


def _alive_over_tls(host: str, port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(host, port, timeout=WAIT_S, context=context)
    try:
        connection.connect()
    except OSError:
        return False
    try:
        return _status(connection) == http.HTTPStatus.OK
    except TimeoutError:
        return False
    except (OSError, http.client.HTTPException):
        return True  # who shows no certificate is cut off only now, in TLS 1.3


def _status(connection: http.client.HTTPConnection) -> int:
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status
    finally:
        connection.close()


def main() -> int:
    """The exit code: 0 when it lives."""
    port = os.environ.get("SIGHTLINE_HTTP_PORT", "")
    return 0 if alive(int(port) if port.isdigit() else DEFAULT_PORT) else 1


if __name__ == "__main__":
    sys.exit(main())
