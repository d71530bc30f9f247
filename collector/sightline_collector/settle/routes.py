"""Settlement over HTTP: `sightline settle` judges what is stored anew, from the beginning."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sightline_collector.errors import Fault
from sightline_collector.settle.arrivals import HOUR_NS, of_time
from sightline_collector.settle.command_lease import CommandLease, nothing
from sightline_collector.settle.given_again import AGAIN_NS
from sightline_collector.settle.hours import Ends, held, iso, unix_ns
from sightline_collector.settle.settling import Settled, settle_arrival
from sightline_collector.settle.suspects import Look
from sightline_collector.store.engine import Engine

STEP_NS = 6 * HOUR_NS
"""How much time is judged at once, so that each question to the store stays small."""

WHAT_IT_TAKES = 'send {"since": "2026-11-01T00:00:00Z", "until": …, "dry_run": true or false}'


class Asked(BaseModel, extra="forbid"):
    """Which spans, by when they started, and whether to write."""

    since: AwareDatetime
    until: AwareDatetime | None = None
    dry_run: Annotated[bool, Field(strict=True)] = False


class SettleRoutes:
    """The route over one store's ledger."""

    def __init__(
        self, engine: Engine, again_ns: int = AGAIN_NS, *, lease: CommandLease | None = None
    ) -> None:
        self._engine = engine
        self._lease = lease or CommandLease(engine)
        self._look = Look(again_ns, anew=True)
        self._one_at_a_time = asyncio.Lock()

    @property
    def routes(self) -> list[Route]:
        """Paths and methods."""
        return [Route("/api/settle", self.settle, methods=["POST"])]

    async def settle(self, request: Request) -> Response:
        """200, what was judged and written, of how many groups of traces the store refused it, and in
        `resume` since when to ask for the rest; 400 for what is no such question."""
        try:
            asked = Asked.model_validate_json(await request.body())
        except ValidationError as e:
            error = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in e.errors())
            return JSONResponse({"error": error, "hint": WHAT_IT_TAKES}, 400)
        try:
            async with self._one_at_a_time:
                done = await asyncio.to_thread(self._settle, asked)
        except Fault as e:
            return JSONResponse({"error": e.message, "hint": e.hint}, e.http_status)
        return JSONResponse(done)

    def _settle(self, asked: Asked) -> dict[str, int | str | None]:
        """What was judged and written, and from when on to ask for the rest."""
        if not asked.dry_run:
            self._lease.take()
        done, ends = Settled(), Ends()
        keep = nothing if asked.dry_run else self._lease.keep
        until_ns = unix_ns(asked.until) if asked.until else time.time_ns()
        resume = None
        for place, stretch in enumerate(held(self._engine, (unix_ns(asked.since), until_ns - 1), STEP_NS)):
            if place and ends():
                resume = iso(stretch[0])
                break
            came = of_time(*stretch)
            done += settle_arrival(
                self._engine, came, time.time_ns, look=self._look, dry_run=asked.dry_run, keep=keep
            )
        said = {"corrections": done.corrections, "failed_groups": done.failed_groups, "resume": resume}
        return {"traces": done.traces, **said}
