"""WSGI: Flask, and any other application; Django has a middleware of its own.

    app.wsgi_app = WSGIMiddleware(app.wsgi_app)

A streamed answer is the request's work too: the span ends when it is read to its end, closed, dropped, or
fails, and is current whenever the application makes the next piece.
"""

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any, Unpack

from sightline._safety import shielded
from sightline.middleware import _routes
from sightline.middleware._identity import template
from sightline.middleware._opening import opened, passed_on
from sightline.middleware._options import Asked, Options
from sightline.middleware._request import Incoming, RequestSpan

Environ = MutableMapping[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Any, Any], Iterable[bytes]]


class WSGIMiddleware:
    """One workflow span a request; `Options` says what the keyword arguments do."""

    def __init__(self, app: App, **options: Unpack[Asked]) -> None:
        self.app = app
        self._options = Options(**options)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        span = _opened(environ, self._options)
        if span is None:
            return self.app(environ, start_response)

        def noting(status: str, headers: Any, *exc_info: Any) -> Any:
            span.answering(status)
            return start_response(status, headers, *exc_info)

        span.activate()
        try:
            body = self.app(environ, noting)
        except BaseException as error:
            span.finish(error)
            raise
        if _is_whole(body, environ):
            span.finish()
            return body
        span.suspend()
        return Body(body, span)


class Body:
    """A streamed body, handed on piece by piece; what it is made of is closed once, when the server says."""

    def __init__(self, pieces: Iterable[bytes], span: RequestSpan) -> None:
        self._pieces, self._span = pieces, span
        self._reading: Iterator[bytes] | None = None
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self._span.activate()
        try:
            if self._reading is None:
                self._reading = iter(self._pieces)
            piece = next(self._reading)
        except StopIteration:
            self._span.finish()
            raise
        except BaseException as error:
            self._span.finish(error)
            raise
        finally:
            self._span.suspend()
        return piece

    def close(self) -> None:
        """Over, for whatever reason: who stops in the middle of an answer has lost the client."""
        if self._closed:
            return
        self._closed = True
        self._span.activate()
        try:
            if (close := getattr(self._pieces, "close", None)) is not None:
                close()
        except BaseException as error:
            self._span.finish(error)
            raise
        finally:
            self._span.suspend()
            if self._reading is not None:
                self._span.abandon()
            self._span.finish()  # nobody asked for the body of a HEAD request

    def __del__(self) -> None:
        self._span.finish()


def _is_whole(body: Iterable[bytes], environ: Environ) -> bool:
    """Whether nothing of the application runs any more while the body is sent; such a body stays as it is,
    since servers count lists to know the length, and send files by themselves.
    """
    files = environ.get("wsgi.file_wrapper")
    return isinstance(body, list | tuple) or (isinstance(files, type) and isinstance(body, files))


@shielded
def _opened(environ: Environ, options: Options) -> RequestSpan | None:
    span = opened(_incoming(environ, options), options)
    ours = passed_on(span) if span is not None else None
    if ours is not None:
        environ["HTTP_TRACEPARENT"] = ours
    return span


def _incoming(environ: Environ, options: Options) -> Incoming:
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    return Incoming(
        raw=environ,
        method=str(environ.get("REQUEST_METHOD", "")),
        scheme=str(environ.get("wsgi.url_scheme", "http")),
        path=path.encode("latin-1", "replace").decode("utf-8", "replace"),
        query=str(environ.get("QUERY_STRING", "")),
        headers={
            name[5:].replace("_", "-").lower(): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_")
        },
        route=_routes.remembered(lambda: template(options.route, environ) or _routes.of_environ(environ)),
    )
