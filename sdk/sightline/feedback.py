"""What people, judges and code thought of an answer: thumbs, scores, labels, comments, corrections.

Sent as OpenTelemetry's `gen_ai.evaluation.result` event, a log record that carries the judged span's ids,
so it may come a second or a week after the span, from this process or another.
"""

import uuid
from typing import Any, Final, Literal

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from sightline import _clock, _runtime, attributes
from sightline._capture import as_json
from sightline._context import carried
from sightline._safety import log, log_rarely, shielded

Source = Literal["user", "annotator", "judge", "code", "implicit"]
Target = trace.Span | trace.SpanContext | str | None

_THUMBS: Final = {"up": 1.0, "down": 0.0}
_CARRIED: Final = (attributes.USER_ID, attributes.SESSION_ID, attributes.FEATURE)


def feedback(
    target: Target = None,
    *,
    thumbs: Literal["up", "down"] | None = None,
    score: float | None = None,
    label: str | None = None,
    name: str = "user_feedback",
    comment: str | None = None,
    correction: object = None,
    source: Source = "user",
    id: str | None = None,
) -> str:
    """Judge a span: the current one, one at hand, or one remembered by its `traceparent()`.

    Returns the feedback's id; sent again under the same id it replaces the former and is counted once. User,
    session and feature are taken from the surrounding `context()`. Without a judgement, with thumbs that are
    none, without a span to judge, or before `init()`, nothing is sent and a warning is logged.
    """
    identity = id or uuid.uuid4().hex
    wrong = _wrong(thumbs, (thumbs, score, label, comment, correction))
    if wrong:
        log.warning("Feedback was not sent: %s", wrong)
        return identity
    values: dict[str, Any] = {
        attributes.EVALUATION_NAME: name,
        attributes.EVALUATION_SCORE: score if thumbs is None else _THUMBS[thumbs],
        attributes.EVALUATION_LABEL: label if thumbs is None else thumbs,
        attributes.EVALUATION_EXPLANATION: comment,
        attributes.FEEDBACK_CORRECTION: correction,
        attributes.FEEDBACK_SOURCE: source,
        attributes.FEEDBACK_ID: identity,
        attributes.FEEDBACK_KIND: _kind(thumbs, score, label, correction),
    }
    _send(target, {key: value for key, value in values.items() if value is not None})
    return identity


def traceparent(span: trace.Span | None = None) -> str:
    """W3C traceparent of a span (default: the current one), to keep beside an answer; '' if there is none."""
    ids = (span or trace.get_current_span()).get_span_context()
    return f"00-{ids.trace_id:032x}-{ids.span_id:016x}-{ids.trace_flags:02x}" if ids.is_valid else ""


def _wrong(thumbs: object, judgement: tuple[object, ...]) -> str | None:
    """Why this is no feedback; None when it is."""
    if all(part is None for part in judgement):
        return "give thumbs, score, label, comment or correction"
    if thumbs is not None and thumbs not in tuple(_THUMBS):
        return f"thumbs={thumbs!r} is neither 'up' nor 'down'"
    return None


def _kind(thumbs: object, score: object, label: object, correction: object) -> str:
    """What the feedback mainly is; a comment alone is a comment."""
    if thumbs is not None:
        return "thumbs"
    if score is not None:
        return "score"
    if label is not None:
        return "label"
    return "correction" if correction is not None else "comment"


@shielded
def _send(target: Target, values: dict[str, Any]) -> None:
    from opentelemetry._logs import LogRecord, SeverityNumber

    logger = _runtime.current.logger
    judged = _judged(target)
    if logger is None or judged is None:
        missing = "sightline.init() was not called" if logger is None else "there is no span to judge"
        log_rarely("feedback", "Feedback was not sent: %s", missing)
        return
    around = carried()
    correction = values.get(attributes.FEEDBACK_CORRECTION)
    if correction is not None and not isinstance(correction, str):
        values[attributes.FEEDBACK_CORRECTION] = as_json(correction)
    now_ns = _clock.now_ns() - around.get(attributes.BACKDATE_NS, 0)
    logger.emit(
        LogRecord(
            timestamp=now_ns,
            observed_timestamp=now_ns,
            context=judged,
            severity_number=SeverityNumber.INFO,
            event_name=attributes.EVALUATION_EVENT,
            attributes=values | {key: around[key] for key in _CARRIED if key in around},
        )
    )


def _judged(target: Target) -> Context | None:
    """A context whose current span is the judged one."""
    if target is None:
        ids = trace.get_current_span().get_span_context()
    elif isinstance(target, str):
        ids = _parse(target)
    else:
        ids = target if isinstance(target, trace.SpanContext) else target.get_span_context()
    if not ids.is_valid:
        return None
    return trace.set_span_in_context(trace.NonRecordingSpan(ids), otel_context.Context())


def _parse(text: str) -> trace.SpanContext:
    """Read a traceparent; what is none gives an invalid span context."""
    parts = text.split("-")
    try:
        trace_id, span_id, flags = int(parts[1], 16), int(parts[2], 16), int(parts[3], 16)
    except (IndexError, ValueError):
        return trace.INVALID_SPAN_CONTEXT
    return trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=trace.TraceFlags(flags))
