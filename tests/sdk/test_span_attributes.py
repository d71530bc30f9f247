"""The short way to a span's attributes does what the public one does."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.trace import INVALID_SPAN, Span

from sightline._spans.attributes import attributes_of, put

KEYS = st.sampled_from(["a", "b", "c", "d"])
plain = st.text(max_size=9) | st.integers() | st.booleans() | st.floats(allow_nan=False)
anything = plain | st.none() | st.lists(plain) | st.lists(plain).map(tuple) | st.dictionaries(KEYS, plain)
given_values = st.dictionaries(KEYS, anything | st.just(object))
limits = st.builds(
    SpanLimits,
    max_span_attributes=st.sampled_from([0, 1, 3, 128, SpanLimits.UNSET]),
    max_span_attribute_length=st.sampled_from([None, 2]),
)


def span_with(values: Any, bounds: SpanLimits) -> Any:
    provider = TracerProvider(span_limits=bounds, shutdown_on_exit=False)
    return provider.get_tracer("t").start_span("s", attributes=values)


@given(given_values, given_values, limits)
def test_putting_is_setting(before: Any, values: Any, bounds: SpanLimits) -> None:
    """Values, what goes when the span is full, cut texts, the count of what was dropped: all the same."""
    ours, theirs = span_with(before, bounds), span_with(before, bounds)
    put(ours, values)
    theirs.set_attributes(values)
    assert dict(ours.attributes) == dict(theirs.attributes) == dict(attributes_of(ours))
    assert ours.dropped_attributes == theirs.dropped_attributes


def test_an_ended_span_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    """What comes after the end is refused, and the log says so, as OpenTelemetry does."""
    span = span_with({"a": 1}, SpanLimits())
    span.end()
    put(span, {"a": 2})
    assert dict(span.attributes) == {"a": 1}
    assert "ended span" in caplog.text


def test_a_span_of_another_make_is_asked_in_its_own_way() -> None:
    """A foreign or remote span has no inside that we know."""
    said = {}

    class Foreign(type(INVALID_SPAN)):  # type: ignore[misc]
        def set_attributes(self, attributes: Any) -> None:
            said.update(attributes)

    foreign: Span = Foreign(INVALID_SPAN.get_span_context())
    put(foreign, {"a": 1})
    assert (said, attributes_of(foreign)) == ({"a": 1}, {})
