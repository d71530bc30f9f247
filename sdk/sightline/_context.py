"""Who, where and which variant: said once, carried by OpenTelemetry's context to every span below.

The values travel as ready span attributes under one context key; `stamp` puts them on a span when it
starts, whoever starts it: a foreign instrumentation's spans carry them too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from sightline import _prompt_link, attributes
from sightline._safety import shielded
from sightline._spans.attributes import attributes_of, put
from sightline._spans.leaving import leave

_CARRIED: Final = otel_context.create_key("sightline")
_NOTHING: Final[Mapping[str, Any]] = {}


@contextmanager
def context(
    *,
    user_id: object = None,
    session_id: object = None,
    feature: str | None = None,
    prompt: tuple[str, object] | str | None = None,
    variant: object = None,
    tags: Sequence[str] = (),
) -> Iterator[None]:
    """Every span started inside the block carries these values; the inner of two blocks wins, tags add up.

    `session_id` is also the OpenTelemetry conversation id. `prompt` is a name, or a name and its version.
    """
    with carrying(_as_attributes(user_id, session_id, feature, prompt, variant, tags) or _NOTHING):
        yield


@contextmanager
def carrying(values: Mapping[str, Any], *, alone: bool = False) -> Iterator[None]:
    """Carry these span attributes to every span below, beside those carried already, or alone."""
    global _moved
    _moved = _moved or attributes.BACKDATE_NS in values
    merged = dict(values) if alone else {**carried(), **values}
    entered = otel_context.set_value(_CARRIED, merged)
    token = otel_context.attach(entered)
    try:
        yield
    finally:
        leave(token, entered)


def carried(context: Context | None = None) -> Mapping[str, Any]:
    """The attributes that this context carries."""
    values = otel_context.get_value(_CARRIED, context)
    if type(values) is dict:
        return values
    return values() if callable(values) else _NOTHING


def with_carried(values: Mapping[str, Any]) -> Context:
    """The current context, carrying these attributes beside those carried already."""
    return otel_context.set_value(_CARRIED, {**carried(), **values})


def carrying_later(read: Callable[[], Mapping[str, Any]], context: Context) -> Context:
    """The context, carrying what `read` answers each time a span starts: a request's route and user are
    known only after its first spans. What was carried before is for `read` to keep.
    """
    return otel_context.set_value(_CARRIED, read, context)


def stamp(span: trace.Span, parent_context: Context | None) -> None:
    """Put what is carried on a span that has just started; what its own author has set stays."""
    values = carried(parent_context)
    if _moved:
        values = _moved_with_parent(values, attributes_of(trace.get_current_span(parent_context)))
    if _prompt_link.used:
        values = _prompt_link.linked(values, span, parent_context)
    if values:
        own = attributes_of(span)
        put(span, {name: value for name, value in values.items() if name not in own})


# Whether anything was ever put into the past in this process: if not, no parent needs to be asked.
_moved = False


def _moved_with_parent(values: Mapping[str, Any], parents: Mapping[str, Any]) -> Mapping[str, Any]:
    """A trace moves as a whole: a child that moved alone would begin before its parent."""
    if attributes.BACKDATE_NS in parents or (parents and attributes.BACKDATE_NS in values):
        return {**values, attributes.BACKDATE_NS: parents.get(attributes.BACKDATE_NS, 0)}
    return values


@shielded
def _as_attributes(
    user_id: object, session_id: object, feature: object, prompt: object, variant: object, tags: Sequence[str]
) -> dict[str, Any]:
    name, version = prompt if isinstance(prompt, tuple) else (prompt, None)
    values: dict[str, Any] = {
        attributes.USER_ID: user_id,
        attributes.SESSION_ID: session_id,
        attributes.CONVERSATION_ID: session_id,
        attributes.FEATURE: feature,
        attributes.PROMPT_NAME: name,
        attributes.PROMPT_VERSION: version,
        attributes.VARIANT: variant,
    }
    texts: dict[str, Any] = {key: str(value) for key, value in values.items() if value is not None}
    if tags:
        known = carried().get(attributes.TAGS, ())
        texts[attributes.TAGS] = tuple(
            dict.fromkeys([*known, *map(str, [tags] if isinstance(tags, str) else tags)])
        )
    return texts
