"""An answer on its way to the client: headers, packing, and what is said when it breaks.

The first bytes are held back until they are many or all, so the status and the summary of most answers are
the true ones. A fault after that is told as ClickHouse tells it, in a frame at the answer's end:

    \\r\\n__exception__\\r\\nTAG\\r\\nmessage\\nlength TAG\\r\\n__exception__\\r\\n
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from secrets import token_hex

from starlette.responses import PlainTextResponse
from starlette.types import Send

from sightline_collector.errors import StoreRefused, StoreUnreachable
from sightline_collector.gateway.encodings import PACKERS
from sightline_collector.gateway.native import FRAMED_FROM, Frames
from sightline_collector.gateway.question import Asked
from sightline_collector.gateway.refusal import Refused, of_store
from sightline_collector.store.reads import Question, Stream, Summary

HEAD_BYTES = 1 << 18
"""Held back before the first byte is sent."""
PACK_FROM_BYTES = 1 << 10
"""A shorter answer is not worth packing."""

_BINARY = ("Native", "RowBinary", "Parquet", "Arrow", "ORC", "Avro", "MsgPack", "BSON", "Protobuf", "Npy")
_TEXT = {
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "JSON": "application/json; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
}


class Answer:
    """One answer, from its first byte to its last."""

    def __init__(
        self,
        question: Question,
        asked: Asked,
        read: Callable[[], Awaitable[bytes]],
        *,
        counted: bool = True,
    ) -> None:
        """`counted`: how many rows were read may be told."""
        self._counted = counted
        self._question = question
        self._asked = asked
        self._read = read
        self._tag = token_hex(8)
        framed = question.format == "Native" and asked.revision >= FRAMED_FROM
        self._frames = Frames() if framed else None
        self._head = b""
        self._ended = False
        self.broken = False

    async def begin(self) -> None:
        """Read the head. Raises StoreRefused, Refused: nothing has been sent then."""
        while len(self._head) < HEAD_BYTES and not self._ended:
            self._head += await self._next()

    async def _next(self) -> bytes:
        chunk = await self._read()
        self._ended = not chunk
        if self._frames is None:
            return chunk
        return self._frames.end() if self._ended else self._frames.add(chunk)

    async def deliver(self, stream: Stream, timezone: str, send: Send) -> None:
        """Send headers and body."""
        small = self._ended and len(self._head) < PACK_FROM_BYTES
        encoding = "" if small else self._asked.encoding
        headers = {
            "X-ClickHouse-Query-Id": self._question.query_id,
            "X-ClickHouse-Format": self._question.format,
            "X-ClickHouse-Timezone": timezone,
            "X-ClickHouse-Server-Display-Name": "sightline",
            "X-ClickHouse-Summary": _said(stream.summary if self._counted else Summary()),
            "X-ClickHouse-Exception-Tag": self._tag,
            "Content-Type": content_type(self._question.format),
        }
        if encoding:
            headers["Content-Encoding"] = encoding
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        async for chunk in _packed(self._pieces(), encoding):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield self._head
        try:
            while not self._ended:
                yield await self._next()
        except (StoreRefused, StoreUnreachable) as e:
            yield self._fault_frame(of_store(e))
        except Refused as e:
            yield self._fault_frame(e)

    def _fault_frame(self, why: Refused) -> bytes:
        self.broken = True
        message = f"{why}\n".encode()
        tag = self._tag.encode()
        return b"\r\n__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (tag, message, len(message), tag)


async def _packed(pieces: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    packer = PACKERS[encoding]() if encoding else None
    async for piece in pieces:
        packed = packer.compress(piece) if packer else piece
        if packed:
            yield packed
    if packer:
        yield packer.flush()


def _said(summary: Summary) -> str:
    counted = {
        "read_rows": summary.read_rows,
        "read_bytes": summary.read_bytes,
        "written_rows": 0,
        "written_bytes": 0,
        "result_rows": summary.result_rows,
        "elapsed_ns": summary.elapsed_ns,
    }
    return json.dumps({name: str(value) for name, value in counted.items()})


def content_type(format_name: str) -> str:
    """The media type of one of ClickHouse's output formats."""
    if format_name.startswith(_BINARY):
        return "application/octet-stream"
    if format_name.endswith("EachRow") and format_name.startswith("JSON"):
        return _TEXT["JSONEachRow"]
    found = (type_ for start, type_ in _TEXT.items() if format_name.startswith(start))
    return next(found, "text/plain; charset=UTF-8")


def refusal(why: Refused, query_id: str) -> PlainTextResponse:
    """A refusal as a response: ClickHouse's words, code and status."""
    headers = {"X-ClickHouse-Query-Id": query_id, "X-ClickHouse-Exception-Code": str(why.code)}
    if why.status in (429, 503):
        headers["Retry-After"] = "1"
    return PlainTextResponse(f"{why}\n", why.status, headers)
