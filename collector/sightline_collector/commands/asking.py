"""How the subcommands talk to a running collector: HTTP, with what the standard library has."""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from sightline_collector.commands.program import complain
from sightline_collector.errors import Fault
from sightline_collector.operate.direct import NoRedirects

DEFAULT_URL = "http://127.0.0.1:4319"
ENVIRONMENT_URL = "SIGHTLINE_URL"
ENVIRONMENT_CERT = "SIGHTLINE_CLIENT_CERT"
ENVIRONMENT_KEY = "SIGHTLINE_KEY"
"""Never an argument: every user of a machine can list those of every process."""
ANSWER_S = 90.0
"""Longer than the collector lets a statement run."""
LISTENS_S = 2.0
OWN_HEADER = "X-ClickHouse-Exception-Code"
"""Stands on every refusal of a statement; other refusals are JSON with an `error` or its `reasons`."""
UNAUTHENTICATED, INTERNAL_ERROR = 401, 500
GIVE_A_KEY = f"put a key into ${ENVIRONMENT_KEY}: `sightline key add` makes one"
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
            if "X-ClickHouse-Format" not in response.headers:
                raise self._another()
            yield _pieces(response)

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, answer_s: float = ANSWER_S
    ) -> dict[str, Any]:
        """The JSON that an endpoint answers. Raises NotAnswered."""
        sent = None if body is None else json.dumps(body).encode()
        with self._opened(method, path, sent, {"Content-Type": "application/json"}, answer_s) as response:
            try:
                return dict(json.loads(b"".join(_chunks(response))))
            except (ValueError, TypeError):
                raise self._another() from None

    def content(self, path: str) -> bytes:
        """The bytes that an endpoint answers to GET. Raises NotAnswered."""
        with self._opened("GET", path, None, {}) as response:
            return b"".join(_chunks(response))

    @contextmanager
    def _opened(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        answer_s: float = ANSWER_S,
    ) -> Iterator[HTTPResponse]:
        self._check_address()
        address = self.url.rstrip("/") + path
        sent = {**headers, **authorization()}
        request = Request(address, body, sent, method=method)  # noqa: S310 - checked above
        try:
            # The collector is next door: a proxy of the environment would only be in the way.
            response = build_opener(ProxyHandler({}), NoRedirects(), *_certified()).open(
                request, timeout=answer_s
            )
        except HTTPError as e:
            raise _refused(e) or self._another() from None
        except URLError as e:
            self._failed(e.reason)
        except TimeoutError:
            raise NotAnswered(
                f"the collector at {self.url} has not answered after {answer_s:g} seconds",
                "it may still be at work: ask again later",
            ) from None
        except (HTTPException, OSError) as e:
            self._failed(e)
        with response:
            yield response

    def _check_address(self) -> None:
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise NotAnswered(f"{self.url!r} is no address", f"it looks like {DEFAULT_URL}")
        if "@" in parts.netloc:
            raise NotAnswered(
                "a collector takes no user and password", f"leave them out of --url: {DEFAULT_URL}"
            )

    def _failed(self, why: object) -> NoReturn:
        if isinstance(why, (HTTPException, ConnectionResetError)):
            raise (self._another() if self._listens() else self._stopped()) from None
        if isinstance(why, socket.gaierror):
            raise NotAnswered(
                f"no host is called {urlsplit(self.url).hostname!r}",
                f"correct --url: it looks like {DEFAULT_URL}",
            ) from None
        if isinstance(why, TimeoutError):
            why = "no answer in time"
        said = getattr(why, "strerror", None) or why
        raise NotAnswered(
            f"no collector answers at {self.url} ({said})",
            "start one with `sightline up`, or name another with --url",
        ) from None

    def _listens(self) -> bool:
        """Whether the port still takes connections: one for spans does, but answers no question."""
        parts = urlsplit(self.url)
        try:
            address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
            socket.create_connection(address, LISTENS_S).close()
        except OSError:
            return False
        return True

    def _stopped(self) -> NotAnswered:
        return NotAnswered(
            f"the collector at {self.url} stopped before it answered",
            "start it with `sightline up` and ask again: what it has written is kept",
        )

    def _another(self) -> NotAnswered:
        """Something listens there that does not speak as the SQL port does."""
        return NotAnswered(
            f"{self.url} is not a collector's SQL port",
            f"that is {DEFAULT_URL} unless `sightline up` said another; 4317 and 4318 only take OTLP",
        )


def _certified() -> list[HTTPSHandler]:
    """Shows the client's certificate, if there is one; whom to trust is said by SSL_CERT_FILE."""
    file = os.environ.get(ENVIRONMENT_CERT)
    if not file:
        return []
    context = ssl.create_default_context()
    try:
        context.load_cert_chain(file)
    except (OSError, ssl.SSLError):
        hint = "it names a PEM file that holds a certificate and its key"
        raise NotAnswered(f"${ENVIRONMENT_CERT} cannot be used: {file}", hint) from None
    return [HTTPSHandler(context=context)]


def authorization() -> dict[str, str]:
    """The header with the key of the environment, if there is one. Raises NotAnswered."""
    key = os.environ.get(ENVIRONMENT_KEY, "").strip()
    if not key.isascii() or not key.isprintable():
        raise NotAnswered(f"${ENVIRONMENT_KEY} holds no key", "it is what `sightline key add` printed")
    return {"Authorization": f"Bearer {key}"} if key else {}


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


def _chunks(response: HTTPResponse) -> Iterator[bytes]:
    while piece := _piece(response):
        yield piece


def _piece(response: HTTPResponse) -> bytes:
    try:
        return response.read1(1 << 16)
    except (HTTPException, OSError) as e:
        raise NotAnswered(
            f"the answer broke off ({e})", "ask again; the collector may have stopped"
        ) from None


def _refused(error: HTTPError) -> NotAnswered | None:
    """The collector's own words; None when it was not a collector's SQL port that answered."""
    said = error.read(64 << 10).decode(errors="replace").strip()
    keyless = error.code == UNAUTHENTICATED
    if OWN_HEADER in error.headers:
        return NotAnswered(_words(said), GIVE_A_KEY if keyless else "")
    try:
        fields = json.loads(said)
        why = fields.get("error") or "; ".join(fields["reasons"])
        return NotAnswered(str(why), GIVE_A_KEY if keyless else str(fields.get("hint", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        own = error.code == INTERNAL_ERROR
        return NotAnswered(f"it answered {error.code}", "read the collector's log") if own else None


def _words(said: str) -> str:
    """The engine's words without what machines read, without all that it could have parsed instead, and
    without what it says twice."""
    words = re.sub(r"^Code: \d+\. DB::Exception: ", "", said).strip()
    words = re.sub(r" (\([A-Z_]+\)) \(version [^)]*\)\. \1$", r" \1", words)
    words = re.sub(r"\.? Expected one of: .{200,}(\. \([A-Z_]+\))$", r"\1", words, flags=re.DOTALL)
    return re.sub(r"\.(?: \.)+( \([A-Z_]+\))$", r".\1", words)


def told(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Turns what goes wrong in a subcommand into a sentence, a next step and exit code 1."""

    def telling(arguments: argparse.Namespace) -> int:
        try:
            return run(arguments)
        except (NotAnswered, Fault) as e:
            complain(e.message, e.hint)
            return 1

    return telling


def path_of(*parts: str) -> str:
    """A path with its parts escaped."""
    return "/" + "/".join(quote(part, safe="=,:") for part in parts)
