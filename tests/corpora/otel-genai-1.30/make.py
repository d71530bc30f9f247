"""OpenTelemetry's older instrumentation of OpenAI's client: conventions of 1.30, content in log events."""

import os

import openai
from opentelemetry import _events, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk._events import EventLoggerProvider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true"
provider, logs = TracerProvider(), LoggerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
trace.set_tracer_provider(provider)
_events.set_event_logger_provider(EventLoggerProvider(logs))
OpenAIInstrumentor().instrument()

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
ask(QUESTION, call, result, tools=tools)
provider.shutdown()
logs.shutdown()
