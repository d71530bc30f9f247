"""Agent Framework: an agent with a tool, and a client asked directly and as a stream."""

import asyncio

from agent_framework import Agent, tool
from agent_framework.observability import configure_otel_providers
from agent_framework.openai import OpenAIChatClient
from opentelemetry import trace

configure_otel_providers(enable_sensitive_data=True)


@tool(approval_mode="never_require")
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"19 degrees in {city}"


async def main() -> None:
    client = OpenAIChatClient(model="gpt-5-mini")
    await Agent(client=client, name="plain").run("What does a lighthouse do?")
    async for _ in Agent(client=client, name="plain").run("Count to three.", stream=True):
        pass
    await Agent(client=client, name="weather", tools=[get_weather]).run("How warm is it in Lisbon?")


asyncio.run(main())
trace.get_tracer_provider().shutdown()
