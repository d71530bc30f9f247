"""LangChain under OpenInference, with OpenTelemetry's instrumentation of the client that it calls: twins."""

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
LangChainInstrumentor().instrument()
OpenAIInstrumentor().instrument()


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"19 degrees in {city}"


model = ChatOpenAI(model="gpt-5-mini")
model.invoke("What does a lighthouse do?")
for _ in model.stream("Count to three.", stream_usage=True):
    pass
agent = create_agent(model, [get_weather], name="forecaster")
agent.invoke({"messages": [{"role": "user", "content": "How warm is it in Lisbon?"}]})
provider.shutdown()
