"""Mistral's SDK traces its own calls when MISTRAL_SDK_TELEMETRY says so."""

import os

os.environ["MISTRAL_SDK_TELEMETRY"] = "global"

from mistralai.client import Mistral
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

MODEL = "mistral-small-latest"
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)

tool = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
client = Mistral(api_key="none", server_url=os.environ["MISTRAL_BASE_URL"])
client.chat.complete(model=MODEL, messages=[{"role": "user", "content": "What does a lighthouse do?"}])
with client.chat.stream(model=MODEL, messages=[{"role": "user", "content": "Count to three."}]) as events:
    for _ in events:
        pass
messages = [{"role": "user", "content": "How warm is it in Lisbon?"}]
with trace.get_tracer("shop").start_as_current_span("weather"):
    asked = client.chat.complete(model=MODEL, messages=messages, tools=[tool]).choices[0].message
    call = asked.tool_calls[0]
    result = {
        "role": "tool",
        "name": "get_weather",
        "tool_call_id": call.id,
        "content": "19 degrees in Lisbon",
    }
    client.chat.complete(model=MODEL, messages=[*messages, asked, result], tools=[tool])
client.agents.complete(agent_id="ag_1", messages=[{"role": "user", "content": "What does a lighthouse do?"}])
provider.shutdown()
