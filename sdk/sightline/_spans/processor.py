"""Where we meet every span of a provider: stamped at its start, handed on at its end."""

from collections.abc import Callable

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from sightline._context import stamp
from sightline._outgoing import amended
from sightline._safety import record_fault
from sightline._spans import late, twins
from sightline.budget import _guard, _place

Sink = Callable[[ReadableSpan], None]


class SightlineProcessor(SpanProcessor):
    """Without a sink it does nothing, so it may stay on a provider that outlives it.

    `flush` is called for the provider's own `force_flush`.
    """

    def __init__(self, sink: Sink | None = None, flush: Callable[[float], bool] | None = None) -> None:
        self.sink = sink
        self.flush = flush

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Each step has its own shield here, too."""
        if self.sink is not None:
            try:
                stamp(span, parent_context)
            except Exception as error:
                record_fault("SightlineProcessor.on_start", error)
            try:
                twins.started(span)
            except Exception as error:
                record_fault("SightlineProcessor.on_start: twins", error)
            if _guard.current is not None:
                _placed(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Each step has its own shield: a span that one of them chokes on is handed on as it was."""
        if self.sink is not None:
            span = _beside_its_twins(_as_its_watcher_found_it(span))
            if _guard.current is not None:
                _spend(_guard.current, span)
            if span.context.trace_flags.sampled:
                try:
                    self.sink(span)
                except Exception as error:
                    record_fault("SightlineProcessor.on_end", error)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self.flush(timeout_millis / 1000) if self.flush else True


def _placed(span: Span) -> None:
    try:
        _place.started(span)
    except Exception as error:
        record_fault("SightlineProcessor.on_start: budget", error)


def _as_its_watcher_found_it(span: ReadableSpan) -> ReadableSpan:
    if not late.watchers:
        return span
    try:
        watcher = late.watchers.pop(span.context.span_id, None)
        findings = watcher.findings() if watcher else None
        return span if findings is None else amended(span, findings)
    except Exception as error:
        record_fault("SightlineProcessor.on_end: watcher", error)
        return span


def _beside_its_twins(span: ReadableSpan) -> ReadableSpan:
    try:
        return twins.ended(span)
    except Exception as error:
        record_fault("SightlineProcessor.on_end: twins", error)
        return span


def _spend(guard: _guard.Guard, span: ReadableSpan) -> None:
    try:
        guard.spending.ended(span)
    except Exception as error:
        record_fault("SightlineProcessor.on_end: budget", error)
