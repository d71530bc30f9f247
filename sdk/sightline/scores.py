"""Scores: what code or a model says of a span, as an attribute of it and as an evaluation event."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry import trace

from sightline import attributes
from sightline._judgement import Judged, Source, Target, about, check_source, label_of, number, refuse, send
from sightline._safety import shielded

KEY_CHARS: Final = 64
_NO_KEY: Final = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class Score:
    """A verdict in full: a number, or a yes or no (1 or 0); a label; why."""

    value: float | bool | None = None
    label: str | None = None
    comment: str | None = None

    @classmethod
    def of(cls, verdict: object) -> "Score":
        """What a number, a yes or no, a label or a Score says. Raises ValueError when it is none of them."""
        if isinstance(verdict, str):
            return cls(label=verdict)
        if not isinstance(verdict, cls):
            return cls(number(verdict), label_of(verdict))
        if verdict.value is None and verdict.label is None:
            raise ValueError("a Score needs a value or a label")
        if verdict.value is None:
            return verdict
        label = label_of(verdict.value) if verdict.label is None else verdict.label
        return cls(number(verdict.value), label, verdict.comment)


def score(
    name: str,
    value: float | bool | str | Score,
    *,
    label: str | None = None,
    comment: str | None = None,
    target: Target = None,
    source: Source = "code",
    id: str | None = None,
) -> str:
    """Score the current span, or `target` (see `feedback`), by a number, a yes or no, or a label.

    A number also becomes the span's attribute `sightline.score.<name>` while the span is open. Returns the
    score's id, which follows from span and name: of two, the last one counts. What is no value is refused
    with a warning.
    """
    judged = about(target)
    identity = id or judged.id_of("score", name)
    try:
        check_source(source)
        given = Score.of(value)
    except ValueError as wrong:
        refuse(f"The score {name!r}", str(wrong))
        return identity
    given = Score(given.value, label or given.label, comment or given.comment)
    span = trace.get_current_span() if target is None else getattr(target, "span", target)
    if isinstance(span, trace.Span):
        put_on(span, name, given)
    tell(name, given, judged, source=source, identity=identity)
    return identity


@shielded
def put_on(span: trace.Span, name: str, given: Score) -> None:
    """The number, as an attribute of a span that is still open."""
    if given.value is not None and span.is_recording():
        key = _NO_KEY.sub("_", str(name))[:KEY_CHARS]
        span.set_attribute(attributes.SCORE_PREFIX + key, float(given.value))


def tell(
    name: str,
    given: Score | BaseException,
    judged: Judged,
    *,
    source: Source,
    identity: str | None = None,
    around: Mapping[str, Any] | None = None,
) -> None:
    """Send the event of a score, or of an evaluator's failure, once for each thing judged and name."""
    values = {
        attributes.EVALUATION_NAME: name,
        attributes.FEEDBACK_SOURCE: source,
        attributes.FEEDBACK_ID: identity or judged.id_of("score", name),
    }
    if isinstance(given, BaseException):
        values |= {attributes.FEEDBACK_KIND: "error", attributes.ERROR_TYPE: type(given).__qualname__}
    else:
        values |= verdict(given) | {attributes.FEEDBACK_KIND: "label" if given.value is None else "score"}
    send("The score", judged, values, around)


def verdict(given: Score) -> dict[str, Any]:
    """What a score says, as attributes."""
    said = {
        attributes.EVALUATION_SCORE: given.value,
        attributes.EVALUATION_LABEL: given.label,
        attributes.EVALUATION_EXPLANATION: given.comment,
    }
    return {name: value for name, value in said.items() if value is not None}
