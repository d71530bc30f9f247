"""OTLP over HTTP: bytes in, and what became of them. One connection, kept open between requests.

`httpx2` knows TLS, proxies and a dozen other things that networks ask for, and comes with the list of prices
already. Its transport is used, not its client: that writes a line into the program's log for each request.
"""

import encodings.idna  # noqa: F401  # this and httpcore2: at the first request otherwise; see `_fork`
import gzip
import os
import ssl
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore2  # noqa: F401
import httpx2

from sightline._destination import Route
from sightline._refusal import UNREACHABLE, Refusal

_BUSY: Final = frozenset({429, 502, 503, 504})  # OTLP's own list of what may be tried again
_BROKEN: Final = (httpx2.NetworkError, httpx2.ProtocolError)
_GZIP_LEVEL: Final = 1  # of fat spans level 6 takes four times as long for a tenth less
_COMPRESS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "gzip": lambda body: gzip.compress(body, _GZIP_LEVEL, mtime=0),
    "deflate": lambda body: zlib.compress(body, _GZIP_LEVEL),
}
_KEPT: Final = httpx2.Limits(max_connections=1, keepalive_expiry=None)


class HttpTransport:
    """Posts bodies to one URL."""

    def __init__(self, route: Route, content_type: str = "application/x-protobuf") -> None:
        self._route = route
        self._compress = _COMPRESS.get(route.compression)
        self._headers = {"content-type": content_type, **_credentials(route.url), **dict(route.headers)}
        if self._compress:
            self._headers["content-encoding"] = route.compression
        self._patience = {"timeout": httpx2.Timeout(route.timeout_s).as_dict()}
        self._transport: httpx2.HTTPTransport | None = None
        self._closed = False

    def send(self, body: bytes) -> bytes | Refusal:
        """What the collector answers when it took it."""
        if self._compress:
            body = self._compress(body)
        try:
            try:
                answer = self._post(body)
            except _BROKEN:  # a kept connection that was closed meanwhile, or all of them by ourselves
                if self._closed:
                    raise
                answer = self._post(body)
        except (httpx2.TransportError, OSError) as error:
            return Refusal(UNREACHABLE, later=True, detail=_reason(error))
        taken = 200 <= answer.status_code < 300
        return answer.content if taken else _refusal(answer)

    def close(self) -> None:
        """A request under way comes back as one that did not arrive."""
        self._closed = True
        if self._transport is not None:
            self._transport.close()

    def _post(self, body: bytes) -> httpx2.Response:
        """Raises OSError where a certificate cannot be read: it may be there the next time."""
        if self._transport is None:
            self._transport = httpx2.HTTPTransport(
                verify=_trusted(self._route), proxy=_proxy(self._route.url), limits=_KEPT
            )
        request = httpx2.Request(
            "POST", self._route.url, content=body, headers=self._headers, extensions=self._patience
        )
        answer = self._transport.handle_request(request)
        try:
            answer.read()
        finally:
            answer.close()
        return answer


def _credentials(url: str) -> dict[str, str]:
    """Who we say we are, of a URL with a user in it."""
    parts = urlsplit(url)
    if not parts.username:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for this URL."""
    parts = urlsplit(url)
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    return found if found and not proxy_bypass(parts.hostname or "") else None


def _trusted(route: Route) -> ssl.SSLContext | bool:
    """Whom to believe to be the collector, and who we say we are; without TLS nobody is asked."""
    if not route.url.startswith("https:"):
        return False
    if route.authorities is None and route.certificate is None:
        return True
    for path in (route.authorities, route.certificate, route.key):
        if path is not None:
            os.stat(path)  # its error names the file, which ssl's do not
    context = ssl.create_default_context(cafile=route.authorities)
    if route.certificate:
        context.load_cert_chain(route.certificate, route.key)
    return context


def _refusal(answer: httpx2.Response) -> Refusal:
    status = answer.status_code
    return Refusal(
        f"refused_{status}",
        later=status in _BUSY,
        splits=status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        detail=f"{status} {answer.reason_phrase}".strip(),
        after_s=_seconds(answer.headers.get("retry-after")),
    )


def _seconds(text: str | None) -> float:
    """Of a Retry-After that is a number; 0 for one that is a date, or none."""
    return float(text) if text and text.isdigit() else 0.0


def _reason(error: BaseException) -> str:
    """What the system said, without the URL, which may hold credentials."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return f"{cause.strerror}: {cause.filename}" if cause.filename else cause.strerror
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
