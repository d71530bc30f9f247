"""Langfuse: its drop-in OpenAI client inside an observed agent, and a generation written by hand."""

import os

os.environ["LANGFUSE_PUBLIC_KEY"] = "pk-k"
os.environ["LANGFUSE_SECRET_KEY"] = "sk-k"
os.environ["LANGFUSE_BASE_URL"] = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]

from langfuse import get_client, observe, propagate_attributes
from langfuse.openai import openai

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"name": "get_weather", "description": "The weather in a city.", "parameters": CITY}
QUESTION = {"role": "user", "content": "How warm is it in Lisbon?"}
langfuse, gpt = get_client(), openai.OpenAI()


def ask(*messages, **more):
    return gpt.chat.completions.create(model="gpt-5-mini", messages=messages, **more)


@observe(as_type="tool")
def get_weather(city: str) -> str:
    return f"19 degrees in {city}"


@observe(as_type="agent")
def forecaster(question: str) -> str:
    tools = [{"type": "function", "function": WEATHER}]
    call = ask(QUESTION, tools=tools).choices[0].message
    result = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": get_weather("Lisbon")}
    return ask(QUESTION, call.model_dump(), result, tools=tools).choices[0].message.content


ask({"role": "user", "content": "What does a lighthouse do?"})
streamed = {"stream": True, "stream_options": {"include_usage": True}}
for _ in ask({"role": "user", "content": "Count to three."}, **streamed):
    pass
with propagate_attributes(session_id="talk-1", user_id="ada"):
    forecaster("How warm is it in Lisbon?")

written = {"as_type": "generation", "name": "by-hand", "model": "claude-sonnet-4-5"}
with langfuse.start_as_current_observation(**written, input="How warm is it?") as generation:
    usage = {"input": 6, "output": 20, "cache_read_input_tokens": 1920, "cache_creation_input_tokens": 80}
    generation.update(output="19 degrees", usage_details=usage)
langfuse.flush()
