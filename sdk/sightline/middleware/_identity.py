"""Whose request it is: read from its headers and cookies, or said by the application once it knows."""

import hashlib
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from sightline import attributes
from sightline._context import carrying_later
from sightline._safety import log_rarely, shielded
from sightline.masking._secret_names import is_secret_name
from sightline.middleware._options import Reader

if TYPE_CHECKING:
    from sightline._spans.open import OpenSpan

_REQUEST: Final = otel_context.create_key("sightline-request")
_DIGEST_CHARS: Final = 16  # 64 bits: enough to tell users apart, too few to try passwords against
_ID_CHARS: Final = 256  # a caller may send a header of any length, and ids are on every span


def header(name: str) -> Reader:
    """A reader of this header; credentials (Authorization, X-API-Key, ...) come out as a digest.

    Anybody can write a header: name one that your gateway sets, and drops when it comes from outside.
    """
    digests = is_secret_name(name)

    def read(request: Any) -> str | None:
        said = _header(request, name)
        return _digest(said) if said and digests else said or None

    return read


def cookie(name: str) -> Reader:
    """A reader of this cookie, as a digest: who holds a session cookie is logged in, so it never leaves."""

    def read(request: Any) -> str | None:
        try:
            found = SimpleCookie(_header(request, "cookie") or "").get(name)
        except CookieError:
            return None
        return _digest(found.value) if found and found.value else None

    return read


@shielded
def identify(*, user_id: object = None, session_id: object = None, feature: str | None = None) -> None:
    """Say whose the current request is, from wherever the application learns it: after a login, in a
    dependency. The request's span and all that start from now on carry it; outside of a request, none does.
    """
    request = otel_context.get_value(_REQUEST)
    if isinstance(request, Around):
        request.say(as_attributes(user_id, session_id, feature))


class Around:
    """What the spans of one request carry. Its feature is the route, which is known after the first spans."""

    def __init__(self, values: Mapping[str, Any], feature: Callable[[], str | None] | None) -> None:
        self._values = dict(values)
        self._feature = feature
        self.span: OpenSpan | None = None

    def read(self) -> dict[str, Any]:
        if self._feature is not None and attributes.FEATURE not in self._values:
            feature = self._feature()
            return self._values if feature is None else {**self._values, attributes.FEATURE: feature}
        return self._values

    def say(self, values: Mapping[str, Any]) -> None:
        # A new dictionary: a span that is stamped by another thread right now goes on reading the old one.
        self._values = {**self._values, **values}
        if self.span is not None:
            self.span.say(values)

    def within(self, context: Context) -> Context:
        """The context, in which this request is the current one."""
        return otel_context.set_value(_REQUEST, self, carrying_later(self.read, context))


def as_attributes(user_id: object, session_id: object, feature: object) -> dict[str, Any]:
    """The attributes of those that are known, as texts of at most 256 characters."""
    values = {
        attributes.USER_ID: user_id,
        attributes.SESSION_ID: session_id,
        attributes.CONVERSATION_ID: session_id,
        attributes.FEATURE: feature,
    }
    return {name: str(value)[:_ID_CHARS] for name, value in values.items() if value is not None}


def asked(reader: Reader | None, request: Any) -> object:
    """What the user's function says of a request; None, with a warning now and then, when it fails."""
    try:
        return reader(request) if reader is not None else None
    except Exception as error:
        log_rarely(
            "middleware", "A function given to the middleware failed; the request goes on", error=error
        )
        return None


def template(reader: Reader | None, request: Any) -> str | None:
    """The route that the user's function says."""
    said = asked(reader, request)
    return None if said is None else str(said)


def _header(request: Any, name: str) -> str | None:
    """A header's value, from Django's request, an ASGI scope or a WSGI environ."""
    if hasattr(request, "headers"):
        return str(request.headers.get(name, ""))
    if "headers" in request:
        wanted = name.lower().encode("latin-1")
        found = [value.decode("latin-1") for key, value in request["headers"] if key.lower() == wanted]
        return ("; " if wanted == b"cookie" else ",").join(found)
    return str(request.get(f"HTTP_{name.upper().replace('-', '_')}", ""))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:_DIGEST_CHARS]
