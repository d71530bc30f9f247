"""OpenTelemetry's own instrumentations of OpenAI's and Anthropic's clients, with content on spans."""

import os

import anthropic
import openai
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
OpenAIInstrumentor().instrument()
AnthropicInstrumentor().instrument()

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"name": "get_weather", "description": "The weather in a city.", "parameters": CITY}
QUESTION = {"role": "user", "content": "How warm is it in Lisbon?"}

gpt = openai.OpenAI()


def ask(question, **more):
    messages = question if isinstance(question, list) else [{"role": "user", "content": question}]
    return gpt.chat.completions.create(model="gpt-5-mini", messages=messages, **more)


ask("What does a lighthouse do?")
for _ in ask("Count to three.", stream=True, stream_options={"include_usage": True}):
    pass
for _ in ask("Count to three.", stream=True):  # nobody is told what this one used
    pass
tools = [{"type": "function", "function": WEATHER}]
call = ask([QUESTION], tools=tools).choices[0].message
result = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "19 degrees in Lisbon"}
ask([QUESTION, call, result], tools=tools)
gpt.embeddings.create(model="text-embedding-3-small", input="lighthouse")

claude = anthropic.Anthropic()  # which has spans of its own, too
head = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": [QUESTION]}
claude.messages.create(**head)
with claude.messages.stream(**head) as stream:
    stream.get_final_message()
claude.messages.create(**head, tools=[{"name": "get_weather", "input_schema": CITY}])
provider.shutdown()
