"""OpenTelemetry's own instrumentation of LangChain: a model, a stream, an agent with a tool."""

import os

os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.langchain import LangChainInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
LangChainInstrumentor().instrument()


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"19 degrees in {city}"


model = ChatOpenAI(model="gpt-5-mini")
model.invoke("What does a lighthouse do?")
for _ in model.stream("Count to three.", stream_usage=True):
    pass
agent = create_agent(model, [get_weather], name="forecaster")
question = {"messages": [{"role": "user", "content": "How warm is it in Lisbon?"}]}
agent.invoke(question, {"configurable": {"thread_id": "talk-1"}})
provider.shutdown()
