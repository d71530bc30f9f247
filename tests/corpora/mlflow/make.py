"""MLflow's autolog of OpenAI's client inside traced functions, exported by OTLP."""

import os

os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow
import openai
from mlflow.entities import SpanType

mlflow.openai.autolog()
CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"name": "get_weather", "description": "The weather in a city.", "parameters": CITY}
QUESTION = {"role": "user", "content": "How warm is it in Lisbon?"}
gpt = openai.OpenAI()


def ask(*messages, **more):
    return gpt.chat.completions.create(model="gpt-5-mini", messages=messages, **more)


@mlflow.trace(span_type=SpanType.TOOL)
def get_weather(city: str) -> str:
    return f"19 degrees in {city}"


@mlflow.trace(span_type=SpanType.AGENT)
def forecaster(question: str) -> str:
    mlflow.update_current_trace(metadata={"mlflow.trace.session": "talk-1", "mlflow.trace.user": "ada"})
    tools = [{"type": "function", "function": WEATHER}]
    call = ask(QUESTION, tools=tools).choices[0].message
    result = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": get_weather("Lisbon")}
    return ask(QUESTION, call.model_dump(), result, tools=tools).choices[0].message.content


ask({"role": "user", "content": "What does a lighthouse do?"})
streamed = {"stream": True, "stream_options": {"include_usage": True}}
for _ in ask({"role": "user", "content": "Count to three."}, **streamed):
    pass
forecaster("How warm is it in Lisbon?")
mlflow.flush_trace_async_logging()
