"""A gRPC server that outlives calls whose path is no text.

grpc.aio reads the path of every call in the one task that takes calls in, and as UTF-8: a call with another
path, which anyone can send in two hundred bytes, ends that task and so the server. Calls to methods that are
registered go another way. So ours are registered, and a stranger's call never reaches that task: it is taken
here, and answered UNIMPLEMENTED whatever its path says.

This rests on names that grpc.aio keeps to itself. Where a version has others, its own server is used, and a
warning says so; the suite fails then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import grpc
from grpc._cython import cygrpc

_USED = ("_MethodResolver", "_handle_rpc", "_schedule_rpc_coro", "get_working_loop")
_USED_OF_SERVER = ("_make_request_call_future", "_request_call")
_UNREAD_PATH = "(a path that is not served)"

_log = logging.getLogger(__name__)


def server(options: Sequence[tuple[str, int]]) -> Any:
    """A grpc.aio.Server for registered methods alone."""
    made = grpc.aio.server(options=options)
    if all(hasattr(cygrpc, name) for name in _USED) and all(
        hasattr(cygrpc.AioServer, name) for name in _USED_OF_SERVER
    ):
        made._server = _Core(cygrpc.get_working_loop(), None, (), (), tuple(options), None)
    else:
        _log.warning("grpc %s is not known here: a call whose path is no text ends it", grpc.__version__)
    return made


class _Core(cygrpc.AioServer):  # type: ignore[misc]
    """Takes strangers' calls out of the way of the task that serves the registered methods."""

    def _make_request_call_future(self, method: bytes | None) -> Any:
        if method is not None:
            return super()._make_request_call_future(method)
        return asyncio.get_running_loop().create_task(self._answer_strangers())

    async def _answer_strangers(self) -> None:
        """Until the server stops; then what waits for a call raises, as the server expects of it."""
        loop = asyncio.get_running_loop()
        nothing = cygrpc._MethodResolver([], {})
        answering = set()
        while True:
            call = await self._request_call()
            answer = cygrpc._handle_rpc(_UNREAD_PATH, nothing, (), call, loop, False)
            task = loop.create_task(cygrpc._schedule_rpc_coro(answer, call, loop, _UNREAD_PATH))
            answering.add(task)
            task.add_done_callback(answering.discard)
