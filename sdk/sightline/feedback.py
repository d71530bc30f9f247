"""What people thought of an answer, what they did with it, and what came of it.

    sightline.feedback(target, thumbs="down", comment="wrong price", correction="It is 12 EUR")
    sightline.feedback(target, signal="regenerate")             # nobody said a word, and yet
    sightline.record_outcome(target, "refund_granted", True)    # a week later

A target is a span, a model call, a `traceparent()`, or a trace id; without one, `response_id=` or
`session_id=` says what is meant, and else it is the current span. Who knows only a response or a session
needs no trace: the collector finds the call that gave the response, or the session's latest trace.
"""

import uuid
from dataclasses import dataclass
from typing import Any, Final, Literal

from opentelemetry import trace

from sightline import attributes
from sightline._judgement import Source, Target, Traced, about, check_source, label_of, number, refuse, send
from sightline._safety import shielded

_THUMBS: Final = {"up": 1.0, "down": 0.0}
# What people do with an answer, where it says by itself how good that was. An edit says so only with the
# share of the answer that stayed: give it as `score`.
SIGNAL_SCORES: Final = {
    "copy": 1.0,
    "share": 1.0,
    "accept": 1.0,
    "regenerate": 0.0,
    "abandon": 0.0,
    "reject": 0.0,
}


def feedback(
    target: Target = None,
    *,
    thumbs: Literal["up", "down"] | None = None,
    score: float | None = None,
    label: str | None = None,
    signal: str | None = None,
    name: str | None = None,
    comment: str | None = None,
    correction: object = None,
    source: Source | None = None,
    response_id: str | None = None,
    session_id: str | None = None,
    id: str | None = None,
) -> str:
    """Judge an answer: that of the current span, or of what `target`, `response_id` or `session_id` names.

    `signal` is what somebody did instead of saying it: regenerate, copy, edit, share, accept, reject, abandon
    or a word of yours; its score is that of `SIGNAL_SCORES` unless given, its source is "implicit", its name
    the signal. Otherwise the source is "user" and the name "user_feedback".

    Returns the feedback's id; sent again under the same id it replaces the former and is counted once. A
    signal's id follows from what it is about, so that the same one sent twice is one; but sessions have many.
    User, session and feature are taken from the surrounding `context()`. Without a judgement, with a value
    that is none, without anything to judge, or before `init()`, nothing is sent and a warning is logged.
    """
    identity = id or uuid.uuid4().hex
    said = _Opinion(thumbs, score, label, signal, comment, correction)
    try:
        values = said.attributes(name, source)
    except ValueError as wrong:
        refuse("Feedback", str(wrong))
        return identity
    judged = about(target, response_id, session_id)
    if id is None and signal is not None and not judged.session_id:
        identity = judged.id_of("signal", signal)
    send("Feedback", judged, values | {attributes.FEEDBACK_ID: identity})
    return identity


def record_outcome(
    target: Target,
    name: str,
    value: float | bool | str,
    *,
    comment: str | None = None,
    source: Source = "code",
    response_id: str | None = None,
    session_id: str | None = None,
    id: str | None = None,
) -> str:
    """Say what came of an answer, however late: a refund, a solved case, the label that proved to be true.

    A yes or no is 1 or 0, a text is a label. Returns the outcome's id, which follows from target and name:
    recorded again for the same target, named the same way, it is corrected. What is no value is refused with
    a warning, as is everything that `feedback()` refuses.
    """
    judged = about(target, response_id, session_id)
    identity = id or judged.id_of("outcome", name)
    try:
        check_source(source)
        score = None if isinstance(value, str) else number(value)
    except ValueError as wrong:
        refuse(f"The outcome {name!r}", str(wrong))
        return identity
    values = {
        attributes.EVALUATION_NAME: name,
        attributes.EVALUATION_SCORE: score,
        attributes.EVALUATION_LABEL: label_of(value),
        attributes.EVALUATION_EXPLANATION: comment,
        attributes.FEEDBACK_SOURCE: source,
        attributes.FEEDBACK_ID: identity,
        attributes.FEEDBACK_KIND: "outcome",
    }
    send("The outcome", judged, values)
    return identity


def traceparent(span: trace.Span | Traced | None = None) -> str:
    """W3C traceparent of a span or model call (default: the current span), to keep beside an answer.

    '' if there is none.
    """
    if span is not None and not isinstance(span, trace.Span):
        return shielded(span.traceparent)() or ""
    ids = (span or trace.get_current_span()).get_span_context()
    return f"00-{ids.trace_id:032x}-{ids.span_id:016x}-{ids.trace_flags:02x}" if ids.is_valid else ""


@dataclass(frozen=True, slots=True)
class _Opinion:
    """What the caller of `feedback()` gave."""

    thumbs: str | None
    score: object
    label: str | None
    signal: str | None
    comment: str | None
    correction: object

    def attributes(self, name: str | None, source: Source | None) -> dict[str, Any]:
        """Raises ValueError, which says what is wrong, when this is no judgement."""
        self._check()
        by = source or ("user" if self.signal is None else "implicit")
        check_source(by)
        labels = [text for text in (self.thumbs, self.label, self.signal) if text is not None]
        return {
            attributes.EVALUATION_NAME: name or self.signal or "user_feedback",
            attributes.EVALUATION_SCORE: self._number(),
            attributes.EVALUATION_LABEL: labels[0] if labels else None,
            attributes.EVALUATION_EXPLANATION: self.comment,
            attributes.FEEDBACK_CORRECTION: self.correction,
            attributes.FEEDBACK_SOURCE: by,
            attributes.FEEDBACK_KIND: self._kind(),
        }

    def _check(self) -> None:
        parts = (self.thumbs, self.score, self.label, self.signal, self.comment, self.correction)
        if all(part is None for part in parts):
            raise ValueError("give thumbs, score, label, signal, comment or correction")
        if self.thumbs is not None and self.thumbs not in tuple(_THUMBS):
            raise ValueError(f"thumbs={self.thumbs!r} is neither 'up' nor 'down'")
        if self.signal is not None and not isinstance(self.signal, str):
            raise ValueError(f"signal={self.signal!r} is no text")

    def _number(self) -> float | None:
        if self.thumbs is not None:
            return _THUMBS[self.thumbs]
        if self.score is not None:
            return number(self.score)
        return None if self.signal is None else SIGNAL_SCORES.get(self.signal)

    def _kind(self) -> str:
        """What the feedback mainly is; a comment alone is a comment."""
        for kind in ("thumbs", "signal", "score", "label", "correction"):
            if getattr(self, kind) is not None:
                return kind
        return "comment"
