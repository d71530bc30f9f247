"""OTLP over HTTP: bytes in, and what became of them. One connection, kept open between requests.

`requests` knows proxies, certificates and a dozen other things that networks ask for.
"""

import encodings.idna  # noqa: F401  # this and netrc: at the first request otherwise; see `_fork`
import gzip
import netrc  # noqa: F401
import zlib
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import requests

from sightline._destination import Route
from sightline._refusal import UNREACHABLE, Refusal

_BUSY: Final = frozenset({429, 502, 503, 504})  # OTLP's own list of what may be tried again
_GZIP_LEVEL: Final = 1  # of fat spans level 6 takes four times as long for a tenth less
_COMPRESS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "gzip": lambda body: gzip.compress(body, _GZIP_LEVEL, mtime=0),
    "deflate": lambda body: zlib.compress(body, _GZIP_LEVEL),
}


class HttpTransport:
    """Posts bodies to one URL."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._compress = _COMPRESS.get(route.compression)
        self._session: Any = requests.Session()
        # Said with each request: of a session it would give way to REQUESTS_CA_BUNDLE.
        self._verify = route.authorities or True
        if route.certificate:
            self._session.cert = (route.certificate, route.key) if route.key else route.certificate
        self._session.headers.update({"content-type": "application/x-protobuf", **dict(route.headers)})
        if self._compress:
            self._session.headers["content-encoding"] = route.compression

    def send(self, body: bytes) -> bytes | Refusal:
        """What the collector answers when it took it."""
        if self._compress:
            body = self._compress(body)
        try:
            try:
                answer = self._post(body)
            except requests.ConnectionError:  # a kept connection that was closed meanwhile
                answer = self._post(body)
        except OSError as error:
            return Refusal(UNREACHABLE, later=True, detail=_reason(error))
        taken = 200 <= answer.status_code < 300
        return bytes(answer.content) if taken else _refusal(answer)

    def close(self) -> None:
        self._session.close()

    def _post(self, body: bytes) -> Any:
        return self._session.post(
            self._route.url,
            data=body,
            timeout=self._route.timeout_s,
            verify=self._verify,
            allow_redirects=False,
        )


def _refusal(answer: Any) -> Refusal:
    status = int(answer.status_code)
    return Refusal(
        f"refused_{status}",
        later=status in _BUSY,
        splits=status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        detail=f"{status} {answer.reason or ''}".strip(),
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
            return cause.strerror
        if type(cause) is OSError:  # what `requests` says of a certificate that is not there
            return str(cause)
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
