"""Answers statements: read, admitted, run, streamed. An ASGI application for POST / and GET /?query=."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from sightline_collector.access.boundary import Boundary
from sightline_collector.access.entrance import caller_of
from sightline_collector.access.gate import Caller
from sightline_collector.errors import Fault, StoreRefused, StoreUnreachable
from sightline_collector.gateway.admission import admit, database_of
from sightline_collector.gateway.answer import Answer, refusal
from sightline_collector.gateway.counters import Counters
from sightline_collector.gateway.limits import Limits, allowed
from sightline_collector.gateway.names import Names
from sightline_collector.gateway.pathless import reads_lists
from sightline_collector.gateway.question import Asked, query_id_of, read_question
from sightline_collector.gateway.refusal import TIMEOUT_EXCEEDED, Refused, of_store
from sightline_collector.gateway.slots import Slots
from sightline_collector.store.reads import Question, Reads, Stream

Made = TypeVar("Made")
Wrote = Callable[[Caller, str], Awaitable[None]]
"""Writes down who reads which content. Raises a Fault: then it is not shown."""

HANDSHAKE = "SELECT name, value, readonly FROM system.settings LIMIT 10000"
"""What clickhouse-connect asks first: it sends only settings that the answer calls writable. With readonly=1
none is, though some can be chosen here; so this one statement, word for word, runs with readonly=2."""


class Begun:
    """A way to send that remembers whether it was used."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._used = False

    async def __call__(self, message: Message) -> None:
        self._used = True
        await self._send(message)

    def __bool__(self) -> bool:
        return self._used


class Queries:
    """The statements of one store, each on a place of its own."""

    def __init__(
        self,
        reads: Reads,
        names: Names,
        limits: Limits,
        registry: CollectorRegistry,
        audit: Wrote | None = None,
    ) -> None:
        self._reads = reads
        self._names = names
        self._boundary = Boundary(reads, names.database)
        self._audit = audit
        self._limits = limits
        self._slots = Slots(limits)
        self._counters = Counters(registry, self._slots)
        # One waits for the engine's bytes, another may have to stop that same statement.
        self._threads = ThreadPoolExecutor(2 * limits.at_once, thread_name_prefix="sql")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method != "POST" and not request.query_params.get("query"):
            await PlainTextResponse("Ok.\n")(scope, receive, send)
            return
        with self._counters.timed():
            self._counters.ended(await self._outcome(request, receive, Begun(send)))

    async def _outcome(self, request: Request, receive: Receive, send: Begun) -> str:
        """Answers or refuses; says which, in a word."""
        query_id = query_id_of(request)
        try:
            asked = await read_question(request, self._limits)
            caller = caller_of(request.scope)
            reader = (caller.project or "*") if caller.key else ""
            async with self._slots.place(reader), asyncio.timeout(self._limits.delivery_s):
                return await self._answer(asked, query_id, caller, receive, send)
        except TimeoutError:
            outcome, why = "late", _late(self._limits.delivery_s)
        except Refused as e:
            outcome, why = "refused", e
        except (StoreRefused, StoreUnreachable) as e:
            outcome, why = "failed", of_store(e)
        # An answer that nobody takes is cut off; one that has not begun can still be refused.
        if not send:
            await refusal(why, query_id)(request.scope, receive, send)
        return outcome

    async def _answer(self, asked: Asked, query_id: str, caller: Caller, receive: Receive, send: Send) -> str:
        question, content = await self._aside(lambda: self._admitted(asked, query_id, caller))
        if content and self._audit:
            await self._write_down(caller, content)
        stream = await self._aside(lambda: self._reads.stream(question))
        leaving = asyncio.create_task(self._stop_when_left(stream, receive))
        try:
            answer = Answer(question, asked, lambda: self._aside(stream.read), counted=caller.project is None)
            await answer.begin()
            timezone = await self._aside(lambda: self._names.timezone)
            await answer.deliver(stream, timezone, send)
            return "failed" if answer.broken else "answered"
        finally:
            leaving.cancel()
            await asyncio.shield(self._aside(stream.close))

    async def _write_down(self, caller: Caller, content: str) -> None:
        assert self._audit
        try:
            await self._audit(caller, content)
        except Fault as e:
            raise Refused(
                210, "NETWORK_ERROR", f"Who reads content must be written down: {e.message}", hint=e.hint
            ) from None

    def _admitted(self, asked: Asked, query_id: str, caller: Caller) -> tuple[Question, str]:
        database_of(asked.database, self._names)
        bound = caller.project is not None
        statement = admit(asked.text, asked.parameters, self._reads, self._names, bound=bound)
        settings = allowed(asked.settings | statement.settings, self._limits)
        project = caller.project
        if project is not None:
            settings |= self._boundary.settings_of(project)
        elif reads_lists(statement.body):
            settings |= self._boundary.of_all
        question = Question(
            sql=statement.body,
            format=statement.format or asked.format,
            query_id=query_id,
            settings=settings | ({"readonly": "2"} if statement.body == HANDSHAKE else {}),
            parameters=asked.parameters,
        )
        return question, statement.content

    async def _stop_when_left(self, stream: Stream, receive: Receive) -> None:
        """A statement whose client went away is stopped, not run to its end for nobody."""
        while (await receive())["type"] != "http.disconnect":
            pass
        await self._aside(stream.close)

    async def _aside(self, call: Callable[[], Made]) -> Made:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def _late(delivery_s: float) -> Refused:
    return Refused(
        TIMEOUT_EXCEEDED,
        "TIMEOUT_EXCEEDED",
        f"No answer within {delivery_s:g} s",
        hint="Ask for less at once",
    )
