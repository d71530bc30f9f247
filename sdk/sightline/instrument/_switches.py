"""Environment variables that libraries ask, set where the user has not, and put back."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from sightline.instrument._libraries import Switch

# OpenTelemetry's instrumentation of google-genai turns these events on for every library of the process, and
# leaves them on: each call would be told twice.
_EVENTS: Final = "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"


def switched(switches: Iterable[Switch], *, captures: bool) -> Callable[[], None]:
    """Set these as the content mode wants them; returns the way back. What the user has set stays."""
    ours: list[str] = []
    for switch in switches:
        value = switch.with_content if captures else switch.without_content
        if value is not None and not os.environ.get(switch.variable):
            os.environ[switch.variable] = value
            ours.append(switch.variable)

    def undo() -> None:
        for variable in ours:
            os.environ.pop(variable, None)

    return undo


@contextmanager
def events_as_they_were() -> Iterator[None]:
    """Whatever happens inside the block, no event is turned on or off by it."""
    before = os.environ.get(_EVENTS)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_EVENTS, None)
        else:
            os.environ[_EVENTS] = before
