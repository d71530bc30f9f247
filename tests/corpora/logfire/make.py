"""Logfire's instrumentations of OpenAI's and Anthropic's clients, sent by OTLP."""

import os

os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"  # its own spans are another dialect

import anthropic
import logfire
import openai

logfire.configure(send_to_logfire=False, console=False, service_version="1", metrics=False)
logfire.instrument_openai()
logfire.instrument_anthropic()
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
with logfire.span("forecast for {city}", city="Lisbon"):
    tools = [{"type": "function", "function": WEATHER}]
    call = ask(QUESTION, tools=tools).choices[0].message
    result = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "19 degrees in Lisbon"}
    ask(QUESTION, call.model_dump(), result, tools=tools)

claude = anthropic.Anthropic()
head = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": [QUESTION]}
claude.messages.create(**head, tools=[{"name": "get_weather", "input_schema": CITY}])
logfire.shutdown()
