"""Anthropic's client has spans of its own; OpenLLMetry, then OpenInference, see each of its calls, too."""

import anthropic
from openinference.instrumentation.anthropic import AnthropicInstrumentor as OpenInference
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor as OpenLLMetry
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [{"name": "get_weather", "input_schema": CITY}]
QUESTION = {"role": "user", "content": "How warm is it in Lisbon?"}
HEAD = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": [QUESTION]}

for instrumentor in (OpenLLMetry(), OpenInference()):
    instrumentor.instrument()
    claude = anthropic.Anthropic()
    claude.messages.create(**HEAD)
    with claude.messages.stream(**HEAD) as stream:
        stream.get_final_message()
    claude.messages.create(**HEAD, tools=TOOLS)
    instrumentor.uninstrument()
provider.shutdown()
