"""One judgement on its way: what it is about, how much it may hold, and the event that carries it.

Sent as OpenTelemetry's `gen_ai.evaluation.result` event, a log record with the ids of what was judged, so it
may come a second or a week after the span, from this process or another.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, SupportsFloat, get_args

from opentelemetry import trace
from opentelemetry.context import Context

from sightline import _clock, _runtime, attributes
from sightline._capture import MAX_CHARS, as_json, well_formed
from sightline._context import carried
from sightline._safety import log, log_rarely, shielded

Source = Literal["user", "annotator", "judge", "code", "implicit"]
SOURCES: Final[tuple[Source, ...]] = get_args(Source)


class Traced(Protocol):
    """What knows its own traceparent: a model call."""

    def traceparent(self) -> str: ...


# A span, its ids, a model call, a `traceparent()`, or a trace id as 32 hex digits; None: the current span.
Target = trace.Span | trace.SpanContext | Traced | str | None

NAME_CHARS: Final = 256  # names, labels and ids: what questions are grouped by
_CARRIED: Final = (attributes.USER_ID, attributes.SESSION_ID, attributes.FEATURE)
_LONG: Final = frozenset({attributes.EVALUATION_EXPLANATION, attributes.FEEDBACK_CORRECTION})
# A traceparent, with whatever a later version of W3C's may append, or a trace id alone.
_REMEMBERED: Final = re.compile(r"(?:[0-9a-f]{2}-)?([0-9a-f]{32})(?:-([0-9a-f]{16})(?:-.*)?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judgement is about, as exactly as it is known; ids are 0 or None where they are not."""

    trace_id: int = 0
    span_id: int = 0
    response_id: str | None = None
    session_id: str | None = None

    @classmethod
    def of(cls, target: Target, response_id: str | None = None, session_id: str | None = None) -> "Judged":
        """The current span counts only where nothing else was named."""
        named = [None if given is None else str(given) for given in (response_id, session_id)]
        ids = trace.INVALID_SPAN_CONTEXT if target is None and any(named) else _ids(target)
        return cls(ids.trace_id, ids.span_id, *named)

    @property
    def known(self) -> bool:
        return bool(self.trace_id or self.response_id or self.session_id)

    def id_of(self, *parts: str) -> str:
        """An id that the same judgement of the same thing has again, in any process: 32 hex digits."""
        about = (f"{self.trace_id:032x}", f"{self.span_id:016x}", self.response_id, self.session_id)
        text = "\0".join([*(part or "" for part in about), *map(str, parts)])
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]

    def context(self) -> Context:
        """A context whose current span is the judged one. It is never empty, which would mean: right here."""
        ids = trace.SpanContext(self.trace_id, self.span_id, is_remote=True, trace_flags=trace.TraceFlags(1))
        return trace.set_span_in_context(trace.NonRecordingSpan(ids), Context())


def about(target: Target, response_id: str | None = None, session_id: str | None = None) -> Judged:
    """What the caller names; nothing known when it is no target."""
    return shielded(Judged.of)(target, response_id, session_id) or Judged()


def number(value: object) -> float:
    """A score as a number. Raises ValueError, which says what is wrong, when it is none or not finite."""
    try:
        score = float(value) if isinstance(value, SupportsFloat) else math.nan
    except Exception:  # the value's own code, or an integer beyond every float
        score = math.nan
    if math.isfinite(score):
        return score
    raise ValueError(f"{value if isinstance(value, float) else type(value).__name__} is no finite number")


def label_of(value: object) -> str | None:
    """A text is a label; a yes or a no has one beside its score of 1 or 0; a number has none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else None


def check_source(source: object) -> None:
    """Raises ValueError, which names those there are."""
    if source not in SOURCES:
        raise ValueError(f"source={source!r} is none of {', '.join(SOURCES)}")


def refuse(what: str, reason: str) -> None:
    """Tell the program's author that a call was wrong, each time: it is no fault of ours."""
    log.warning("%s was not sent: %s", what, reason)


@shielded
def send(
    what: str, judged: Judged, values: Mapping[str, Any], around: Mapping[str, Any] | None = None
) -> None:
    """Emit the event. User, session and feature come from `around`, by default the surrounding context."""
    from opentelemetry._logs import LogRecord, SeverityNumber

    logger = _runtime.current.logger
    if logger is None or not judged.known:
        missing = "sightline.init() was not called" if logger is None else "there is no span to judge"
        log_rarely("feedback", "%s was not sent: %s", what, missing)
        return
    around = carried() if around is None else around
    said = {key: around[key] for key in _CARRIED if key in around} | _bounded(values)
    if judged.response_id:
        said[attributes.RESPONSE_ID] = judged.response_id[:NAME_CHARS]
    if judged.session_id:
        said[attributes.SESSION_ID] = judged.session_id[:NAME_CHARS]
    now_ns = _clock.now_ns() - around.get(attributes.BACKDATE_NS, 0)
    logger.emit(
        LogRecord(
            timestamp=now_ns,
            observed_timestamp=now_ns,
            context=judged.context(),
            severity_number=SeverityNumber.INFO,
            event_name=attributes.EVALUATION_EVENT,
            attributes=said,
        )
    )


def _bounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Texts within their bounds, everything but numbers as text; what is None is not said."""
    bounded: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, int | float):
            bounded[name] = value
        elif value is not None:
            text = value if isinstance(value, str) else as_json(value)
            bounded[name] = well_formed(text[: MAX_CHARS if name in _LONG else NAME_CHARS])
    return bounded


def _ids(target: Target) -> trace.SpanContext:
    if isinstance(target, str):
        return _parse(target.strip())
    if isinstance(target, trace.SpanContext):
        return target
    if target is None or isinstance(target, trace.Span):
        return (target or trace.get_current_span()).get_span_context()
    return _parse(target.traceparent())


def _parse(text: str) -> trace.SpanContext:
    """Read a traceparent or a trace id; what is neither gives an invalid span context."""
    found = _REMEMBERED.fullmatch(text)
    if found is None:
        return trace.INVALID_SPAN_CONTEXT
    return trace.SpanContext(int(found[1], 16), int(found[2] or "0", 16), is_remote=True)
