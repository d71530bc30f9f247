"""MCP makes its own spans since version 2, with a tracer that it takes from the global provider."""

from opentelemetry import trace

from sightline.instrument import Undo, Wiring
from sightline.instrument._private import nothing, replaced

_TRACER = ("mcp.shared._otel", "_tracer")
_SCOPE = "mcp-python-sdk"


def add(wiring: Wiring) -> Undo:
    """Send its spans to our provider where that is not the global one."""
    if trace.get_tracer_provider() is wiring.tracer_provider:
        return nothing
    return replaced(*_TRACER, lambda _: wiring.tracer_provider.get_tracer(_SCOPE))
