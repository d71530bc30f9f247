"""Dead letters over HTTP: looked at, sent through the door once more, or given up, which counts as a loss."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sightline_collector.errors import Fault
from sightline_collector.wal.dead_letter import DeadLetters, Letter
from sightline_collector.wal.segment import Signal, records

DROPPED = "dead_letter_given_up"
"""The reason of a loss that an operator chose."""

Take = Callable[[Signal, bytes, str], Awaitable[object]]
"""Returns when a request of a project is acknowledged. Raises a Fault."""


class Losses(Protocol):
    """Who tells that items are gone for good."""

    def lost(self, signal: Signal, reason: str, items: int) -> None: ...


class LetterRoutes:
    """The routes over one collector's dead letters."""

    def __init__(self, letters: DeadLetters, take: Take, losses: Losses) -> None:
        self._letters = letters
        self._take = take
        self._losses = losses
        self._busy: set[str] = set()

    @property
    def routes(self) -> list[Route]:
        """Paths and methods."""
        one = "/api/dead-letters/{name}"
        return [
            Route("/api/dead-letters", self.listed),
            Route(one, self.content),
            Route(f"{one}/replay", self.replay, methods=["POST"]),
            Route(one, self.drop, methods=["DELETE"]),
        ]

    async def listed(self, _: Request) -> Response:
        """All of them, the oldest first: which request, why it is here, and since when."""
        return JSONResponse({"dead_letters": [_said(letter) for letter in self._letters.letters()]})

    async def content(self, request: Request) -> Response:
        """The OTLP request of one, as its sender sent it; 404 when there is none of that name."""
        letter = self._named(request)
        if letter is None:
            return _unknown()
        try:
            body = await asyncio.to_thread(self._body, letter)
        except OSError as e:
            return _unreadable(e)
        return Response(body, media_type="application/x-protobuf")

    async def replay(self, request: Request) -> Response:
        """Sends one through the door; removed once acknowledged. 409 while that is under way already."""
        letter = self._named(request)
        if letter is None:
            return _unknown()
        if letter.path.stem in self._busy:
            return _refused(409, "it is being sent already", "look at the list again in a moment")
        self._busy.add(letter.path.stem)
        try:
            body = await asyncio.to_thread(self._body, letter)
            await self._take(letter.signal, body, letter.project)
            await asyncio.to_thread(self._letters.drop, letter)
        except Fault as e:
            return _refused(e.http_status, e.message, e.hint)
        except OSError as e:
            return _unreadable(e)
        finally:
            self._busy.discard(letter.path.stem)
        return JSONResponse({"replayed": letter.path.stem, "items": letter.items})

    async def drop(self, request: Request) -> Response:
        """Gives one up: its items are counted as lost."""
        letter = self._named(request)
        if letter is None:
            return _unknown()
        if letter.path.stem in self._busy:
            return _refused(409, "it is being sent", "look at the list again in a moment")
        try:
            await asyncio.to_thread(self._letters.drop, letter)
        except OSError as e:
            return _unreadable(e)
        self._losses.lost(letter.signal, DROPPED, letter.items)
        return JSONResponse({"dropped": letter.path.stem, "items": letter.items})

    def _named(self, request: Request) -> Letter | None:
        name = request.path_params["name"]
        return next((one for one in self._letters.letters() if one.path.stem == name), None)

    def _body(self, letter: Letter) -> bytes:
        framed = self._letters.read(letter)
        whole = records(framed)
        if len(whole) != 1:
            raise OSError(0, f"{letter.path.name} is damaged")
        return bytes(whole[0].body(framed))


def _said(letter: Letter) -> dict[str, Any]:
    return {
        "dead_letter": letter.path.stem,
        "signal": letter.signal,
        "project": letter.project,
        "items": letter.items,
        "size_bytes": letter.size_bytes,
        "code": letter.code,
        "put_at_ns": letter.put_at_ns,
        "received_at_ns": letter.received_at_ns,
        "why": letter.why,
    }


def _refused(status: int, error: str, hint: str) -> Response:
    return JSONResponse({"error": error, "hint": hint}, status)


def _unknown() -> Response:
    return _refused(404, "there is no dead letter of that name", "`sightline dead-letter list` names them")


def _unreadable(error: OSError) -> Response:
    return _refused(500, f"the file refused: {error.strerror or error}", "look at the data folder's disk")
