"""Budgets and alerts over HTTP: set, list and remove budgets, see what fires, try a channel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sightline_collector.errors import Fault

BODY_BYTES_MAX = 64 << 10

Answers = Callable[[Request], Awaitable[Response]]


class Watch(Protocol):
    """What the alerting part offers. Each may raise a Fault, or ValueError for a field that cannot be."""

    def set_budget(self, fields: Mapping[str, Any]) -> str:
        """Set a budget (usd, per, feature, notify ...) and return its id."""

    def budgets(self) -> Sequence[Mapping[str, Any]]:
        """All budgets, with what is spent of each."""

    def remove_budget(self, budget_id: str) -> bool:
        """False when there was none of that id."""

    def alerts(self) -> Sequence[Mapping[str, Any]]:
        """What fires now, and what did lately."""

    def test_notification(self, url: str) -> None:
        """Send a test message to a channel."""


def routes(watch: Watch) -> list[Route]:
    """Paths and methods."""

    async def set_budget(request: Request) -> Response:
        fields = await _fields(request)
        return JSONResponse({"id": await asyncio.to_thread(watch.set_budget, fields)}, 201)

    async def budgets(_: Request) -> Response:
        return _listed("budgets", await asyncio.to_thread(watch.budgets))

    async def remove_budget(request: Request) -> Response:
        budget_id = request.path_params["budget_id"]
        if await asyncio.to_thread(watch.remove_budget, budget_id):
            return JSONResponse({"removed": budget_id})
        return JSONResponse({"error": f"there is no budget {budget_id[:60]!r}"}, 404)

    async def alerts(_: Request) -> Response:
        return _listed("alerts", await asyncio.to_thread(watch.alerts))

    async def test(request: Request) -> Response:
        url = (await _fields(request)).get("url")
        if not isinstance(url, str) or not url:
            raise ValueError("url is missing")
        await asyncio.to_thread(watch.test_notification, url)
        return JSONResponse({"sent": True})

    return [
        Route("/api/budgets", _told(budgets)),
        Route("/api/budgets", _told(set_budget), methods=["POST"]),
        Route("/api/budgets/{budget_id}", _told(remove_budget), methods=["DELETE"]),
        Route("/api/alerts", _told(alerts)),
        Route("/api/alerts/test", _told(test), methods=["POST"]),
    ]


def _told(answer: Answers) -> Answers:
    """Turns what a handler raises into an answer that says what to do."""

    async def told(request: Request) -> Response:
        try:
            return await answer(request)
        except Fault as e:
            return JSONResponse({"error": e.message, "hint": e.hint}, e.http_status)
        except ValueError as e:
            return JSONResponse({"error": str(e)}, 400)

    return told


async def _fields(request: Request) -> dict[str, Any]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise ValueError(f"the body is larger than {BODY_BYTES_MAX} bytes")
    fields = json.loads(bytes(body) or b"{}")
    if not isinstance(fields, dict):
        raise ValueError("the body is no JSON object")
    return fields


def _listed(name: str, rows: Sequence[Mapping[str, Any]]) -> Response:
    """Rows as JSON; dates and decimals as text."""
    body = json.dumps({name: list(rows)}, default=str, ensure_ascii=False)
    return Response(body, media_type="application/json")
