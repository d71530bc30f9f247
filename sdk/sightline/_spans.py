"""One span of ours, from its start to its end: what decorators, stages and model calls have in common.

Nothing here raises: a span that could not be opened is replaced by one that does nothing.
"""

from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode

from sightline import _clock, _runtime, attributes
from sightline._capture import as_json
from sightline._safety import shielded

_SEEN: Final = "_sightline_seen"


class OpenSpan:
    """A running span. `activate` and `suspend` make it current and not, any number of times.

    What the work inside leaves in the context (an open `with` around a `yield`) is kept over a suspension.
    """

    __slots__ = ("_context", "_token", "captures", "recording", "span")

    def __init__(self, span: trace.Span, context: Context, captures: bool) -> None:
        self.span = span
        self.recording = span.is_recording()
        self.captures = captures and self.recording
        self._context = context
        self._token: Any = None

    def activate(self) -> None:
        self._token = otel_context.attach(self._context)

    def suspend(self) -> None:
        if self._token is not None:
            self._context = otel_context.get_current()
            otel_context.detach(self._token)
            self._token = None

    @shielded
    def set(self, name: str, value: Any) -> None:
        """Set an attribute, unless there is nothing to say."""
        if value is not None and self.recording:
            self.span.set_attribute(name, value)

    @shielded
    def capture(self, name: str, value: object) -> None:
        """Record a value's content, if content is wanted."""
        if self.captures:
            self.span.set_attribute(name, as_json(value))

    @shielded
    def fail(self, error: BaseException) -> None:
        """Mark the span as failed; the exception is recorded where it first passes, not at each level."""
        if not self.recording:
            return
        kind = type(error)
        self.span.set_attribute(attributes.ERROR_TYPE, kind.__qualname__)
        words = _words_of(error)
        self.span.set_status(Status(StatusCode.ERROR, words or kind.__qualname__))
        if words is not None and not getattr(error, _SEEN, False):
            self.span.record_exception(error, timestamp=_clock.now_ns())
            _mark_seen(error)

    @shielded
    def end(self) -> None:
        self.suspend()
        self.span.end(end_time=_clock.now_ns())


def open_span(
    name: str, values: dict[str, Any], *, kind: SpanKind = SpanKind.INTERNAL, parent: Context | None = None
) -> OpenSpan:
    """Start a span under `parent` (the current context if None); it is not current yet."""
    opened = _open(name, values, kind, parent)
    return opened or OpenSpan(trace.INVALID_SPAN, parent or otel_context.get_current(), captures=False)


@shielded
def _open(name: str, values: dict[str, Any], kind: SpanKind, parent: Context | None) -> OpenSpan:
    runtime = _runtime.current
    span = runtime.tracer.start_span(
        name, parent, kind=kind, attributes=values, start_time=_clock.now_ns(), record_exception=False
    )
    return OpenSpan(span, trace.set_span_in_context(span, parent), runtime.captures)


def _words_of(error: BaseException) -> str | None:
    """An exception's text is made by the user's code, which may fail while failing: then None."""
    try:
        return str(error)
    except Exception:
        return None


def _mark_seen(error: BaseException) -> None:
    try:
        setattr(error, _SEEN, True)
    except AttributeError:
        return  # an exception with slots: it is recorded once more, which does no harm
