"""OTLP over HTTP: bytes in, and what became of them. One connection, kept open between requests.

By `httpcore2`, which comes with the list of prices already: the core of a client, without what a client does
beside its work, such as a line in the program's log for each request.
"""

import encodings.idna  # noqa: F401  # at the first request otherwise; see `_fork`
import errno
import gzip
import math
import os
import ssl
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore2

from sightline._delivery.deadline import Deadline, TimedNetwork
from sightline._delivery.destination import Route
from sightline._delivery.refusal import NO_OTLP, UNREACHABLE, Refusal
from sightline._fork import importing

_BUSY: Final = frozenset({429, 502, 503, 504})  # OTLP's own list of what may be tried again
_BROKEN: Final = (httpcore2.NetworkError, httpcore2.ProtocolError)
_FAILURES: Final = (*_BROKEN, httpcore2.TimeoutException, httpcore2.ProxyError, OSError)
_ANSWER_BYTES: Final = 64 * 1024  # a partial success with a long message; more is nobody's answer to us
_GZIP_LEVEL: Final = 1  # of fat spans level 6 takes four times as long for a tenth less
_COMPRESS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "gzip": lambda body: gzip.compress(body, _GZIP_LEVEL, mtime=0),
    "deflate": lambda body: zlib.compress(body, _GZIP_LEVEL),
}


class _NoHttp(httpcore2.RemoteProtocolError):
    """Somebody answered, in another protocol."""


class HttpTransport:
    """Posts bodies to one URL."""

    def __init__(self, route: Route, content_type: str = "application/x-protobuf") -> None:
        self._route = route
        self._compress = _COMPRESS.get(route.compression)
        said = {"content-type": content_type, **_host(route.url), **_credentials(route.url)}
        said.update(route.headers)
        self._headers: list[tuple[bytes | str, bytes | str]] = list(said.items())
        if self._compress:
            self._headers.append(("content-encoding", route.compression))
        self._deadline = Deadline()
        self._connection: httpcore2.ConnectionPool | None = None
        self._closed = False

    def send(self, body: bytes, within_s: float = math.inf) -> bytes | Refusal:
        """What the collector answers when it took it: within the route's timeout, or this if it is less."""
        if self._compress:
            body = self._compress(body)
        patience_s = min(self._route.timeout_s, within_s)
        self._deadline.within(patience_s)
        try:
            return self._posted(body, patience_s)
        except _NoHttp:
            return Refusal(NO_OTLP, later=True, detail="no HTTP is spoken there")
        except _FAILURES as error:
            return Refusal(UNREACHABLE, later=True, detail=_reason(error))

    def close(self) -> None:
        """A request under way comes back as one that did not arrive."""
        self._closed = True
        if self._connection is not None:
            self._connection.close()

    def _posted(self, body: bytes, patience_s: float) -> bytes | Refusal:
        try:
            return self._post(body, patience_s)
        except _BROKEN:  # a kept connection that was closed meanwhile, or all of them by ourselves
            if self._closed:
                raise
        return self._post(body, patience_s)

    def _post(self, body: bytes, patience_s: float) -> bytes | Refusal:
        """Raises OSError where a certificate cannot be read: it may be there the next time."""
        if self._connection is None:
            self._connection = _connection(self._route, TimedNetwork(self._deadline))
        asked = self._connection.stream(
            "POST",
            self._route.url,
            headers=self._headers,
            content=body,
            extensions={"timeout": {"pool": patience_s}},
        )
        with ExitStack() as opened:
            try:
                answer = opened.enter_context(asked)
            except httpcore2.RemoteProtocolError as error:
                if error.__context__ is None:  # the connection was closed before a word was said
                    raise
                raise _NoHttp from error
            said = _content(answer)
        return said if 200 <= answer.status < 300 else _refusal(answer)


def _content(answer: httpcore2.Response) -> bytes:
    """Empty when it is too long, or breaks off: what became of the request is known by the status."""
    content = b""
    try:
        for part in answer.iter_stream():
            content += part
            if len(content) > _ANSWER_BYTES:
                return b""
    except _FAILURES:
        return b""
    return content


def _connection(route: Route, network: httpcore2.NetworkBackend) -> httpcore2.ConnectionPool:
    trusted, proxy = _trusted(route), _proxy(route.url)
    if proxy is None:
        return httpcore2.ConnectionPool(trusted, max_connections=1, network_backend=network)
    user = urlsplit(proxy)
    own = (unquote(user.username), unquote(user.password or "")) if user.username else None
    bare = f"{user.scheme}://{user.netloc.rpartition('@')[2]}"
    return httpcore2.HTTPProxy(bare, own, ssl_context=trusted, max_connections=1, network_backend=network)


def _host(url: str) -> dict[str, str]:
    """The Host header where the client would write a wrong one: an IPv6 address keeps its brackets."""
    parts = urlsplit(url)
    return {"host": parts.netloc.rpartition("@")[2]} if ":" in (parts.hostname or "") else {}


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
    if not found or proxy_bypass(parts.hostname or ""):
        return None
    return found if "://" in found else f"http://{found}"


def _trusted(route: Route) -> ssl.SSLContext | None:
    """Whom to believe to be the collector, and who we say we are; without TLS nobody is asked."""
    if urlsplit(route.url).scheme != "https":
        return None
    for path in (route.authorities, route.certificate, route.key):
        if path is not None:
            os.stat(path)  # its error names the file, which ssl's do not
    with importing:  # a fork in the middle would leave OpenSSL's own locks held in the child
        context = _context(route.authorities)
    if route.certificate:
        key = route.key or route.certificate
        context.load_cert_chain(route.certificate, key, password=lambda: _no_pass_phrase(key))
    return context


def _context(authorities: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authorities) if authorities else httpcore2.default_ssl_context()


def _no_pass_phrase(key: str) -> str:
    """Without this OpenSSL asks at the terminal, and the program waits."""
    raise OSError(errno.EINVAL, "The client key is encrypted; name one that has no pass phrase", key)


def _refusal(answer: httpcore2.Response) -> Refusal:
    status, phrase = answer.status, answer.extensions.get("reason_phrase", b"")
    headers = {name.lower(): value for name, value in answer.headers}
    return Refusal(
        f"refused_{status}",
        later=status in _BUSY,
        splits=status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        detail=f"{status} {phrase.decode('latin-1')}".strip(),
        after_s=_seconds(headers.get(b"retry-after", b"").decode("latin-1")),
    )


def _seconds(text: str) -> float:
    """Of a Retry-After that is a number; 0 for one that is a date, or none."""
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _reason(error: BaseException) -> str:
    """What the system said, without the URL, which may hold credentials."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return f"{cause.strerror}: {cause.filename}" if cause.filename else cause.strerror
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
