"""An HTTP request as a question: statement, format, parameters, settings, how the answer is to be packed.

ClickHouse's rules: the statement is ?query= followed by the body; ?param_x= fills {x:Type}; every other name
in the URL is a setting; X-ClickHouse-Format and ?default_format= name the format when the statement does not.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from uuid import uuid4

from starlette.requests import ClientDisconnect, Request

from sightline_collector.gateway.encodings import inflated, preferred
from sightline_collector.gateway.limits import Limits
from sightline_collector.gateway.readable import READABLE
from sightline_collector.gateway.refusal import Refused, not_implemented

DEFAULT_FORMAT = "TabSeparated"
BODY_WAIT_S = 30.0

_QUERY_ID = re.compile(r"[\w.:\-]{1,100}", re.ASCII)
_FORMAT = re.compile(r"\w{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks, before it is judged. `encoding` packs the answer, "" not at all."""

    text: str
    format: str
    database: str
    parameters: dict[str, str]
    settings: dict[str, str]
    encoding: str
    revision: int


def query_id_of(request: Request) -> str:
    """The client's name for its question, or a new one."""
    said = request.query_params.get("query_id") or request.headers.get("x-clickhouse-query-id") or ""
    return said if _QUERY_ID.fullmatch(said) else str(uuid4())


async def read_question(request: Request, limits: Limits) -> Asked:
    """Read the request. Raises Refused when it is too large, too slow, or says what is not spoken here."""
    url = request.query_params
    headers = request.headers
    _check_transport(request)
    body = await _body(request, limits.query_bytes) if request.method == "POST" else b""
    parts = [part for part in (url.get("query", ""), _text(body)) if part]
    text = "\n".join(parts)
    if len(text.encode(errors="replace")) > limits.query_bytes:
        raise _too_large(limits.query_bytes)
    return Asked(
        text=text,
        format=_format(headers.get("x-clickhouse-format") or url.get("default_format") or DEFAULT_FORMAT),
        database=headers.get("x-clickhouse-database") or url.get("database", ""),
        parameters={n.removeprefix("param_"): v for n, v in url.items() if n.startswith("param_")},
        settings={
            n: v
            for n, v in url.items()
            if n not in READABLE.transport_settings and not n.startswith("param_")
        },
        encoding=_encoding(request),
        revision=_revision(url.get("client_protocol_version", "")),
    )


def _check_transport(request: Request) -> None:
    url = request.query_params
    if url.get("compress", "0") not in ("", "0", "false") or url.get("decompress", "0") not in (
        "",
        "0",
        "false",
    ):
        raise not_implemented(
            "ClickHouse's own block compression is not spoken here",
            "Use Accept-Encoding, such as gzip or zstd",
        )
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise not_implemented(
            "External tables and form bodies are not spoken here",
            "Send the statement as body and parameters in the URL",
        )


def _format(name: str) -> str:
    if not _FORMAT.fullmatch(name):
        raise Refused(73, "UNKNOWN_FORMAT", f"There is no format {name[:60]!r}")
    return name


def _encoding(request: Request) -> str:
    if request.query_params.get("enable_http_compression", "1") in ("0", "false"):
        return ""
    return preferred(request.headers.get("accept-encoding", ""))


def _revision(said: str) -> int:
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else 0


async def _body(request: Request, bound: int) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > bound:
        raise _too_large(bound)
    chunks = bytearray()
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            async for chunk in request.stream():
                chunks += chunk
                if len(chunks) > bound:
                    raise _too_large(bound)
    except TimeoutError:
        raise Refused(209, "SOCKET_TIMEOUT", "The statement did not arrive in time", status=408) from None
    except ClientDisconnect:
        raise Refused(210, "NETWORK_ERROR", "The client went away", status=400) from None
    try:
        plain = inflated(bytes(chunks), request.headers.get("content-encoding", ""), bound)
    except ValueError as e:
        raise Refused(36, "BAD_ARGUMENTS", f"The body cannot be unpacked: {e}", status=400) from None
    if plain is None:
        raise _too_large(bound)
    return plain


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refused(
            62, "SYNTAX_ERROR", "The statement is not UTF-8", hint="Write bytes as unhex('…')"
        ) from None


def _too_large(bound: int) -> Refused:
    return Refused(
        229, "QUERY_IS_TOO_LARGE", f"The statement is larger than {bound} bytes", hint="Ask for less at once"
    )
