"""AutoGen: an agent asked plainly, one that streams, and one with a tool."""

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)


async def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"19 degrees in {city}"


async def main() -> None:
    client = OpenAIChatCompletionClient(model="gpt-5-mini")
    await AssistantAgent("guide", client).run(task="What does a lighthouse do?")
    streaming = AssistantAgent("guide", client, model_client_stream=True)
    async for _ in streaming.run_stream(task="Count to three."):
        pass
    forecaster = AssistantAgent("forecaster", client, tools=[get_weather], reflect_on_tool_use=True)
    await forecaster.run(task="How warm is it in Lisbon?")


asyncio.run(main())
provider.shutdown()
