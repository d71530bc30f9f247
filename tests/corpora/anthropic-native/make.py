"""Anthropic's SDK traces its own calls as soon as there is a tracer provider; content is asked for."""

import anthropic
from anthropic import beta_tool
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

MODEL = "claude-sonnet-4-5"
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)


@beta_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"19 degrees in {city}"


client = anthropic.Anthropic(
    open_telemetry={"conversation_id": "talk-1", "traces": {"content_mode": "content"}}
)
client.messages.create(
    model=MODEL, max_tokens=100, messages=[{"role": "user", "content": "What does a lighthouse do?"}]
)
with client.messages.stream(
    model=MODEL, max_tokens=100, messages=[{"role": "user", "content": "Count to three."}]
) as stream:
    for _ in stream.text_stream:
        pass
runner = client.beta.messages.tool_runner(
    model=MODEL,
    max_tokens=100,
    tools=[get_weather],
    messages=[{"role": "user", "content": "How warm is it in Lisbon?"}],
)
runner.until_done()
provider.shutdown()
