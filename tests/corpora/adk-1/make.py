"""ADK with the spans of its first schema: an agent with a tool, and one without that streams."""

import asyncio
import os

os.environ["ADK_TELEMETRY_SCHEMA_VERSION_OPT_IN"] = "1"

from google.adk.agents import Agent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.runners import InMemoryRunner
from google.genai.types import Content, Part
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

MODEL = "gemini-2.5-flash"
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"19 degrees in {city}"


async def ask(agent: Agent, question: str, mode: StreamingMode = StreamingMode.NONE) -> None:
    runner = InMemoryRunner(agent=agent, app_name="shop")
    session = await runner.session_service.create_session(app_name="shop", user_id="ann", session_id="talk-1")
    message = Content(role="user", parts=[Part(text=question)])
    async for _ in runner.run_async(
        user_id="ann", session_id=session.id, new_message=message, run_config=RunConfig(streaming_mode=mode)
    ):
        pass


async def main() -> None:
    await ask(Agent(name="plain", model=MODEL), "What does a lighthouse do?")
    await ask(Agent(name="plain", model=MODEL), "Stream: count to three.", StreamingMode.SSE)
    await ask(Agent(name="weather", model=MODEL, tools=[get_weather]), "How warm is it in Lisbon?")


asyncio.run(main())
provider.shutdown()
