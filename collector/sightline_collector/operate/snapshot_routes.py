"""Snapshots over HTTP: `sightline backup` asks for one, copies its files, and lets it go."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sightline_collector.errors import Fault
from sightline_collector.operate.snapshots import Snapshots, as_fields


class SnapshotRoutes:
    """The routes over one collector's snapshots. What they write lies in its own data folder alone."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    @property
    def routes(self) -> list[Route]:
        """Paths and methods."""
        return [
            Route("/api/snapshots", self.take, methods=["POST"]),
            Route("/api/snapshots/{name}", self.drop, methods=["DELETE"]),
        ]

    async def take(self, _: Request) -> Response:
        """201 and where its files lie; 409 while another is being copied."""
        try:
            return JSONResponse(as_fields(await self._snapshots.take()), 201)
        except Fault as e:
            return JSONResponse({"error": e.message, "hint": e.hint}, e.http_status)
        except OSError as e:
            hint = "look at the disk of the data folder"
            return JSONResponse({"error": f"the disk refused: {e.strerror}", "hint": hint}, 500)

    async def drop(self, request: Request) -> Response:
        """Gives the disk space back; 404 when there is none of that name."""
        name = request.path_params["name"]
        if await self._snapshots.drop(name):
            return JSONResponse({"dropped": name})
        return JSONResponse({"error": "there is no such snapshot", "hint": "it may be gone already"}, 404)
