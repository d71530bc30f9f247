"""OpenLLMetry: Traceloop's SDK with its decorators around OpenAI's and Anthropic's clients."""

import os

os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"  # its own spans are another dialect
os.environ["TRACELOOP_TELEMETRY"] = "false"
os.environ["TRACELOOP_BASE_URL"] = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]

import anthropic
import openai
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import tool, workflow

Traceloop.init(app_name="corpus", disable_batch=True)
CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"name": "get_weather", "description": "The weather in a city.", "parameters": CITY}
QUESTION = {"role": "user", "content": "How warm is it in Lisbon?"}
gpt = openai.OpenAI()


def ask(*messages, **more):
    return gpt.chat.completions.create(model="gpt-5-mini", messages=messages, **more)


@tool(name="get_weather")
def get_weather(city: str) -> str:
    return f"19 degrees in {city}"


@workflow(name="forecast")
def forecast(question: str) -> str:
    tools = [{"type": "function", "function": WEATHER}]
    call = ask(QUESTION, tools=tools).choices[0].message
    result = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": get_weather("Lisbon")}
    return ask(QUESTION, call, result, tools=tools).choices[0].message.content


ask({"role": "user", "content": "What does a lighthouse do?"})
streamed = {"stream": True, "stream_options": {"include_usage": True}}
for _ in ask({"role": "user", "content": "Count to three."}, **streamed):
    pass
Traceloop.set_association_properties({"session_id": "talk-1", "user_id": "ada"})
forecast("How warm is it in Lisbon?")

claude = anthropic.Anthropic()
head = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": [QUESTION]}
claude.messages.create(**head)
claude.messages.create(**head, tools=[{"name": "get_weather", "input_schema": CITY}])
