"""OTLP over HTTP: POST /v1/traces, /v1/logs, /v1/metrics. An ASGI application without a framework.

Status codes and bodies are OTLP 1.11's: 200 with an empty Export*ServiceResponse, or a google.rpc.Status in
the type that the request came in.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any

from sightline_collector.errors import (
    Fault,
    SlowBody,
    Unauthenticated,
    UnknownPath,
    UnsupportedMedia,
    WrongMethod,
)
from sightline_collector.receive import answer
from sightline_collector.receive.check import too_many_bytes
from sightline_collector.receive.door import Door, Room
from sightline_collector.receive.http2_exchange import DISCARDED_BYTES_MAX
from sightline_collector.receive.inflate import ENCODINGS
from sightline_collector.wal.segment import Signal

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PATHS = {f"/v1/{signal}": signal for signal in Signal}

_TYPES = frozenset({answer.PROTOBUF, answer.JSON})


class Disconnected(Exception):  # noqa: N818 - nobody's fault: there is just no one left to answer
    """The sender went away before its body was whole."""


class OtlpHttp:
    """The ASGI application: one request after the other through the door."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        content_type = _media_type(headers)
        signal = PATHS.get(scope["path"])
        try:
            body = await self._take(signal, scope, headers, receive)
        except Disconnected:
            return
        except Fault as fault:
            self._door.refused(signal, fault)
            await self._refuse(fault, content_type, headers, send)
        except Exception:
            await self._refuse(self._door.failed(signal), content_type, headers, send)
        else:
            await _respond(send, 200, content_type, body)

    async def _take(
        self,
        signal: Signal | None,
        scope: Mapping[str, Any],
        headers: Mapping[bytes, bytes],
        receive: Receive,
    ) -> bytes:
        """The body of the answer to what was taken."""
        if signal is None:
            raise UnknownPath(f"Nothing is served at {scope['path'][:100]}", hint=f"Use {', '.join(PATHS)}")
        if scope["method"] != "POST":
            raise WrongMethod(f"{scope['method']} is not served here", hint="Use POST")
        sender = self._door.sender(partial(_text_of, headers))
        content_type = _media_type(headers)
        if content_type not in _TYPES:
            said = content_type.decode("latin-1")[:100]
            raise UnsupportedMedia(
                f"The content type {said!r} is not spoken here",
                hint="Use Content-Type: application/x-protobuf or application/json",
            )
        with self._door.room() as room:
            raw = await self._body(headers, receive, room)
            encoding = headers.get(b"content-encoding", b"").decode("latin-1")
            body = await self._door.unpack(signal, raw, encoding, is_json=content_type == answer.JSON)
            if body is not raw:
                room.add(len(body))
            warning = await self._door.take(signal, body, sender.target, sender.allowance)
        return answer.success(signal, warning, content_type)

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive, room: Room) -> bytes:
        if _declared_bytes(headers) > self._door.limits.body_bytes:
            raise too_many_bytes(self._door.limits)
        try:
            async with asyncio.timeout(self._door.limits.body_wait_s):
                return await self._chunks(receive, room)
        except TimeoutError:
            raise SlowBody(
                f"The body was not whole after {self._door.limits.body_wait_s} seconds",
                hint="Send smaller batches, or look at the network",
            ) from None

    async def _chunks(self, receive: Receive, room: Room) -> bytes:
        chunks: list[bytes] = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunks.append(message.get("body", b""))
            room.add(len(chunks[-1]))
            if room.held_bytes > self._door.limits.body_bytes:
                raise too_many_bytes(self._door.limits)
            if not message.get("more_body"):
                return b"".join(chunks)

    async def _refuse(
        self, fault: Fault, content_type: bytes, headers: Mapping[bytes, bytes], send: Send
    ) -> None:
        added = answer.http_headers(fault)
        if isinstance(fault, WrongMethod):
            added.append((b"allow", b"POST"))
        if isinstance(fault, Unauthenticated):
            added.append((b"www-authenticate", b"Bearer"))
        if isinstance(fault, UnsupportedMedia):
            added.append((b"accept-encoding", ENCODINGS.encode()))
        if isinstance(fault, SlowBody) or not 0 <= _declared_bytes(headers) <= DISCARDED_BYTES_MAX:
            added.append((b"connection", b"close"))
        if content_type not in _TYPES:
            content_type = answer.PROTOBUF
        await _respond(send, fault.http_status, content_type, answer.http_body(fault, content_type), added)


async def _respond(
    send: Send, status: int, content_type: bytes, body: bytes, added: list[tuple[bytes, bytes]] | None = None
) -> None:
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        *(added or ()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _text_of(headers: Mapping[bytes, bytes], name: str) -> str | None:
    value = headers.get(name.encode())
    return None if value is None else value.decode("latin-1")


def _media_type(headers: Mapping[bytes, bytes]) -> bytes:
    """The type without its parameters: `application/json; charset=utf-8` is JSON."""
    return headers.get(b"content-type", b"").partition(b";")[0].strip().lower()


def _declared_bytes(headers: Mapping[bytes, bytes]) -> int:
    """Content-Length, or -1 when the body comes in chunks of unknown number."""
    declared = headers.get(b"content-length", b"0" if b"transfer-encoding" not in headers else b"-1")
    return int(declared) if declared.isdigit() else -1
