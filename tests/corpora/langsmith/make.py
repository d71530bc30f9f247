"""LangSmith's tracing sent as OpenTelemetry: a plain question, a streamed one, and an agent with a tool."""

import os

os.environ["LANGSMITH_TRACING"] = "true"
os.environ["LANGSMITH_TRACING_MODE"] = "otel"
os.environ["LANGSMITH_API_KEY"] = "k"

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langsmith.run_trees import get_cached_client
from opentelemetry import trace

MODEL = ChatOpenAI(model="gpt-5-mini", stream_usage=True)
TALK = {"metadata": {"thread_id": "talk-1"}, "tags": ["harbour"]}


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"19 degrees in {city}"


MODEL.invoke("What does a lighthouse do?", config=TALK)
for _ in MODEL.stream("Count to three.", config=TALK):
    pass
agent = create_agent(MODEL, [get_weather], name="forecaster")
agent.invoke({"messages": [{"role": "user", "content": "How warm is it in Lisbon?"}]}, config=TALK)
get_cached_client().flush()
trace.get_tracer_provider().shutdown()
