"""One trace over several processes."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import baggage
from opentelemetry import context as otel_context
from sdk.servers import OtlpSink, attributes_of

import sightline
from sightline import propagation, testing
from sightline.testing import Captured

WHO: dict[str, Any] = {
    "user_id": "u 1/é",
    "session_id": "s,1;x=y",
    "feature": "support",
    "prompt": ("greet", 3),
    "variant": "B",
    "tags": ["a", "b"],
}


def test_a_call_to_another_process_is_one_trace(sink: OtlpSink) -> None:
    """The called program's span is the caller's child, and carries the same user, prompt and tags."""
    called = f"""
import json, sightline, sys
from sightline import propagation
sightline.init("called", {sink.url!r}, instrument=False)
with propagation.received(json.loads(sys.stdin.read())), sightline.stage("called"): pass
"""
    sightline.init("caller", sink.url, instrument=False)
    with sightline.context(**WHO), sightline.stage("caller"):
        given_on = propagation.headers()
        subprocess.run([sys.executable, "-c", called], input=json.dumps(given_on), text=True, check=True)
    assert sightline.flush()
    spans = {span.name: span for span in sink.spans}
    assert spans["called"].trace_id == spans["caller"].trace_id
    assert spans["called"].parent_span_id == spans["caller"].span_id
    ours, theirs = attributes_of(spans["caller"]), attributes_of(spans["called"])
    assert ours == theirs | {"sightline.stage": "caller"}
    assert ours["user.id"] == "u 1/é"
    assert ours["sightline.tags"] == ["a", "b"]


def test_headers_are_read_in_any_case(seen: Captured) -> None:
    """Servers spell the names of headers as they like."""
    with sightline.context(user_id="u1"), sightline.stage("outer"):
        sent = {name.title(): value for name, value in propagation.headers().items()}
    with propagation.received(sent), sightline.stage("inner"):
        pass
    assert seen.span("inner").parent_span_id == seen.span("outer").span_id
    assert seen.span("inner").attributes["user.id"] == "u1"


@pytest.mark.parametrize(
    "broken", [{}, {"traceparent": "00-zz-1-01"}, {"traceparent": "", "baggage": "=;,=%"}]
)
def test_broken_headers_begin_a_new_trace(seen: Captured, broken: dict[str, str]) -> None:
    """A caller that says nothing, or nonsense, does no harm."""
    with propagation.received(broken), sightline.stage("alone"):
        pass
    assert seen.span("alone").parent_span_id is None


def test_outside_of_any_span_there_is_nothing_to_say() -> None:
    """No trace, no user: no headers."""
    assert propagation.headers() == {}


def test_the_programs_own_baggage_goes_along() -> None:
    """What was put there by others is theirs to send."""
    token = otel_context.attach(baggage.set_baggage("theirs", "x"))
    with sightline.context(feature="f"):
        assert propagation.headers() == {"baggage": "theirs=x,sightline.feature=f"}
    otel_context.detach(token)


def test_a_caller_cannot_put_spans_into_the_past(seen: Captured) -> None:
    """Only the six things of `context()` are taken from a header."""
    sent = {"baggage": "sightline.testing.backdate_ns=1000000,sightline.operation=llm,user.id=u1"}
    with propagation.received(sent), sightline.stage("s"):
        pass
    assert seen.span("s").attributes == {
        "sightline.operation": "step",
        "sightline.stage": "s",
        "user.id": "u1",
    }


def test_values_too_long_for_a_header_stay_here() -> None:
    """One endless value does not cost the others their way."""
    with sightline.context(user_id="u" * 10_000, feature="f"):
        assert propagation.headers() == {"baggage": "sightline.feature=f"}


words = st.text(max_size=80).map(str.strip)


@given(words, st.lists(words.filter(lambda tag: tag and "," not in tag)))
def test_every_value_comes_back_as_it_was(user: str, tags: list[str]) -> None:
    """Spaces within, commas, signs of every script; OpenTelemetry's reader drops spaces around."""
    with testing.capture() as seen:
        with sightline.context(user_id=user, tags=tags):
            sent = propagation.headers()
        with propagation.received(sent), sightline.stage("s"):
            pass
    values = seen.spans[0].attributes
    unique = list(dict.fromkeys(tags))
    if len(",".join(unique)) <= 256:
        assert values.get("sightline.tags", []) == unique
    assert values.get("user.id") == user
