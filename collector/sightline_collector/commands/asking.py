"""How the subcommands talk to a running collector: HTTP, with what the standard library has."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

DEFAULT_URL = "http://127.0.0.1:4319"
ENVIRONMENT_URL = "SIGHTLINE_URL"
ANSWER_S = 90.0
"""Longer than the collector lets a statement run."""
FRAME_BYTES_MAX = 32 << 10
"""Held back while an answer streams: a fault stands in a frame at its end, and is no part of it."""


class NotAnswered(Exception):  # noqa: N818 - what happened, as it is said to the person who asked
    """The collector did not answer, or refused: the message, and what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def add_url(parser: argparse.ArgumentParser) -> None:
    """Declare --url."""
    parser.add_argument(
        "--url",
        default=os.environ.get(ENVIRONMENT_URL, DEFAULT_URL),
        help=f"the collector's SQL port (default {DEFAULT_URL}, or ${ENVIRONMENT_URL})",
    )


@dataclass(frozen=True, slots=True)
class Collector:
    """A running collector at an address."""

    url: str

    @contextmanager
    def statement(
        self, sql: str, format_name: str, settings: Mapping[str, str] | None = None
    ) -> Iterator[Iterator[bytes]]:
        """The answer's bytes in pieces. Raises NotAnswered, also when a fault ends them early."""
        asked = urlencode({"default_format": format_name, **(settings or {})})
        with self._opened("POST", f"/?{asked}", sql.encode(), {"Content-Type": "text/plain"}) as response:
            yield _pieces(response)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The JSON that an endpoint answers. Raises NotAnswered."""
        sent = None if body is None else json.dumps(body).encode()
        with self._opened(method, path, sent, {"Content-Type": "application/json"}) as response:
            said = json.loads(response.read())
        return dict(said)

    @contextmanager
    def _opened(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Iterator[HTTPResponse]:
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise NotAnswered(f"{self.url!r} is no address", f"It looks like {DEFAULT_URL}")
        address = self.url.rstrip("/") + path
        request = Request(address, body, dict(headers), method=method)  # noqa: S310 - checked above
        try:
            # The collector is next door: a proxy of the environment would only be in the way.
            response = build_opener(ProxyHandler({})).open(request, timeout=ANSWER_S)
        except HTTPError as e:
            raise _refused(e) from None
        except (URLError, HTTPException, OSError) as e:
            raise self._nobody(e) from None
        with response:
            yield response

    def _nobody(self, error: Exception) -> NotAnswered:
        why = getattr(error, "reason", error)
        return NotAnswered(
            f"no collector answers at {self.url} ({why})",
            "start one with `sightline up`, or name another with --url",
        )


def _pieces(response: HTTPResponse) -> Iterator[bytes]:
    mark = f"\r\n__exception__\r\n{response.headers.get('X-ClickHouse-Exception-Tag')}\r\n".encode()
    held = b""
    while piece := _piece(response):
        held += piece
        if len(held) > FRAME_BYTES_MAX:
            yield held[:-FRAME_BYTES_MAX]
            held = held[-FRAME_BYTES_MAX:]
    answer, found, frame = held.partition(mark)
    yield answer
    if found:
        # The message, its length with the tag once more, and the closing mark.
        raise NotAnswered(_words(frame.decode(errors="replace").rsplit("\n", 3)[0]))


def _piece(response: HTTPResponse) -> bytes:
    try:
        return response.read1(1 << 16)
    except (HTTPException, OSError) as e:
        raise NotAnswered(
            f"the answer broke off ({e})", "ask again; the collector may have stopped"
        ) from None


def _refused(error: HTTPError) -> NotAnswered:
    said = error.read(64 << 10).decode(errors="replace").strip()
    try:
        fields = json.loads(said)
        why = fields.get("error") or "; ".join(fields["reasons"])
        return NotAnswered(str(why), str(fields.get("hint", "")))
    except (ValueError, KeyError, TypeError):
        return NotAnswered(_words(said) or f"the collector answered {error.code}")


def _words(said: str) -> str:
    """The engine's words without what machines read, and without all that it could have parsed instead."""
    words = re.sub(r"^Code: \d+\. DB::Exception: ", "", said).strip()
    return re.sub(r"\.? Expected one of: .{200,}(\. \([A-Z_]+\))$", r"\1", words, flags=re.DOTALL)


def told(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Turns what goes wrong in a subcommand into a sentence, a next step and exit code 1."""

    def telling(arguments: argparse.Namespace) -> int:
        import sys

        try:
            return run(arguments)
        except NotAnswered as e:
            hint = f"\n  → {e.hint}" if e.hint else ""
            print(f"sightline: {e.message}{hint}", file=sys.stderr)
            return 1

    return telling


def path_of(*parts: str) -> str:
    """A path with its parts escaped."""
    return "/" + "/".join(quote(part, safe="=,:") for part in parts)
