"""Prices over HTTP: import a price list, set and end overrides, explain a price, price again."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, date, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sightline_collector.gateway.watch_routes import as_json, fields_of, told
from sightline_collector.prices import api
from sightline_collector.prices.explain import Question, explain
from sightline_collector.prices.override import Override
from sightline_collector.prices.reprice import Done, Range, reprice
from sightline_collector.settle.command_lease import CommandLease
from sightline_collector.settle.hours import Ends, iso
from sightline_collector.store.engine import Engine

PRICE_LIST_BYTES_MAX = 64 << 20
"""The published list has 2 MB."""


class Pricing:
    """The routes over the prices of one store."""

    def __init__(self, engine: Engine, lease: CommandLease | None = None) -> None:
        self._engine = engine
        self._lease = lease or CommandLease(engine)

    @property
    def routes(self) -> list[Route]:
        """Paths and methods."""
        return [
            Route("/api/prices/import", told(self.take_list), methods=["POST"]),
            Route("/api/prices/overrides", told(self.set_override), methods=["POST"]),
            Route("/api/prices/overrides/{override_id:path}", told(self.end_override), methods=["DELETE"]),
            Route("/api/prices/explain", told(self.explain), methods=["POST"]),
            Route("/api/prices/reprice", told(self.reprice), methods=["POST"]),
        ]

    async def take_list(self, request: Request) -> Response:
        """201 and what was loaded; `data` is the list's text, `source` what spans shall say."""
        fields = await fields_of(request, PRICE_LIST_BYTES_MAX)
        text, source = fields.get("data"), fields.get("source")
        if not isinstance(text, str) or not isinstance(source, str) or not source:
            raise ValueError("data and source are texts: the price list, and what to call it")
        set_by = str(fields.get("set_by", ""))[:200]
        loaded = await asyncio.to_thread(api.import_prices, self._engine, text, source[:200], set_by)
        return JSONResponse(asdict(loaded), 201)

    async def set_override(self, request: Request) -> Response:
        """201, the override's id, what it charges, and what the id charged before; fields are Override's."""
        fields = {"valid_from": datetime.now(UTC).date().isoformat(), **await fields_of(request)}
        override = Override.model_validate(fields)
        return JSONResponse(asdict(await asyncio.to_thread(api.set_override, self._engine, override)), 201)

    async def end_override(self, request: Request) -> Response:
        """The override holds until the day `on`, today when it is not given."""
        fields = await fields_of(request)
        last = date.fromisoformat(str(fields.get("on") or datetime.now(UTC).date()))
        ended = await asyncio.to_thread(
            api.end_override, self._engine, request.path_params["override_id"], last
        )
        return JSONResponse({**asdict(ended), "on": ended.until})

    async def explain(self, request: Request) -> Response:
        """Why a call costs what it costs; fields are Question's."""
        question = Question.model_validate(await fields_of(request))
        return as_json(await asyncio.to_thread(explain, self._engine, question))

    async def reprice(self, request: Request) -> Response:
        """What the calls of a range cost now, by model, and the corrections written; fields are Range's. With
        `resume` it is to be asked for the rest: the same with that."""
        asked = Range.model_validate(await fields_of(request))
        done = await asyncio.to_thread(self._reprice, asked)
        changes = [asdict(change) for change in done.changes]
        resume = None if done.next_ns is None else iso(done.next_ns)
        said = {"corrections": done.corrections, "failed_groups": done.failed_groups, "resume": resume}
        return as_json({"changes": changes, **said})

    def _reprice(self, asked: Range) -> Done:
        if asked.dry_run:
            return reprice(self._engine, asked, enough=Ends())
        self._lease.take()
        return reprice(self._engine, asked, keep=self._lease.keep, enough=Ends())
