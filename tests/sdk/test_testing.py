"""What users get for their own tests and demonstrations."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import openai
import pytest
from opentelemetry import trace
from sdk.servers import ChatModel, OtlpSink, completion

import sightline
from sightline import _runtime, testing
from sightline._spans import twins

DAY_NS = 86_400 * 1_000_000_000
START_NS = 1767225600_000_000_000


@pytest.fixture
def seen() -> Iterator[testing.Captured]:
    with testing.capture(clock=testing.FixedClock()) as captured:
        yield captured


def test_ids_count_and_time_ticks(seen: testing.Captured) -> None:
    """A test can write every id and every nanosecond down."""
    with sightline.stage("outer"), sightline.stage("inner"):
        pass
    with sightline.stage("second"):
        pass
    assert [(s.name, int(s.trace_id, 16), int(s.span_id, 16), s.start_ns - START_NS) for s in seen.spans] == [
        ("inner", 1, 2, 1_000_000),
        ("outer", 1, 1, 0),
        ("second", 2, 3, 4_000_000),
    ]


def test_a_span_is_found_by_its_name(seen: testing.Captured) -> None:
    """Looking for a span that is not there, or there twice, says what is."""
    with sightline.stage("a"), sightline.stage("a"), sightline.stage("b"):
        pass
    assert seen.span("b").name == "b"
    for name in ("a", "c"):
        with pytest.raises(LookupError, match="recorded were"):
            seen.span(name)


def test_a_captured_test_puts_everything_back() -> None:
    """After the block the runtime is the one from before, though the block failed."""
    before = _runtime.current
    with pytest.raises(ZeroDivisionError), testing.capture():
        raise ZeroDivisionError
    assert _runtime.current is before


def test_whole_traces_are_backdated_alike(seen: testing.Captured) -> None:
    """Parents, children, foreign spans and the events on them move by the same time, and keep their order."""
    tracer = _runtime.current.tracer
    with testing.backdate(timedelta(days=3)), sightline.stage("outer"):
        with tracer.start_as_current_span("foreign") as span:
            span.add_event("halfway")
        with sightline.stage("inner"):
            pass
    outer, foreign, inner = (seen.span(name) for name in ("outer", "foreign", "inner"))
    times = [
        outer.start_ns,
        foreign.start_ns,
        foreign.events[0][1],
        foreign.end_ns,
        inner.start_ns,
        outer.end_ns,
    ]
    assert times == sorted(times)
    assert times[0] == START_NS - 3 * DAY_NS
    assert times[-1] < START_NS - 3 * DAY_NS + 1_000_000_000
    assert not any("testing" in name for span in seen.spans for name in span.attributes)


def test_a_span_moves_with_its_parent_only(seen: testing.Captured) -> None:
    """Inside of a trace that began today `backdate` moves nothing; a trace of the past stays one."""
    with sightline.stage("today"), testing.backdate(timedelta(days=1)), sightline.stage("child of today"):
        pass
    with testing.backdate(timedelta(days=1)):
        past = _runtime.current.tracer.start_span("past")
    with trace.use_span(past, end_on_exit=True), sightline.stage("child of past"):
        pass
    moved = {span.name: span.start_ns < START_NS for span in seen.spans}
    assert moved == {"today": False, "child of today": False, "past": True, "child of past": True}


def test_a_trace_can_begin_at_a_moment(seen: testing.Captured) -> None:
    """`at` names the moment, and time goes on from there."""
    moment = datetime(2025, 5, 1, 12, tzinfo=UTC)
    with testing.at(moment), sightline.stage("then"):
        pass
    assert 0 <= seen.span("then").start_ns - int(moment.timestamp()) * 1_000_000_000 < 10_000_000


def test_backdated_calls_have_the_price_of_their_day(seen: testing.Captured) -> None:
    """A call put into May 2025 costs what the model cost then."""
    for moment in (datetime(2025, 5, 1, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC)):
        with testing.at(moment), sightline.llm_call(provider="openai", model="o3") as call:
            call.record_usage(input_tokens=1_000_000, output_tokens=0)
    costs = [float(span.attributes["sightline.cost_usd"]) for span in seen.spans]
    assert costs == [10.0, 2.0]


def test_a_real_clients_spans_are_backdated_on_the_wire(model: ChatModel, sink: OtlpSink) -> None:
    """Past days reach the collector: decorators' and instrumentations' spans, and feedback."""
    model.script = [lambda request: (200, completion())]
    sightline.init(endpoint=sink.url, instrument=["openai"])
    messages: Any = [{"role": "user", "content": "hello"}]
    moment = datetime(2026, 3, 1, tzinfo=UTC)

    @sightline.agent
    def answer() -> None:
        with openai.OpenAI(base_url=model.base_url, api_key="k") as client:
            client.chat.completions.create(model="gpt-4o-mini", messages=messages)
        sightline.feedback(thumbs="up")

    with testing.at(moment):
        answer()
    assert sightline.flush()
    start_ns = int(moment.timestamp()) * 1_000_000_000
    chat, root = sink.spans
    assert (chat.name, root.name) == ("chat gpt-4o-mini", "invoke_agent answer")
    assert start_ns <= root.start_time_unix_nano <= chat.start_time_unix_nano
    assert chat.end_time_unix_nano <= sink.logs[0].time_unix_nano <= root.end_time_unix_nano
    assert root.end_time_unix_nano < start_ns + 60 * 1_000_000_000


def test_a_capture_inside_of_another_has_ids_and_traces_of_its_own(seen: testing.Captured) -> None:
    """No span of one is taken for a span, or a child, of the other."""
    with sightline.stage("outer"):
        with testing.capture() as inner, sightline.stage("inner"):
            pass
        with sightline.stage("child"):
            pass
    found = {span.name: span for span in [*seen.spans, *inner.spans]}
    assert len({span.span_id for span in found.values()}) == 3
    assert found["inner"].parent_span_id is None
    assert found["inner"].trace_id != found["outer"].trace_id
    assert found["child"].parent_span_id == found["outer"].span_id


def test_what_never_ended_is_not_mistaken_in_the_next_capture() -> None:
    """A call that a test leaves open is none of the spans that have its id later."""
    with testing.capture():
        _runtime.current.tracer.start_span("left open", attributes={"gen_ai.operation.name": "chat"})
        assert twins._followed
    assert not twins._followed
    with testing.capture() as seen, sightline.stage("next"):
        pass
    assert seen.spans[0].span_id == f"{1:016x}"
    assert "sightline.usage.aggregated" not in seen.spans[0].attributes


def test_a_capture_waits_for_its_evaluators() -> None:
    """What they find is in it, not in the next."""
    begun, gate = threading.Event(), threading.Event()

    @sightline.evaluator
    def slow(output: object) -> float:
        begun.set()
        gate.wait(30)
        return 1.0

    with testing.capture() as seen, sightline.stage("work"):
        sightline.evaluate(slow, output="a")
        assert begun.wait(30)
        threading.Timer(0.05, gate.set).start()
    assert [span.name for span in seen.spans] == ["work", "evaluate slow"]
    assert len(seen.logs) == 1


def test_what_a_running_sdk_observes_is_recorded_and_not_sent(sink: OtlpSink, model: ChatModel) -> None:
    """Programs call `init()` when they are imported: in a capture nothing leaves, and all is seen."""
    sightline.init(endpoint=sink.url, instrument=["openai"])
    model.script = [lambda request: (200, completion())]
    with (
        openai.OpenAI(base_url=model.base_url, api_key="k", max_retries=0) as client,
        testing.capture() as seen,
        sightline.stage("captured"),
    ):
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hello"}])
    with sightline.stage("sent"):
        pass
    assert sightline.flush()
    chat, outer = seen.span("chat gpt-4o-mini"), seen.span("captured")
    assert (chat.parent_span_id, chat.attributes["sightline.cost_usd"]) == (outer.span_id, "0.00012")
    assert [span.name for span in sink.spans] == ["sent"]
