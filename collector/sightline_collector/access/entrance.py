"""The third port's door: a key for everything but whether the collector lives; an admin's for what changes.

::

    /healthz /readyz /ping                      open: load balancers have no keys
    /                    statements             read: of one project, or of all
    /metrics /api/status ... by GET             read, of all projects: their numbers are everyone's
    anything else                               admin
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from prometheus_client import CollectorRegistry, Counter
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sightline_collector.access.gate import ANYONE, Caller, Gate
from sightline_collector.access.key import Scope as KeyScope
from sightline_collector.errors import AccessFault, Forbidden, Unauthenticated

OPEN = frozenset({"/healthz", "/readyz", "/ping", "/replicas_status"})
STATEMENTS = "/"
WATCHED = frozenset({"/metrics", "/api/status", "/api/doctor", "/api/budgets", "/api/alerts"})
CALLER = "sightline.caller"
"""Where a request's scope carries who asks."""

AUTHENTICATION_FAILED = 516
ACCESS_DENIED = 497

Acted = Callable[[Caller, str, str, int], Awaitable[None]]
"""Told of an admin's act before its answer is: who, method, path, HTTP status."""


def caller_of(scope: Scope) -> Caller:
    """Who asks."""
    found = scope.get(CALLER, ANYONE)
    assert isinstance(found, Caller)
    return found


class Entrance:
    """ASGI middleware: 401 without a key that is known, 403 with one that is for something else."""

    def __init__(
        self, app: ASGIApp, gate: Gate, registry: CollectorRegistry, acted: Acted | None = None
    ) -> None:
        self._app = app
        self._gate = gate
        self._acted = acted
        self._refused = Counter(
            "sightline_access_refused_requests",
            "Requests to the SQL port without a key that fits",
            ("reason",),
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN or not self._gate.shut:
            await self._app(scope, receive, send)
            return
        try:
            caller = self._gate.known(Headers(scope=scope).get)
            admin = _check(caller, scope["method"], scope["path"])
        except AccessFault as fault:
            self._refused.labels(fault.reason).inc()
            await _refusal(fault, scope["path"])(scope, receive, send)
            return
        asked = {**scope, CALLER: caller}
        await self._app(asked, receive, self._told(caller, scope, send) if admin else send)

    def _told(self, caller: Caller, scope: Scope, send: Send) -> Send:
        """Sends the answer to an admin's act once it is written down that there was one."""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and self._acted:
                await self._acted(caller, scope["method"], scope["path"], message["status"])
            await send(message)

        return told


def _check(caller: Caller, method: str, path: str) -> bool:
    """True for what is an admin's. Raises Forbidden."""
    if path == STATEMENTS:
        needed, of_all = KeyScope.READ, False
    elif path in WATCHED and method in ("GET", "HEAD"):
        needed, of_all = KeyScope.READ, True
    else:
        needed, of_all = KeyScope.ADMIN, True
    if not caller.may(needed):
        raise Forbidden(
            f"The key {caller.key} is not for this: it lacks the scope {needed}",
            hint=f"Use another, or make one: `sightline key add --scope {needed}`",
        )
    if of_all and caller.project is not None:
        raise Forbidden(
            f"The key {caller.key} reads one project, and this tells of all",
            hint="Use one of all projects: `sightline key add --scope read --project '*'`",
        )
    return needed is KeyScope.ADMIN


def _refusal(fault: AccessFault, path: str) -> Response:
    """In ClickHouse's words where statements are asked, as JSON elsewhere."""
    unknown = isinstance(fault, Unauthenticated)
    # Browsers ask for a password then, which is the key; ClickHouse's clients send theirs so anyway.
    headers = {"WWW-Authenticate": 'Basic realm="sightline", charset="UTF-8"'} if unknown else {}
    if path != STATEMENTS:
        said = {"error": fault.message, "hint": fault.hint}
        return JSONResponse(said, fault.http_status, headers)
    code, name = (
        (AUTHENTICATION_FAILED, "AUTHENTICATION_FAILED") if unknown else (ACCESS_DENIED, "ACCESS_DENIED")
    )
    headers["X-ClickHouse-Exception-Code"] = str(code)
    text = f"Code: {code}. DB::Exception: {fault.message}. {fault.hint}. ({name})\n"
    return PlainTextResponse(text, fault.http_status, headers)
