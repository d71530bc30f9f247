"""Pydantic AI: a plain question, a streamed one, and an agent with a tool."""

import asyncio

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import set_tracer_provider
from pydantic_ai import Agent

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
set_tracer_provider(provider)
Agent.instrument_all()

guide = Agent("openai-chat:gpt-5-mini", name="guide", instructions="Answer in one sentence.")
guide.run_sync("What does a lighthouse do?", conversation_id="talk-1")


async def streamed() -> None:
    async with guide.run_stream("Count to three.") as answer:
        async for _ in answer.stream_text():
            pass


asyncio.run(streamed())

forecaster = Agent("openai-chat:gpt-5-mini", name="forecaster")


@forecaster.tool_plain
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"19 degrees in {city}"


forecaster.run_sync("How warm is it in Lisbon?")
provider.shutdown()
