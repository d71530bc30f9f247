"""Erasure over HTTP. It may take minutes: the answer begins with spaces, so that nobody takes it for dead."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sightline_collector.access.audit import FORGET, Audit
from sightline_collector.access.entrance import caller_of
from sightline_collector.access.erasure import utc_now
from sightline_collector.access.key import ALL_PROJECTS
from sightline_collector.access.redaction import ALSO_MAX, unfit
from sightline_collector.access.subject import Asked
from sightline_collector.errors import Fault

ALIVE_S = 10.0
ID_BYTES_MAX = 4096

Forget = Callable[[Asked, datetime], dict[str, Any]]
"""Erases a user, or one of their sessions, as stored at a time: the certificate. Blocking."""

log = structlog.get_logger(__name__)


class ForgetRoutes:
    """The route; one erasure at a time."""

    def __init__(self, forget: Forget, flush: Callable[[], Awaitable[None]], audit: Audit) -> None:
        self._forget = forget
        self._flush = flush
        self._audit = audit
        self._alone = asyncio.Lock()

    @property
    def routes(self) -> list[Route]:
        """Paths and methods."""
        return [Route("/api/forget", self.forget, methods=["POST"])]

    async def forget(self, request: Request) -> Response:
        """The certificate as JSON; an `error` with its `hint` when it failed."""
        try:
            asked = _asked(await request.body())
        except ValueError as e:
            return JSONResponse({"error": str(e), "hint": 'send {"user": "…"}'}, 400)
        caller = caller_of(request.scope)
        work = asyncio.create_task(self._work(caller.key, asked))
        return StreamingResponse(_alive(work), media_type="application/json")

    async def _work(self, key: str, asked: Asked) -> dict[str, Any]:
        async with self._alone:
            try:
                began = utc_now()
                await self._flush()
                certificate = await asyncio.to_thread(self._forget, asked, began)
                what = f"subject {certificate['subject_sha256']}, certificate {certificate['sha256']}"
                outcome = "complete" if certificate["complete"] else "incomplete"
                await self._audit.write(FORGET, key, ALL_PROJECTS, what, outcome)
            except Fault as e:
                return {"error": e.message, "hint": e.hint}
            except Exception:
                log.exception("an erasure failed")
                return {"error": "the erasure failed", "hint": "read the collector's log, then ask again"}
            return certificate


async def _alive(work: asyncio.Task[dict[str, Any]]) -> AsyncIterator[bytes]:
    while not (await asyncio.wait([work], timeout=ALIVE_S))[0]:
        yield b" "
    yield json.dumps(work.result()).encode()


def _asked(body: bytes) -> Asked:
    """Raises ValueError for what is none, and says why."""
    try:
        said = json.loads(body)
        also = said.get("also", [])
        asked = Asked(said["user"], said.get("session", ""), said.get("redact_mentions", False), tuple(also))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("user must be an id") from None
    ids = (asked.user, *asked.also, *([asked.session] if asked.session != "" else []))
    if not all(map(_is_id, ids)) or not isinstance(asked.redact, bool) or not isinstance(also, list):
        raise ValueError("user must be an id, also a list of names, redact_mentions true or false")
    if len(also) > ALSO_MAX or (also and not asked.redact):
        raise ValueError(f"also goes with redact_mentions, and has at most {ALSO_MAX} names")
    for name in asked.names if asked.redact else ():
        if why := unfit(name):
            raise ValueError(f"{name!r} cannot be redacted: {why}")
    return asked


def _is_id(said: object) -> bool:
    return isinstance(said, str) and 0 < len(said.encode()) <= ID_BYTES_MAX
