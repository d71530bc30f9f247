"""Mistral's client makes its own spans since 3.7, by default with a tracer of the global provider."""

from collections.abc import Callable
from typing import Any, Final

from opentelemetry import trace

from sightline.instrument import Undo, Wiring
from sightline.instrument._private import nothing, replaced

_TRACERS: Final = ("mistralai.client._hooks.tracing", "get_or_create_otel_tracer")


def add(wiring: Wiring) -> Undo:
    """Send its spans to our provider where that is not the global one; a client's own provider stays."""
    if trace.get_tracer_provider() is wiring.tracer_provider:
        return nothing

    def ours(tracer_of: Callable[..., Any]) -> Callable[..., Any]:
        def of_provider(provider: Any = None) -> Any:
            return tracer_of(provider=wiring.tracer_provider if provider is None else provider)

        return of_provider

    return replaced(*_TRACERS, ours)
