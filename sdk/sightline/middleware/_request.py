"""The span of one request, from its first byte in to its last byte out."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode

from sightline import attributes
from sightline._safety import shielded
from sightline._spans.open import OpenSpan
from sightline.masking import Guard
from sightline.masking._secret_names import is_secret_parameter
from sightline.middleware._identity import Around

# Methods are the caller's words: unknown ones would make names without end.
_METHODS: Final = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
)
_OTHER: Final = "_OTHER"
_FAILED: Final = 500
_URL_CHARS: Final = 2_048  # of a path and of a query; browsers and proxies stop near it


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it came in. `raw` is what its framework made of it: scope, environ or HttpRequest.

    `path` is whole, mounts included; names of `headers` are in lower case; `route` answers the template of
    the route once it is known.
    """

    raw: Any
    method: str
    scheme: str
    path: str
    query: str
    headers: Mapping[str, str]
    route: Callable[[], str | None]


class RequestSpan(OpenSpan):
    """A request's span. It ends once, with whoever is first to say that the answer is over. Never raises."""

    __slots__ = ("_around", "_incoming", "_method", "_over", "error", "gone", "status")

    def __init__(self, incoming: Incoming, around: Around, kind: SpanKind, parent: Context) -> None:
        self._incoming, self._around, self._over = incoming, around, False
        self._method = incoming.method if incoming.method in _METHODS else _OTHER
        self.status: int | None = None
        self.gone = False  # the client left before the answer was complete
        self.error: BaseException | None = None  # what the framework made a response of
        super().__init__(self._named(None), self._known(), kind, around.within(parent))
        around.span = self

    @property
    def context(self) -> Context:
        """In which this span is current."""
        return self._context

    @property
    def failing(self) -> bool:
        """Whether the answer is the server's own failure, whose exception may be yet to come."""
        return self.status is not None and self.status >= _FAILED

    @shielded
    def answering(self, status: int | str) -> None:
        """The answer begins, with this status or status line; by now the route is known, if it ever is."""
        self.status = int(str(status)[:3])
        self._incoming.route()

    @shielded
    def finish(self, error: BaseException | None = None) -> None:
        """The answer is over: in full, broken off by the client, or by an error of the application."""
        if self._over:
            return
        self._over = True
        self._around.span = None  # a circle would keep every request until the garbage collector comes by
        if self.recording:
            self._note_route()
            self._note_outcome(error)
        self.end()

    def abandon(self) -> None:
        """The answer was given up, if it is not over: its reader is gone."""
        if not self._over:
            self.gone = True
            self.finish()

    def say_query(self) -> None:
        """Record the query string, without the values of what looks like a secret by name or by form."""
        pairs = parse_qsl(self._incoming.query, keep_blank_values=True)
        kept = [(name, "REDACTED" if is_secret_parameter(name) else _masked(value)) for name, value in pairs]
        if kept:
            self.say({attributes.URL_QUERY: urlencode(kept, safe="[]")[:_URL_CHARS]})

    def _known(self) -> dict[str, Any]:
        return {
            attributes.OPERATION: "workflow",
            attributes.GEN_AI_OPERATION: "invoke_workflow",
            attributes.HTTP_METHOD: self._method,
            attributes.URL_SCHEME: self._incoming.scheme,
            attributes.URL_PATH: _masked(self._incoming.path)[:_URL_CHARS],
        }

    def _named(self, route: str | None) -> str:
        method = "HTTP" if self._method == _OTHER else self._method
        return f"{method} {route}" if route else method

    def _note_route(self) -> None:
        route = self._incoming.route()
        if route is not None:
            name = self._named(route)
            self.span.update_name(name)
            self.say({attributes.HTTP_ROUTE: route, attributes.WORKFLOW_NAME: name})
        feature = self._around.read().get(attributes.FEATURE)
        if feature is not None:
            self.say({attributes.FEATURE: feature})

    def _note_outcome(self, error: BaseException | None) -> None:
        if error is not None and not self.gone:
            # Who fails before answering is answered for by the server, with this status.
            self.status = self.status or _FAILED
            self.fail(error)
        elif self.failing:
            if self.error is not None:
                self.fail(self.error)
            else:
                self.say({attributes.ERROR_TYPE: str(self.status)})
                self.span.set_status(Status(StatusCode.ERROR))
        if self.status is not None:
            self.say({attributes.HTTP_STATUS: self.status})
        if self.gone:
            self.say({attributes.CLIENT_GONE: True})


@functools.cache
def _guard() -> Guard:
    return Guard("masked")


def _masked(text: str) -> str:
    """A part of a URL without secrets, whatever the content mode: URLs are in logs, histories and links."""
    return str(_guard().attributes({attributes.URL_PATH: text})[attributes.URL_PATH])
