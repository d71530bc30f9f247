"""OpenLIT around OpenAI's and Anthropic's clients."""

import anthropic
import openai
import openlit
from opentelemetry import trace

openlit.init(application_name="corpus", environment="test", disable_metrics=True)
CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"name": "get_weather", "description": "The weather in a city.", "parameters": CITY}
QUESTION = {"role": "user", "content": "How warm is it in Lisbon?"}
gpt = openai.OpenAI()


def ask(*messages, **more):
    return gpt.chat.completions.create(model="gpt-5-mini", messages=messages, **more)


@openlit.trace
def forecast(question: str) -> str:
    tools = [{"type": "function", "function": WEATHER}]
    call = ask(QUESTION, tools=tools).choices[0].message
    result = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "19 degrees in Lisbon"}
    return ask(QUESTION, call, result, tools=tools, user="ada").choices[0].message.content


ask({"role": "user", "content": "What does a lighthouse do?"})
streamed = {"stream": True, "stream_options": {"include_usage": True}}
for _ in ask({"role": "user", "content": "Count to three."}, **streamed):
    pass
forecast("How warm is it in Lisbon?")

claude = anthropic.Anthropic()
head = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": [QUESTION]}
claude.messages.create(**head)
claude.messages.create(**head, tools=[{"name": "get_weather", "input_schema": CITY}])
trace.get_tracer_provider().shutdown()
