"""OpenInference: OpenAI's and Anthropic's clients inside an agent, with a session and a user."""

import os

os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"  # its own spans are another dialect

import anthropic
import openai
from openinference.instrumentation import TracerProvider, using_attributes
from openinference.instrumentation.anthropic import AnthropicInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIInstrumentor().instrument(tracer_provider=provider)
AnthropicInstrumentor().instrument(tracer_provider=provider)
tracer = provider.get_tracer("my.agent")

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"name": "get_weather", "description": "The weather in a city.", "parameters": CITY}
QUESTION = {"role": "user", "content": "How warm is it in Lisbon?"}

gpt = openai.OpenAI()


def ask(*messages, **more):
    return gpt.chat.completions.create(model="gpt-5-mini", messages=messages, **more)


@tracer.tool(name="get_weather")
def get_weather(city: str) -> str:
    return f"19 degrees in {city}"


@tracer.agent(name="forecaster")
def forecaster(question: str) -> str:
    tools = [{"type": "function", "function": WEATHER}]
    call = ask(QUESTION, tools=tools).choices[0].message
    result = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": get_weather("Lisbon")}
    return ask(QUESTION, call, result, tools=tools).choices[0].message.content


ask({"role": "user", "content": "What does a lighthouse do?"})
streamed = {"stream": True, "stream_options": {"include_usage": True}}
for _ in ask({"role": "user", "content": "Count to three."}, **streamed):
    pass
with using_attributes(session_id="talk-1", user_id="ada"):
    forecaster("How warm is it in Lisbon?")
gpt.embeddings.create(model="text-embedding-3-small", input="lighthouse")

claude = anthropic.Anthropic()
head = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": [QUESTION]}
with claude.messages.stream(**head) as stream:
    stream.get_final_message()
claude.messages.create(**head, tools=[{"name": "get_weather", "input_schema": CITY}])
provider.shutdown()
