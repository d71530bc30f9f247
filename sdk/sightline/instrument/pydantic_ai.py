"""Pydantic AI makes its own spans as soon as it is told to."""

from sightline._safety import log
from sightline.instrument import Undo, Wiring


def add(wiring: Wiring) -> Undo:
    """Turn the spans of all agents on, unless the program has said itself what it wants of them."""
    from pydantic_ai import Agent
    from pydantic_ai.models.instrumented import InstrumentationSettings

    if Agent._instrument_default is not False:
        log.info("pydantic-ai is instrumented already; Sightline leaves it as it is")
        return lambda: None
    settings = InstrumentationSettings(
        tracer_provider=wiring.tracer_provider, include_content=wiring.captures
    )
    Agent.instrument_all(settings)

    def undo() -> None:
        if Agent._instrument_default is settings:
            Agent.instrument_all(False)

    return undo
