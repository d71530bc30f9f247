"""Instrumentations: for each library that is installed the one best, loaded when the program imports it.

    init() ─► the rows of `_libraries` that are installed ─► `_loading`, one each ─► health().instrumented

To add one: a row in `_libraries.py`, and a test with the real library; what its spans lack goes into a file
here with an `add(wiring) -> Undo`. Libraries are never imported for the sake of being observed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from sightline import _safety
from sightline.instrument._libraries import KNOWN, Library
from sightline.instrument._loading import Loading
from sightline.instrument._packages import is_at_least, is_installed

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk.trace import TracerProvider

__all__ = ["KNOWN", "Loaded", "Undo", "Wiring", "load"]

Undo = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Wiring:
    """What an instrumentation writes to, and what is wanted of it."""

    tracer_provider: "TracerProvider"
    logger_provider: "LoggerProvider"
    captures: bool
    stream_usage: bool


class Loaded(Protocol):
    """A library that is seen to, and the way to end that."""

    name: str
    at_work: bool

    def undo(self) -> None:
        """Leave the library as it was."""


def load(wanted: Literal["auto"] | Sequence[str], wiring: Wiring) -> list[Loaded]:
    """Load what is wanted and there; what is missing is said in the log, with the package to install.

    Whoever wants any library wants its calls in thread pools where they belong.
    """
    names = list(KNOWN) if wanted == "auto" else dict.fromkeys([*_ALWAYS, *wanted]) if wanted else ()
    loaded: list[Loaded] = []
    for name in names:
        missing = _safety.shielded(_load)(KNOWN[name], wiring, loaded)
        if missing and wanted != "auto":
            _safety.log.warning("Sightline cannot instrument %s: %s", name, missing)
        elif missing and missing != _NOT_INSTALLED:
            _safety.log.info("Sightline does not see %s: %s", name, missing)
    _safety.log.info(
        "Sightline instruments: %s", ", ".join(entry.name for entry in loaded if entry.at_work) or "nothing"
    )
    return loaded


_ALWAYS = ("threads",)
_NOT_INSTALLED = "not installed"


def _load(library: Library, wiring: Wiring, loaded: list[Loaded]) -> str:
    """Begin with a library; what is missing, or '' when nothing is."""
    there = [package for package in library.packages if is_installed(package)]
    if library.packages and not there:
        return _NOT_INSTALLED
    instrumentations: list[str] = []
    if not any(_makes_spans(library, package) for package in there):
        instrumentations = [package for package in library.instrumentations if is_installed(package)]
        if library.instrumentations and not instrumentations:
            return f"pip install {library.needs}"
    loading = Loading(library, instrumentations, wiring)
    loaded.append(loading)
    loading.start()
    return ""


def _makes_spans(library: Library, package: str) -> bool:
    return bool(library.spans_since) and is_at_least(package, library.spans_since)
