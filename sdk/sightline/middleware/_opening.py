"""Where a request's span hangs and whose it is: decided once, before the application sees the request."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from sightline import propagation
from sightline._context import carried
from sightline._safety import shielded
from sightline.feedback import traceparent
from sightline.middleware._identity import Around, as_attributes, asked
from sightline.middleware._options import Options
from sightline.middleware._request import Incoming, RequestSpan

_trace_headers: Final = TraceContextTextMapPropagator()


@shielded
def opened(incoming: Incoming, options: Options) -> RequestSpan | None:
    """The request's span, not current yet; None for paths that get none.

    Below a SERVER span that some instrumentation has opened for the request, it is an INTERNAL one.
    """
    if options.excludes(incoming.path):
        return None
    parent, around, caller = _beginning(incoming, options)
    kind = SpanKind.INTERNAL if _is_served() else SpanKind.SERVER
    span = RequestSpan(incoming, around, kind, parent)
    if caller is not None:
        span.span.add_link(caller)
    if options.query:
        span.say_query()
    return span


@shielded
def surroundings(incoming: Incoming, options: Options) -> Context:
    """The caller's trace and whose the connection is, without a span."""
    parent, around, _ = _beginning(incoming, options)
    return around.within(parent)


def passed_on(span: RequestSpan) -> str | None:
    """The traceparent for instrumentations inside: those that begin from the request's headers, whatever is
    current, hang below ours then, and not beside it. None below somebody else's SERVER span.
    """
    return traceparent(span.span) if span.recording and not _is_served() else None


def _beginning(incoming: Incoming, options: Options) -> tuple[Context, Around, trace.SpanContext | None]:
    """Where the request's spans hang, what they carry, and the caller to link to instead of hanging there."""
    here, trust = otel_context.get_current(), options.trust_incoming
    context, said, caller = here, dict[str, Any](), None
    if trust is True:
        context, said = propagation.read(incoming.headers) or (here, said)
    elif (theirs := _caller(incoming.headers)) is not None:
        context, caller = (here, theirs) if trust is False else (_continued(theirs, here), None)
    if _is_served():
        context, caller = here, None
    values = {**carried(), **said}
    values |= as_attributes(asked(options.user, incoming.raw), asked(options.session, incoming.raw), None)
    return context, Around(values, _feature(options.feature, incoming)), caller


def _feature(feature: Any, incoming: Incoming) -> Callable[[], str | None] | None:
    if feature is None:
        return incoming.route
    if feature is False:
        return None
    said = asked(feature, incoming.raw) if callable(feature) else feature
    return lambda: None if said is None else str(said)


def _is_served() -> bool:
    """Whether the current span is the server's side of a request already; unsampled ones tell no kind."""
    current = trace.get_current_span()
    if current.is_recording():
        return getattr(current, "kind", None) is SpanKind.SERVER
    ids = current.get_span_context()
    return ids.is_valid and not ids.is_remote


def _caller(headers: Mapping[str, str]) -> trace.SpanContext | None:
    found = trace.get_current_span(_trace_headers.extract(headers, Context())).get_span_context()
    return found if found.is_valid else None


def _continued(caller: trace.SpanContext, here: Context) -> Context:
    """The caller's trace, recorded by our own decision: a stranger's flag must not hide what was spent."""
    flags = TraceFlags(caller.trace_flags | TraceFlags.SAMPLED)
    ids = trace.SpanContext(caller.trace_id, caller.span_id, True, flags, caller.trace_state)
    return trace.set_span_in_context(trace.NonRecordingSpan(ids), here)
