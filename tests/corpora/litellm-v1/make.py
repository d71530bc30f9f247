"""LiteLLM's first OpenTelemetry integration: OpenAI plain and streamed, Anthropic around a tool, and a
question that LiteLLM's own cache answers the second time.
"""

import os
import time

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["OTEL_EXPORTER"] = "http/protobuf"
os.environ["OTEL_ENDPOINT"] = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces"

import litellm
from opentelemetry import trace

litellm.callbacks = ["otel"]
litellm.cache = litellm.Cache(type="local")
GPT, CLAUDE = "openai/gpt-5-mini", "anthropic/claude-sonnet-4-5"
tool = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def question(text):
    return [{"role": "user", "content": text}]


litellm.completion(model=GPT, user="ann", messages=question("What does a lighthouse do?"))
for _ in litellm.completion(
    model=GPT, messages=question("Count to three."), stream=True, stream_options={"include_usage": True}
):
    pass
messages = question("How warm is it in Lisbon?")
asked = litellm.completion(model=CLAUDE, messages=messages, tools=[tool]).choices[0].message
result = {"role": "tool", "tool_call_id": asked.tool_calls[0].id, "content": "19 degrees in Lisbon"}
messages = [*messages, asked.model_dump(exclude_none=True), result]
litellm.completion(model=CLAUDE, messages=messages, tools=[tool])
for _ in range(2):
    litellm.completion(model=GPT, messages=question("What is a buoy?"), caching=True)
    time.sleep(1)
time.sleep(2)  # its callbacks run on threads of its own
trace.get_tracer_provider().shutdown()
