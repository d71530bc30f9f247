"""MCP's SDK traces client and server by itself; the server says what of it is a tool's run."""

import asyncio

from mcp import Client
from mcp.server.mcpserver import MCPServer
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
server = MCPServer("weather")


@server.tool()
def get_weather(city: str) -> str:
    """The weather in a city."""
    if city == "Atlantis":
        raise ValueError("no such city")
    return f"19 degrees in {city}"


@server.prompt()
def greet(name: str) -> str:
    """A greeting."""
    return f"Greet {name}."


async def main() -> None:
    async with Client(server, mode="legacy") as client:
        await client.list_tools()
        with trace.get_tracer("shop").start_as_current_span("weather"):
            await client.call_tool("get_weather", {"city": "Lisbon"})
            await client.call_tool("get_weather", {"city": "Atlantis"})
        await client.get_prompt("greet", {"name": "Ann"})


asyncio.run(main())
provider.shutdown()
