"""Spans started the short way: as OpenTelemetry's own in all that anybody can see."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON, ParentBased, Sampler, TraceIdRatioBased
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags, TraceState

import sightline
from sightline import _runtime, testing
from sightline._spans.processor import SightlineProcessor
from sightline._spans.quick import QuickSpan, runtime_of


class Onlooker(SpanProcessor):
    """Somebody else's processor."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.ended: list[ReadableSpan] = []

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.started.append(span.name)

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)


@contextmanager
def running(provider: TracerProvider) -> Iterator[list[ReadableSpan]]:
    """Our spans go through this provider; yields those that reach us."""
    seen: list[ReadableSpan] = []
    provider.add_span_processor(SightlineProcessor(seen.append))
    before = _runtime.use(runtime_of(provider, LoggerProvider(shutdown_on_exit=False), captures=True))
    try:
        yield seen
    finally:
        _runtime.use(before)


def provider_of(sampler: Sampler = DEFAULT_ON, **limits: Any) -> TracerProvider:
    return TracerProvider(sampler=sampler, span_limits=SpanLimits(**limits), shutdown_on_exit=False)


@sightline.tool(name="rank")
def rank(limit: int) -> str:
    """A piece of work."""
    if limit < 0:
        raise ValueError("below zero")
    trace.get_current_span().add_event("looked", {"at": limit})
    return "done"


def plain(span: ReadableSpan) -> dict[str, Any]:
    """Everything that an exporter can see of a span, but ids and times."""
    return {
        "name": span.name,
        "kind": span.kind,
        "attributes": dict(span.attributes or {}),
        "events": [
            (e.name, {k: v for k, v in (e.attributes or {}).items() if "trace" not in k}) for e in span.events
        ],
        "links": list(span.links),
        "status": (span.status.status_code, span.status.description),
        "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
        "scope": span.instrumentation_scope,
        "resource": span.resource.attributes.get("service.name"),
        "flags": span.context.trace_flags,
        "parent": span.parent is not None,
        "ended": (span.end_time or 0) >= (span.start_time or 0) > 0,
    }


def work_under(provider: TracerProvider) -> tuple[list[ReadableSpan], list[dict[str, Any]]]:
    with running(provider) as seen, sightline.context(user_id="u", tags=["a"]):
        with sightline.stage("outer"):
            rank(1)
        with pytest.raises(ValueError, match="below zero"):
            rank(-1)
    return seen, [plain(span) for span in seen]


def test_a_quick_span_says_what_the_tracers_own_would() -> None:
    """The same work gives the same spans both ways, apart from ids and times."""
    quick, quickly = work_under(provider_of())
    watched = provider_of()
    watched.add_span_processor(Onlooker())
    slow, slowly = work_under(watched)
    assert {type(span).__name__ for span in quick} == {"QuickSpan"}
    assert {type(span).__name__ for span in slow} == {"ReadableSpan"}
    assert quickly == slowly
    assert quick[0].parent is not None
    assert quick[0].parent.span_id == quick[1].context.span_id
    assert quick[0].context.trace_id == quick[1].context.trace_id != quick[2].context.trace_id


def test_somebody_who_looks_on_sees_every_span() -> None:
    """A processor that is added between a span's start and its end is told of the end."""
    provider, onlooker = provider_of(), Onlooker()
    with running(provider) as seen:
        with sightline.stage("before"):
            provider.add_span_processor(onlooker)
            rank(1)
        rank(2)
    assert onlooker.started == ["execute_tool rank"] * 2
    assert [span.name for span in onlooker.ended] == [span.name for span in seen]


def test_a_remote_parent_is_continued() -> None:
    """Trace, state and randomness flag come from the parent, wherever it is."""
    state = TraceState([("vendor", "1")])
    above = SpanContext(5, 7, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED), trace_state=state)
    with running(provider_of()) as seen, trace.use_span(trace.NonRecordingSpan(above)):
        rank(1)
    (span,) = seen
    assert isinstance(span, QuickSpan)
    assert (span.context.trace_id, span.parent, span.context.trace_state) == (5, above, state)
    assert not span.context.trace_flags.random_trace_id


def test_what_a_parent_does_not_keep_is_not_kept() -> None:
    """Below an unsampled parent there are no spans, as the default sampler has it."""
    above = SpanContext(5, 7, is_remote=True, trace_flags=TraceFlags(TraceFlags.DEFAULT))
    with running(provider_of()) as seen, trace.use_span(trace.NonRecordingSpan(above)):
        assert rank(1) == "done"
    assert seen == []


@pytest.mark.parametrize("sampler", [ALWAYS_OFF, TraceIdRatioBased(0.0), ParentBased(ALWAYS_OFF)])
def test_another_sampler_decides(sampler: Sampler) -> None:
    """Whatever sampler the provider has is asked."""
    with running(provider_of(sampler)) as seen:
        rank(1)
    assert seen == []


def test_limits_are_kept() -> None:
    """A provider that cuts values, or keeps few attributes, gets them cut and dropped."""
    with running(provider_of(max_span_attribute_length=3)) as seen:
        rank(1)
    assert (seen[0].attributes or {})["gen_ai.tool.name"] == "ran"
    with running(provider_of(max_span_attributes=2)) as seen:
        rank(1)
    assert len(seen[0].attributes or {}) == 2
    assert seen[0].dropped_attributes > 0


def test_an_ended_span_takes_nothing_more(caplog: pytest.LogCaptureFixture) -> None:
    """Ended twice it is sent once; what is set afterwards is refused with OpenTelemetry's warning."""
    with running(provider_of()) as seen, sightline.stage("over"):
        span = trace.get_current_span()
        span.end()
        span.end()
        span.set_attribute("late", 1)
    assert [s.name for s in seen] == ["over"]
    assert "late" not in (seen[0].attributes or {})
    assert "ended span" in caplog.text


def test_a_fixed_clock_and_counted_ids_are_asked() -> None:
    """Tests see the same times and ids as from OpenTelemetry's own spans."""
    with testing.capture(clock=testing.FixedClock()) as seen:
        rank(1)
    assert (seen.spans[0].trace_id, seen.spans[0].span_id) == (f"{1:032x}", f"{1:016x}")
    assert seen.spans[0].start_ns == int(testing.FIXED_START.timestamp()) * 10**9
    assert seen.spans[0].kind == SpanKind.INTERNAL.name.lower()
