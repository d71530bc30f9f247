"""Pages of other origins may send OTLP: what a browser asks first, and reads on every answer.

A browser sends a page's telemetry to another origin only after a preflight: OPTIONS without a key, which asks
what may be sent. The origins are named one by one, or with * for a part: https://*.example.com. Where none is
named, the application is served as it is, and browsers refuse.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Mapping[str, Any], Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

PREFLIGHT_AGE_S = 7200
"""How long a browser need not ask again: the longest that Chrome keeps."""

_HEADER_NAMES = re.compile(rb"[A-Za-z0-9_, -]{0,1000}")
_ANY_PART = "[A-Za-z0-9.-]+"


def with_origins(app: Application, origins: Sequence[str]) -> Application:
    """The application, open to pages of these origins."""
    if not origins:
        return app
    allowed = _pattern(origins)

    async def open_app(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        origin = headers.get(b"origin", b"")
        if not allowed.fullmatch(origin.decode("latin-1")):
            await app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await _answer_preflight(origin, headers, send)
        else:
            await app(scope, receive, _readable_by(origin, send))

    return open_app


def _pattern(origins: Sequence[str]) -> re.Pattern[str]:
    """Matches the origins; a lone * is any."""
    parts = [".+" if one == "*" else _ANY_PART.join(map(re.escape, one.split("*"))) for one in origins]
    return re.compile("|".join(parts))


def _readable_by(origin: bytes, send: Send) -> Send:
    """Lets the page read the answer, and how long it is to wait."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            more = [*_allowing(origin), (b"access-control-expose-headers", b"retry-after")]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return sending


async def _answer_preflight(origin: bytes, headers: Mapping[bytes, bytes], send: Send) -> None:
    asked = headers.get(b"access-control-request-headers", b"")
    said = [
        *_allowing(origin),
        (b"access-control-allow-methods", b"POST"),
        # No header makes a sender someone else but a key, and that has to be known.
        (b"access-control-allow-headers", asked if _HEADER_NAMES.fullmatch(asked) else b"content-type"),
        (b"access-control-max-age", str(PREFLIGHT_AGE_S).encode()),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": said})
    await send({"type": "http.response.body", "body": b""})


def _allowing(origin: bytes) -> Headers:
    return [(b"access-control-allow-origin", origin), (b"vary", b"origin")]
