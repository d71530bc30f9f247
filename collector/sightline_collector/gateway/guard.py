"""Keeps other sites' pages out: a browser on this machine can reach a loopback port too.

A page may point its own name at 127.0.0.1 (DNS rebinding): so Host must be an address, localhost, or a name
that was configured. A page may send a request without reading the answer: so Origin, when there is one, must
be this very host, and what changes something must be JSON, which no foreign page may send unasked.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

# Answers hold what strangers wrote: no browser may take them for a page, no foreign page load them.
_HARMLESS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class Guard:
    """ASGI middleware: 421 for a foreign Host, 403 for a foreign Origin, 415 for a change that is no JSON."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def harmless(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HARMLESS]
            await send(message)

        refused = self._refusal(scope) if scope["type"] == "http" else None
        await (refused or self._app)(scope, receive, harmless)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not is_trusted(host, self._hosts):
            return _said(421, f"The host {host[:100]!r} is not this one. Use an address or localhost")
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return _said(403, f"Pages of {origin[:100]!r} may not ask here")
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return _said(403, "Pages of other sites may not ask here")
        changes = scope["method"] in CHANGES and scope["path"].startswith("/api/")
        media = headers.get("content-type", "").partition(";")[0].strip().lower()
        if changes and media != "application/json":
            return _said(415, "Send Content-Type: application/json")
        return None


def is_trusted(host: str, names: Collection[str]) -> bool:
    """True for an address, localhost, a name below it, or one of the given names; a port may follow."""
    name = _without_port(host.lower()).removesuffix(".")
    if name == "localhost" or name.endswith(".localhost") or name in names:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _without_port(host: str) -> str:
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::\d+)?", host)
    if bracketed:
        return bracketed[1]
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _said(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status)
