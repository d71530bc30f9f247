"""Sampling: fewer spans are sent, and nothing that is paid for, failed or judged is missing.

    trace is chosen ─── every span, whole; those that stand for others say for how many
          └ is not ──── roots, model calls (without content), failures and judged spans (whole): no others

So costs, budgets, errors and numbers of model calls are exact at any rate, and the others can be reckoned:
of a thousand tool calls at a rate of 0.1 about a hundred are sent, with a weight of 10 each.

Whether a trace is chosen is read from its id, as in OpenTelemetry's consistent probability sampling: every
process comes to the same answer without asking, and what is chosen at one rate is chosen at every higher one.
A parent's sampled flag decides nothing, for it knows nothing of errors to come.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry.trace import StatusCode

from sightline import attributes
from sightline._fork import reset_in_child
from sightline._spans.attributes import attributes_of
from sightline.errors import ConfigurationError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import TraceState

    from sightline._outgoing import Draft

# A millionth of a trace is none in most programs; the collector takes weights up to its inverse.
LEAST_RATE: Final = 1e-6
_RANDOM_BITS: Final = 56  # of a trace id, the lowest: W3C Trace Context Level 2
_RANDOM_DIGITS: Final = _RANDOM_BITS // 4
_ALL: Final = 1 << _RANDOM_BITS
# What is paid for, in any dialect, whatever the operation is called.
_PAID: Final = ("gen_ai.usage.", "llm.token_count.", "llm.usage.", "ai.usage.", "anthropic.usage.")
_FOREIGN_CALLS: Final = {"openinference.span.kind": ("LLM", "EMBEDDING", "RERANKER")}


@dataclass(frozen=True, slots=True)
class Sampling:
    """What part of the traces is sent whole: `rate` from 0 to 1, and of spans with a feature its own rate.

    A span goes by the feature that it has itself. So a feature that is set inside of a trace governs what is
    below, and of what is above the general rate decides; the root is sent in any case.

    Raises ConfigurationError for what is no rate: beside 0 and 1 anything from a millionth on is one.
    """

    rate: float = 1.0
    features: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check("sampling", self.rate)
        for feature, rate in self.features.items():
            _check(f"sampling of feature {feature!r}", rate)

    @property
    def leaves_out(self) -> bool:
        """Whether anything is ever left out."""
        return any(rate < 1 for rate in (self.rate, *self.features.values()))


class _Share(NamedTuple):
    """Of the numbers from 0 to 2^56 - 1 those from `threshold` on are chosen."""

    threshold: int
    weight: float


class Sampler:
    """Holds back what is left out; its step `thin` settles what leaves of the others, and how they count."""

    def __init__(self, sampling: Sampling) -> None:
        self._general = _share(sampling.rate)
        self._features = {feature: _share(rate) for feature, rate in sampling.features.items()}
        self._reset()
        reset_in_child(self._reset)

    def _reset(self) -> None:
        """A forked child counts what it leaves out itself."""
        # Reentrant: the garbage collector may end a span while another one is counted.
        self._lock = threading.RLock()
        self.left_out = 0

    def passing(self, put: "Callable[[ReadableSpan], None]") -> "Callable[[ReadableSpan], None]":
        """What hands a finished span on, unless it is left out."""

        def sink(span: "ReadableSpan") -> None:
            values = attributes_of(span)
            if self._chosen(span, values) or always_sent(span, values):
                put(span)
                return
            with self._lock:
                self.left_out += 1

        return sink

    def thin(self, draft: "Draft") -> None:
        """Weigh what stands for others; take the content from what only stands for what was paid."""
        span, values = draft.source, draft.attributes
        sent = always_sent(span, values)
        if self._chosen(span, values):
            weight = max(self._share_of(values).weight, _weight_before(span.context.trace_state))
            if weight > 1 and not sent:
                values[attributes.SAMPLE_WEIGHT] = weight
            return
        values[attributes.SAMPLE_THINNED] = True
        if not _is_looked_at(span, values):
            _strip(draft)

    def _chosen(self, span: "ReadableSpan", values: Mapping[str, Any]) -> bool:
        threshold = self._share_of(values).threshold
        return not threshold or _randomness(span.context) >= threshold

    def _share_of(self, values: Mapping[str, Any]) -> _Share:
        if not self._features:
            return self._general
        return self._features.get(values.get(attributes.FEATURE, ""), self._general)


def always_sent(span: "ReadableSpan", values: Mapping[str, Any]) -> bool:
    """Whether a span is sent at any rate: where a trace enters the process, and all that must be exact."""
    parent = span.parent
    return (
        parent is None
        or parent.is_remote
        or values.get(attributes.GEN_AI_OPERATION) in attributes.MODEL_OPERATIONS
        or _is_looked_at(span, values)
        or any(name.startswith(_PAID) for name in values)
        or attributes.COST_USD in values
        or any(values.get(name) in calls for name, calls in _FOREIGN_CALLS.items())
    )


def _is_looked_at(span: "ReadableSpan", values: Mapping[str, Any]) -> bool:
    """Whether somebody will want to read all of it: a failure, or what was judged."""
    return (
        span.status.status_code is StatusCode.ERROR
        or attributes.JUDGED in values
        or any(name.startswith(attributes.SCORE_PREFIX) for name in values)
    )


def _strip(draft: "Draft") -> None:
    from sightline.masking._content_names import is_content

    draft.attributes = {name: value for name, value in draft.attributes.items() if not is_content(name)}
    draft.events = ()


def _randomness(ids: Any) -> int:
    """The trace's own number, or the one that its first process wrote down for it (`ot=rv:`)."""
    said = _of_ours(ids.trace_state, "rv") if ids.trace_state else None
    return ids.trace_id % _ALL if said is None else said


def _weight_before(state: "TraceState") -> float:
    """For how many a trace stands already that another sampler chose before us (`ot=th:`)."""
    threshold = _of_ours(state, "th") if state else None
    return _ALL / (_ALL - threshold) if threshold else 1.0


def _of_ours(state: "TraceState", key: str) -> int | None:
    """A number of OpenTelemetry's entry in a trace state; a threshold's last zeros may be left out."""
    for part in (state.get("ot") or "").split(";"):
        name, _, digits = part.partition(":")
        if name == key:
            try:
                return int(digits.ljust(_RANDOM_DIGITS, "0"), 16) if len(digits) <= _RANDOM_DIGITS else None
            except ValueError:
                return None
    return None


def _share(rate: float) -> _Share:
    return _Share(_ALL - round(rate * _ALL), 1 / rate if rate else 0.0)


def _check(what: str, rate: object) -> None:
    if (
        isinstance(rate, bool)
        or not isinstance(rate, int | float)
        or not (rate == 0 or LEAST_RATE <= rate <= 1)
    ):
        raise ConfigurationError(f"{what} is {rate!r}; it must be 0, or from {LEAST_RATE:f} to 1")
