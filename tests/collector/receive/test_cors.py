"""What a browser is answered: by the fetch standard, for the origins that were named."""

import asyncio
from collections.abc import Mapping, MutableMapping
from typing import Any

import pytest

from sightline_collector.receive.cors import Receive, Send, with_origins

ORIGINS = ("https://app.example.com", "https://*.example.org", "http://localhost:*")


async def app(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """Answers 503 to all."""
    await send({"type": "http.response.start", "status": 503, "headers": [(b"retry-after", b"1")]})
    await send({"type": "http.response.body", "body": b"later"})


def answered(
    origins: tuple[str, ...], method: str, headers: dict[bytes, bytes]
) -> tuple[int, dict[bytes, bytes]]:
    """Status and headers."""
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    async def ask() -> None:
        scope = {"type": "http", "method": method, "path": "/v1/traces", "headers": list(headers.items())}
        await with_origins(app, origins)(scope, receive, send)

    asyncio.run(ask())
    return sent[0]["status"], dict(sent[0]["headers"])


def test_a_preflight_is_answered_without_a_key_and_without_the_application() -> None:
    """204 with the origin, POST, the headers that were asked for, and how long that holds."""
    asked = {
        b"origin": b"https://app.example.com",
        b"access-control-request-method": b"POST",
        b"access-control-request-headers": b"content-type,authorization",
    }
    assert answered(ORIGINS, "OPTIONS", asked) == (
        204,
        {
            b"access-control-allow-origin": b"https://app.example.com",
            b"vary": b"origin",
            b"access-control-allow-methods": b"POST",
            b"access-control-allow-headers": b"content-type,authorization",
            b"access-control-max-age": b"7200",
        },
    )


def test_what_is_not_a_list_of_headers_is_not_given_back() -> None:
    """Nothing that a sender wrote becomes a header of ours but names of headers."""
    asked = {b"origin": b"https://app.example.com", b"access-control-request-method": b"POST"}
    said = answered(ORIGINS, "OPTIONS", {**asked, b"access-control-request-headers": b"a: b"})[1]
    assert said[b"access-control-allow-headers"] == b"content-type"


@pytest.mark.parametrize(
    "origin", [b"https://app.example.com", b"https://a.b.example.org", b"http://localhost:3000"]
)
def test_a_page_of_a_named_origin_reads_every_answer(origin: bytes) -> None:
    """Refusals and the time to wait, too."""
    assert answered(ORIGINS, "POST", {b"origin": origin}) == (
        503,
        {
            b"retry-after": b"1",
            b"access-control-allow-origin": origin,
            b"vary": b"origin",
            b"access-control-expose-headers": b"retry-after",
        },
    )


@pytest.mark.parametrize(
    ("origins", "origin"),
    [
        (ORIGINS, b"https://example.org"),
        (ORIGINS, b"https://app.example.com.evil.net"),
        (ORIGINS, b"https://evil.net/.example.org"),
        (ORIGINS, b"http://app.example.com"),
        (ORIGINS, b"null"),
        (ORIGINS, b""),
        ((), b"https://app.example.com"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_another_origin_is_told_nothing(origins: tuple[str, ...], origin: bytes, method: str) -> None:
    """The application answers as if nobody had asked: the browser then refuses."""
    headers = {b"origin": origin, b"access-control-request-method": b"POST"}
    assert answered(origins, method, headers) == (503, {b"retry-after": b"1"})


def test_a_star_alone_is_every_origin() -> None:
    """Also that of a page in a sandbox."""
    assert answered(("*",), "POST", {b"origin": b"null"})[1][b"access-control-allow-origin"] == b"null"
