"""OpenLLMetry as it was in 2025: messages flattened to one attribute each, names before OpenTelemetry's."""

import anthropic
import openai
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
OpenAIInstrumentor().instrument()
AnthropicInstrumentor().instrument()

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"name": "get_weather", "description": "The weather in a city.", "parameters": CITY}
QUESTION = {"role": "user", "content": "How warm is it in Lisbon?"}
gpt = openai.OpenAI()


def ask(*messages, **more):
    return gpt.chat.completions.create(model="gpt-5-mini", messages=messages, **more)


ask({"role": "user", "content": "What does a lighthouse do?"})
streamed = {"stream": True, "stream_options": {"include_usage": True}}
for _ in ask({"role": "user", "content": "Count to three."}, **streamed):
    pass
tools = [{"type": "function", "function": WEATHER}]
call = ask(QUESTION, tools=tools).choices[0].message
result = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "19 degrees in Lisbon"}
ask(QUESTION, call.model_dump(exclude_none=True), result, tools=tools)
gpt.embeddings.create(model="text-embedding-3-small", input="lighthouse")

claude = anthropic.Anthropic()
head = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": [QUESTION]}
claude.messages.create(**head, tools=[{"name": "get_weather", "input_schema": CITY}])
provider.shutdown()
