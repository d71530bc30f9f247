"""Budgets and alerts over HTTP: set, list and remove budgets, see what fires, try a channel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sightline_collector.alerts import api
from sightline_collector.alerts.budget import Budget
from sightline_collector.errors import BadConfiguration, Fault
from sightline_collector.field_fault import plainly
from sightline_collector.store.engine import Engine

BODY_BYTES_MAX = 64 << 10
BODY_WAIT_S = 30.0

Answers = Callable[[Request], Awaitable[Response]]


class Watching:
    """The routes for budgets and alerts of one store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def routes(self) -> list[Route]:
        """Paths and methods."""
        return [
            Route("/api/budgets", told(self.budgets)),
            Route("/api/budgets", told(self.set_budget), methods=["POST"]),
            Route("/api/budgets/{budget_id:path}", told(self.remove_budget), methods=["DELETE"]),
            Route("/api/alerts", told(self.alerts)),
            Route("/api/alerts/test", told(self.try_channel), methods=["POST"]),
        ]

    async def budgets(self, _: Request) -> Response:
        """Budgets in force, with what each has spent in its open window."""
        return as_json({"budgets": await asyncio.to_thread(api.list_budgets, self._engine)})

    async def set_budget(self, request: Request) -> Response:
        """201, the budget's id, the limit that it replaces, if any, and who is told; fields are Budget's."""
        budget = Budget.model_validate(await fields_of(request))
        made = await asyncio.to_thread(api.set_budget, self._engine, budget)
        before = made.replaced_limit_usd
        replaced = None if before is None else f"{before.normalize():f}"
        said = {"id": made.id, "replaced_limit_usd": replaced, "channels": list(made.channels)}
        return JSONResponse(said, 201)

    async def remove_budget(self, request: Request) -> Response:
        """Takes a budget out of force; 400 with the ids there are for one that is none."""
        budget_id = request.path_params["budget_id"]
        await asyncio.to_thread(api.remove_budget, self._engine, budget_id)
        return JSONResponse({"removed": budget_id})

    async def alerts(self, _: Request) -> Response:
        """What is pending or firing, the gravest first."""
        return as_json({"alerts": await asyncio.to_thread(api.current_alerts, self._engine)})

    async def try_channel(self, request: Request) -> Response:
        """Sends a test message to the channel at `url`."""
        url = (await fields_of(request)).get("url")
        if not isinstance(url, str) or not url:
            raise ValueError("url is missing")
        return JSONResponse({"sent": await asyncio.to_thread(api.try_channel, url)})


def told(answer: Answers) -> Answers:
    """Turns what a handler raises into an answer that says what to do."""

    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except BadConfiguration as e:
            return JSONResponse({"error": e.message, "hint": e.hint}, 400)
        except Fault as e:
            return JSONResponse({"error": e.message, "hint": e.hint}, 503)
        except ValidationError as e:
            faults = "; ".join(_field_fault(fault) for fault in e.errors())
            return JSONResponse({"error": faults, "hint": "nothing was changed: say it anew"}, 400)
        except ValueError as e:
            return JSONResponse({"error": str(e)}, 400)

    return answered


def _field_fault(fault: Mapping[str, Any]) -> str:
    return ": ".join(filter(None, (".".join(map(str, fault["loc"])), plainly(fault))))


async def fields_of(request: Request, bytes_max: int = BODY_BYTES_MAX) -> dict[str, Any]:
    """The fields of a JSON object. Raises ValueError for a body that is none, larger, or too slow."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > bytes_max:
                    raise ValueError(f"the body is larger than {bytes_max} bytes")
        fields = json.loads(bytes(body) or b"{}")
    except TimeoutError:
        raise ValueError(f"the body was not whole after {BODY_WAIT_S:.0f} seconds") from None
    except RecursionError:
        raise ValueError("the body is nested too deep") from None
    if not isinstance(fields, dict):
        raise ValueError("the body is no JSON object")
    return fields


def _as_text(value: object) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def as_json(fields: Mapping[str, Any]) -> Response:
    """Fields as JSON; dates and decimals as text, decimals without powers of ten."""
    body = json.dumps(fields, default=_as_text, ensure_ascii=False)
    return Response(body, media_type="application/json")
