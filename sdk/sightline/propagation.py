"""Across processes: the trace, and what `context()` carries, as W3C headers.

    requests.post(url, headers=propagation.headers())           # the program that calls
    with propagation.received(request.headers):                 # the program that is called
        answer(request.json()["question"])

Spans of both are one trace, and carry the same user, session, feature, prompt, experiment, variant and tags;
a shadow call stays one. Nothing is sent by itself: who the user is leaves the process only to those whom you
give the headers.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import baggage
from opentelemetry import context as otel_context
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from sightline import attributes
from sightline._context import carried, carrying
from sightline._safety import shielded

_TEXTS: Final = (
    attributes.USER_ID,
    attributes.SESSION_ID,
    attributes.CONVERSATION_ID,
    attributes.FEATURE,
    attributes.PROMPT_NAME,
    attributes.PROMPT_VERSION,
    attributes.EXPERIMENT,
    attributes.VARIANT,
)
_TAG_END: Final = ","
_YES: Final = "true"
_VALUE_CHARS: Final = 256  # W3C's readers give up beyond 8,192 bytes for all values together

_trace_headers: Final = TraceContextTextMapPropagator()
_baggage_headers: Final = W3CBaggagePropagator()


def headers() -> dict[str, str]:
    """`traceparent`, `tracestate` and `baggage` of where the program is now; empty outside of any span.

    What the program has put into OpenTelemetry's baggage is there too. Values longer than 256 characters
    stay here.
    """
    return _written() or {}


@contextmanager
def received(headers: Mapping[str, str]) -> Iterator[None]:
    """Spans started inside the block continue the caller's trace and carry what it carried.

    Names of headers may be in any case; without any, or with broken ones, a new trace begins. Read headers
    of callers that you trust: they say who the user is.
    """
    context, values = read(headers) or (otel_context.get_current(), {})
    token = otel_context.attach(context)
    try:
        with carrying(values):
            yield
    finally:
        otel_context.detach(token)


@shielded
def _written() -> dict[str, str]:
    around: dict[str, Any] = {name: value for name, value in carried().items() if name in _TEXTS}
    if tags := carried().get(attributes.TAGS):
        around[attributes.TAGS] = _TAG_END.join(tag for tag in tags if _TAG_END not in tag)
    if carried().get(attributes.SHADOW):
        around[attributes.SHADOW] = _YES
    context = otel_context.get_current()
    for name, value in around.items():
        if len(value) <= _VALUE_CHARS:
            context = baggage.set_baggage(name, value, context)
    written: dict[str, str] = {}
    _trace_headers.inject(written, context)
    _baggage_headers.inject(written, context)
    return written


@shielded
def read(headers: Mapping[str, str]) -> tuple[Context, dict[str, Any]]:
    """The context that continues the caller's trace, and what the caller carried; for `received` and for
    middleware, which keeps both longer than a block. None should it fail.
    """
    known = {str(name).lower(): str(value) for name, value in headers.items()}
    context = _trace_headers.extract(known, otel_context.get_current())
    context = _baggage_headers.extract(known, context)
    said = baggage.get_all(context)
    values: dict[str, Any] = {name: str(said[name]) for name in _TEXTS if name in said}
    if tags := said.get(attributes.TAGS):
        values[attributes.TAGS] = tuple(str(tags).split(_TAG_END))
    if said.get(attributes.SHADOW) == _YES:
        values[attributes.SHADOW] = True
    return context, values
