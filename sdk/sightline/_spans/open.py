"""One span of ours, from its start to its end: what decorators, stages and model calls have in common.

Nothing here raises: a span that could not be opened is replaced by one that does nothing. What is said of a
span is put on it all at once, when it ends.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode

from sightline import _runtime, attributes
from sightline._capture import as_json
from sightline._safety import record_fault, shielded, words_of
from sightline._spans.attributes import put
from sightline._spans.leaving import leave

_SEEN: Final = "_sightline_seen"


class OpenSpan:
    """A running span. `activate` and `suspend` make it current and not, any number of times.

    It starts under `parent` (the current context if None), and is not current yet. What the work inside
    leaves in the context (an open `with` around a `yield`) is kept over a suspension.
    """

    __slots__ = ("_context", "_first", "_said", "_token", "captures", "recording", "span")

    def __init__(
        self,
        name: str,
        values: Mapping[str, Any],
        kind: SpanKind = SpanKind.INTERNAL,
        parent: Context | None = None,
    ) -> None:
        runtime = _runtime.current
        self._token: Any = None
        self._said: dict[str, Any] = {}
        self._first = values
        try:
            self.span = runtime.start(name, parent, kind, values)
            self._context = trace.set_span_in_context(self.span, parent)
        except Exception as error:
            record_fault("OpenSpan", error)
            self.span, self._context = trace.INVALID_SPAN, parent or otel_context.get_current()
        self.recording = self.span.is_recording()
        self.captures = runtime.captures and self.recording

    def activate(self) -> None:
        self._token = otel_context.attach(self._context)

    def suspend(self) -> None:
        if self._token is not None:
            entered, self._context = self._context, otel_context.get_current()
            leave(self._token, entered)
            self._token = None

    def say(self, values: Mapping[str, Any]) -> None:
        """These attributes are on the span when it ends."""
        self._said.update(values)

    def capture(self, name: str, value: object) -> None:
        """Record a value's content as it is now, if content is wanted."""
        if self.captures:
            try:
                self._said[name] = as_json(value)
            except Exception as error:
                record_fault("OpenSpan.capture", error)

    @shielded
    def fail(self, error: BaseException) -> None:
        """Mark the span as failed; the exception is recorded where it first passes, not at each level."""
        if not self.recording:
            return
        kind = type(error)
        self._said[attributes.ERROR_TYPE] = kind.__qualname__
        words = words_of(error)
        self.span.set_status(Status(StatusCode.ERROR, words or kind.__qualname__))
        if words is not None and _is_new(error, self.span.get_span_context().trace_id):
            try:
                self.span.record_exception(error)
            except Exception:  # no stack trace can be made of one that fails when it is asked things
                name = f"{kind.__module__}.{kind.__qualname__}"
                self.span.add_event("exception", {"exception.type": name, "exception.message": words})

    def end(self, at_ns: int | None = None) -> None:
        """At the given time (ns since 1970), or now."""
        try:
            if self._token is not None:
                leave(self._token, self._context)
                self._token = None
            if self._said and self.recording:
                put(self.span, self._said, self._first)
            self.span.end(at_ns)
        except Exception as error:
            record_fault("OpenSpan.end", error)


def _is_new(error: BaseException, trace_id: int) -> bool:
    """Whether this trace has not seen the exception; from now on it has. One instance may be raised in many
    traces. Attributes of an exception may be the user's code, which may fail with anything.
    """
    try:
        if getattr(error, _SEEN, None) == trace_id:
            return False
    except Exception:
        return True
    with suppress(Exception):  # one that takes no attributes is recorded once more, which does no harm
        setattr(error, _SEEN, trace_id)
    return True
