"""Instrumentations: one file a library, each loads what is well kept elsewhere and adds what that lacks.

To add one: a file here with a `load(wiring) -> Undo | None` (None: the library is not installed), a row in
KNOWN, a test with the real library. Libraries are never imported for the sake of being observed.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sightline import _safety

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk.trace import TracerProvider

Undo = Callable[[], None]

# name -> module; the order of loading
KNOWN: Final = {
    "threads": "sightline.instrument.threads",
    "openai": "sightline.instrument.openai",
}


@dataclass(frozen=True, slots=True)
class Wiring:
    """What an instrumentation writes to, and what is wanted of it."""

    tracer_provider: "TracerProvider"
    logger_provider: "LoggerProvider"
    captures: bool
    stream_usage: bool


@dataclass(frozen=True, slots=True)
class Loaded:
    """An instrumentation at work, and the way to end that."""

    name: str
    undo: Undo


def load(wanted: Literal["auto"] | Sequence[str], wiring: Wiring) -> list[Loaded]:
    """Load what is wanted and there; what was asked for by name and is missing is said in the log."""
    names = KNOWN if wanted == "auto" else wanted
    loaded = [Loaded(name, undo) for name in names if (undo := _load(name, wiring)) is not None]
    found = {entry.name for entry in loaded}
    if wanted != "auto" and (missing := [name for name in names if name not in found]):
        _safety.log.warning("Sightline cannot instrument %s: not installed", ", ".join(missing))
    _safety.log.info("Sightline instruments: %s", ", ".join(found) or "nothing")
    return loaded


@_safety.shielded
def _load(name: str, wiring: Wiring) -> Undo | None:
    undo: Undo | None = importlib.import_module(KNOWN[name]).load(wiring)
    return undo
