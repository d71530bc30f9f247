"""Strands agents, with a tool and without; session and user are attributes of their traces."""

import asyncio

from opentelemetry import trace
from strands import Agent, tool
from strands.models.openai import OpenAIModel
from strands.telemetry import StrandsTelemetry

telemetry = StrandsTelemetry().setup_otlp_exporter()
who = {"session.id": "talk-1", "user.id": "ann"}


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"19 degrees in {city}"


model = OpenAIModel(model_id="gpt-5-mini")
Agent(name="plain", model=model, callback_handler=None, trace_attributes=who)("What does a lighthouse do?")
weather = Agent(name="weather", model=model, tools=[get_weather], callback_handler=None, trace_attributes=who)


async def main() -> None:
    async for _ in weather.stream_async("How warm is it in Lisbon?"):
        pass


asyncio.run(main())
trace.get_tracer_provider().shutdown()
