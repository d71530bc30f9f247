"""Beside other instruments: nobody's provider is replaced, nobody's spans are lost, none is sent twice."""

from typing import Any

import pytest
from sdk.programs import run
from sdk.servers import OtlpSink, attributes_of


def names(sink: OtlpSink) -> list[str]:
    return sorted(span.name for span in sink.spans)


OURS = "sightline.init(endpoint={url!r}, instrument=False)\n"
THEIRS = """
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
theirs = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(theirs))
"""


def test_another_tool_may_join_our_provider(sink: OtlpSink) -> None:
    """A processor that is added after init sees our spans too, and both sides get each once."""
    program = f"""
import sightline
from opentelemetry import trace
{THEIRS}
{OURS.format(url=sink.url)}
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(theirs))
with trace.get_tracer("t").start_as_current_span("outer"):
    with sightline.stage("inner"): pass
assert [span.name for span in theirs.get_finished_spans()] == ["inner", "outer"]
"""
    run(program)
    assert names(sink) == ["inner", "outer"]


def test_a_provider_that_comes_after_ours_changes_nothing(sink: OtlpSink) -> None:
    """OpenTelemetry refuses it, with a warning of its own; all spans go on as before."""
    program = f"""
import sightline
from opentelemetry import trace
{THEIRS}
{OURS.format(url=sink.url)}
trace.set_tracer_provider(provider)
assert trace.get_tracer_provider() is not provider
with trace.get_tracer("t").start_as_current_span("outer"):
    with sightline.stage("inner"): pass
"""
    assert "Overriding of current TracerProvider is not allowed" in run(program)
    assert names(sink) == ["inner", "outer"]


def test_an_exporter_that_fails_is_their_matter(sink: OtlpSink) -> None:
    """Another tool's broken processor on the same provider costs us no span."""
    program = f"""
import logging, sightline
from opentelemetry import trace
{THEIRS}
from opentelemetry.sdk.trace.export import SpanExporter
class Broken(SpanExporter):
    def export(self, spans): raise RuntimeError("theirs")
logging.disable(logging.CRITICAL)
provider.add_span_processor(SimpleSpanProcessor(Broken()))
trace.set_tracer_provider(provider)
{OURS.format(url=sink.url)}
with sightline.stage("ours"): pass
"""
    run(program)
    assert names(sink) == ["ours"]


# As Logfire's: handed out as the global provider, around one of the SDK that it may exchange.
WRAPPER = """
class Wrapper(trace.TracerProvider):
    def __init__(self, provider): self.provider = provider
    def get_tracer(self, *args, **kwargs): return self.provider.get_tracer(*args, **kwargs)
    def add_span_processor(self, processor): self.provider.add_span_processor(processor)
trace.set_tracer_provider(Wrapper(provider))
"""


def test_a_wrapped_provider_is_joined(sink: OtlpSink) -> None:
    """What lies inside takes our processor: their spans and ours are one tree, on both sides."""
    program = f"""
import sightline
from opentelemetry import trace
{THEIRS}{WRAPPER}
{OURS.format(url=sink.url)}
with trace.get_tracer("t").start_as_current_span("outer"):
    with sightline.stage("inner"): pass
assert [span.name for span in theirs.get_finished_spans()] == ["inner", "outer"]
"""
    assert run(program) == ""
    inner, outer = sink.spans
    assert (inner.name, inner.parent_span_id) == ("inner", outer.span_id)


def test_a_wrapped_provider_that_is_exchanged_leaves_us_ours(sink: OtlpSink) -> None:
    """When the other tool is configured anew, our spans still arrive."""
    program = f"""
import sightline
from opentelemetry import trace
{THEIRS}{WRAPPER}
{OURS.format(url=sink.url)}
trace.get_tracer_provider().provider = TracerProvider()
provider.shutdown()
with sightline.stage("ours"): pass
"""
    run(program)
    assert names(sink) == ["ours"]


def test_a_foreign_implementation_goes_on_beside_us(sink: OtlpSink) -> None:
    """Datadog's provider is none of the SDK's: it keeps its spans, we have ours, and the log says so."""
    program = f"""
import sightline
from opentelemetry import trace
class TracerProvider(trace.TracerProvider):
    def get_tracer(self, *args, **kwargs): return trace.NoOpTracer()
theirs = TracerProvider()
trace.set_tracer_provider(theirs)
{OURS.format(url=sink.url)}
assert trace.get_tracer_provider() is theirs
with trace.get_tracer("t").start_as_current_span("outer"):
    with sightline.stage("ours"):
        with sightline.stage("inner"): pass
"""
    assert "TracerProvider is not OpenTelemetry's SDK: only Sightline's spans are seen" in run(program)
    assert names(sink) == ["inner", "ours"]


SENTRY = """
import sentry_sdk
from sentry_sdk.integrations.opentelemetry import SentrySpanProcessor
seen = []
class Kept(sentry_sdk.transport.Transport):
    def capture_envelope(self, envelope):
        seen.extend(item.payload.json["transaction"] for item in envelope.items if item.type == "transaction")
def sentry(instrumenter):
    sentry_sdk.init(
        "http://k@127.0.0.1:9/1", traces_sample_rate=1.0, transport=Kept, instrumenter=instrumenter,
        auto_enabling_integrations=False,
    )
    if instrumenter == "otel":
        if not isinstance(trace.get_tracer_provider(), TracerProvider):
            trace.set_tracer_provider(TracerProvider())
        trace.get_tracer_provider().add_span_processor(SentrySpanProcessor())
"""


@pytest.mark.parametrize(
    ("first", "instrumenter"), [("theirs", "sentry"), ("theirs", "otel"), ("ours", "otel")]
)
def test_sentry_and_we_each_get_what_is_ours(sink: OtlpSink, first: str, instrumenter: str) -> None:
    """Whoever comes first, with Sentry's own spans or OpenTelemetry's: each transaction and span once."""
    steps = [f"sentry({instrumenter!r})\n", OURS.format(url=sink.url)]
    program = f"""
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
import sightline
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
{SENTRY}
{"".join(steps if first == "theirs" else reversed(steps))}
with trace.get_tracer("t").start_as_current_span("outer"):
    with sightline.stage("inner"): pass
with sentry_sdk.start_transaction(name="sentry's") as transaction:
    with sightline.stage("inside"): pass
sentry_sdk.flush()
assert seen == {["sentry's"] if instrumenter == "sentry" else ["outer", "inside"]!r}, seen
"""
    run(program)
    assert names(sink) == ["inner", "inside", "outer"]


# -- Limits of others ------------------------------------------------------------------------------

CALL = """
with sightline.context(user_id="u", session_id="s", feature="f", tags=["a", "b"]):
    with sightline.llm_call(provider="openai", model="gpt-4o-mini", messages="hello") as call:
        for number in range(200):
            trace.get_current_span().set_attribute(f"noise.{number}", number)
        call.record_usage(input_tokens=9, output_tokens=2)
        call.chunk("hi")
"""
VITAL: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.usage.input_tokens": 9,
    "gen_ai.usage.output_tokens": 2,
}


@pytest.mark.parametrize("most", [8, 128])
def test_model_and_usage_survive_the_limit_of_a_joined_provider(sink: OtlpSink, most: int) -> None:
    """Of our own spans the oldest attributes go first, but never these; a tight limit is warned of."""
    program = f"""
import logging, sightline
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
logging.getLogger("opentelemetry").setLevel(logging.ERROR)
trace.set_tracer_provider(TracerProvider(span_limits=SpanLimits(max_span_attributes={most})))
{OURS.format(url=sink.url)}{CALL}"""
    assert ("keeps 8 attributes a span" in run(program)) is (most == 8)
    (span,) = sink.spans
    kept = attributes_of(span)
    assert {name: kept.get(name) for name in VITAL} == VITAL
    assert span.dropped_attributes_count > 0
