"""Spans of ours, started and ended without a detour where nobody else looks on.

OpenTelemetry's tracer asks a sampler, cleans each attribute, walks its processors and copies each span at its
end: more than half of what a span costs the program. Where the sampler is the default one (a span is kept as
its parent is), our processor is the only one, and a span's inside is as we know it, a span of the same class
is made directly. Everywhere else, and for every span that something is special about, the tracer makes it.
"""

import threading
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import Span, Tracer, TracerProvider
from opentelemetry.sdk.trace.sampling import DEFAULT_ON
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from sightline import _clock
from sightline._runtime import SCOPE, Runtime, Start, plainly
from sightline._spans.processor import SightlineProcessor

# What a span of OpenTelemetry's SDK keeps. With any other inside the tracer makes all spans.
_FIELDS: Final = {
    "_name", "_context", "_kind", "_instrumentation_info", "_instrumentation_scope", "_parent",
    "_start_time", "_end_time", "_attributes", "_events", "_links", "_resource", "_status", "_sampler",
    "_trace_config", "_record_exception", "_set_status_on_exception", "_span_processor", "_limits",
    "_lock", "_record_end_metrics",
}  # fmt: skip
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_SAMPLED_RANDOM: Final = TraceFlags(TraceFlags.SAMPLED | TraceFlags.RANDOM_TRACE_ID)


def runtime_of(tracers: TracerProvider, loggers: LoggerProvider, *, captures: bool) -> Runtime:
    """A runtime whose spans and records go to these providers, by the shortest way there is."""
    tracer = tracers.get_tracer(SCOPE)
    start = plainly(tracer)
    if isinstance(tracer, Tracer) and tracer.sampler is DEFAULT_ON and _is_as_we_know_it(tracer):
        start = _QuickStart(tracer, start).start
    return Runtime(tracer, start, loggers.get_logger(SCOPE), captures)


class QuickSpan(Span):
    """A span as the SDK's own, which at its end goes to our processor as it is, without being copied."""

    def _add_event(self, event: Any) -> None:
        with self._lock:
            if self._events is _NONE_YET:
                self._events = BoundedList(self._limits.max_events)
        super()._add_event(event)

    def _add_link(self, link: trace.Link) -> None:
        with self._lock:
            if self._links is _NONE_YET:
                self._links = BoundedList(self._limits.max_links)
        super()._add_link(link)

    def end(self, end_time: int | None = None) -> None:
        processors = _processors(self._span_processor)
        if len(processors) != 1 or self._end_time is not None:
            super().end(end_time)
            return
        with self._lock:
            self._end_time = end_time if end_time is not None else _clock.now_ns()
            _bounded(self)._immutable = True
        processors[0].on_end(self)


_NONE_YET: Final[Any] = BoundedList(
    0
)  # most spans have neither events nor links: lists cost a tenth of a span


class _QuickStart:
    """Starts the spans of one tracer."""

    def __init__(self, tracer: Tracer, plain: Start) -> None:
        self._tracer, self._plain = tracer, plain
        self._same = vars(_model(tracer)) | {
            "_span_processor": tracer.span_processor,
            "_record_exception": False,
        }
        self._limits = tracer._span_limits
        self._random = tracer.id_generator.is_trace_id_random()

    def start(
        self, name: str, parent: Context | None, kind: SpanKind, values: Mapping[str, Any]
    ) -> trace.Span:
        processors = _processors(self._tracer.span_processor)
        above = trace.get_current_span(parent).get_span_context()
        unkept = above.is_valid and not above.trace_flags.sampled
        alone = len(processors) == 1 and type(processors[0]) is SightlineProcessor
        if unkept or not alone or not self._tracer._tracer_config.is_enabled:
            return self._plain(name, parent, kind, values)
        span = self._made(name, above, kind, values)
        processors[0].on_start(span, parent)
        return span

    def _made(self, name: str, above: SpanContext, kind: SpanKind, values: Mapping[str, Any]) -> QuickSpan:
        limits = self._limits
        attributes = BoundedAttributes(
            limits.max_span_attributes, None, False, limits.max_span_attribute_length
        )
        attributes._dict.update(values)
        span = object.__new__(QuickSpan)
        held = span.__dict__
        held.update(self._same)
        held["_name"], held["_kind"], held["_resource"] = name, kind, self._tracer.resource
        held["_context"], held["_parent"] = self._ids(above), above if above.is_valid else None
        held["_attributes"] = attributes
        held["_events"] = held["_links"] = _NONE_YET
        held["_lock"] = threading.Lock()
        held["_start_time"] = _clock.now_ns()
        return span

    def _ids(self, above: SpanContext) -> SpanContext:
        """A new span's place: in its parent's trace, or in a new one."""
        ids = self._tracer.id_generator
        if not above.is_valid:
            flags = _SAMPLED_RANDOM if self._random else _SAMPLED
            return SpanContext(ids.generate_trace_id(), ids.generate_span_id(), False, flags)
        flags = _SAMPLED_RANDOM if above.trace_flags.random_trace_id else _SAMPLED
        return SpanContext(above.trace_id, ids.generate_span_id(), False, flags, above.trace_state)


def _model(tracer: Tracer) -> trace.Span:
    """A span of this tracer's that nobody hears of."""
    alone = TracerProvider(
        sampler=tracer.sampler,
        resource=tracer.resource,
        span_limits=tracer._span_limits,
        shutdown_on_exit=False,
    )
    scope = tracer._instrumentation_scope
    return alone.get_tracer(scope.name, scope.version, scope.schema_url, scope.attributes).start_span("")


def _is_as_we_know_it(tracer: Tracer) -> bool:
    """Whether spans hold what we know, nobody counts their starts, and no value has to be cut."""
    try:
        limits = tracer._span_limits
        return (
            vars(_model(tracer)).keys() == _FIELDS
            and type(tracer._tracer_metrics).__name__ == "NoOpTracerMetrics"
            and isinstance(_processors(tracer.span_processor), tuple)
            and limits.max_span_attribute_length is None
            and limits.max_span_attributes is not None
            and limits.max_span_attributes >= _ROOM
        )
    except AttributeError:
        return False


_ROOM: Final = 100  # more attributes than any span of ours starts with


def _processors(all_of_them: Any) -> Any:
    """The processors behind a provider's one; AttributeError where it keeps them otherwise."""
    return all_of_them._span_processors


def _bounded(span: Any) -> Any:
    return span._attributes
