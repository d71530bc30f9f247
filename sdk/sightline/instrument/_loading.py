"""One library, from `init()` until `shutdown()`, whether or not the program ever imports it.

    waiting ──imported──► at work: our additions, then the first instrumentation that fits
       │                └► left: somebody else's instrumentation is at work already, or none fits
       └──undone──► over ◄──undone── any

Somebody else's are found by OpenTelemetry's own record: whoever instruments a library (opentelemetry-
instrument, OpenInference, Traceloop, OpenLIT) does so by a BaseInstrumentor that names the library's package.
A library with spans of its own is told to make none, then.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sightline._safety import log, shielded
from sightline.budget import _guard
from sightline.instrument._budget_questions import ask_before_calls
from sightline.instrument._libraries import Library, switches_of
from sightline.instrument._packages import instrumentor_of, named_in
from sightline.instrument._switches import events_as_they_were, switched

if TYPE_CHECKING:
    from sightline.instrument import Wiring


class Loading:
    """`at_work` is whether the library's spans are seen, now or as soon as the program imports it."""

    def __init__(self, library: Library, instrumentations: Sequence[str], wiring: "Wiring") -> None:
        self.name = library.name
        self.at_work = True
        self._library, self._instrumentations, self._wiring = library, instrumentations, wiring
        self._wanted = self._waiting = True
        self._undo: list[Callable[[], None]] = []

    def start(self) -> None:
        """Set the switches, and wait for the import where anything is to be done then."""
        switches = [switch for package in self._instrumentations for switch in switches_of(package)]
        self._undo.append(switched([*self._library.switches, *switches], captures=self._wiring.captures))
        if _guard.current is not None:
            self._undo.append(ask_before_calls(self.name))
        if not self._library.module:
            self.imported()
        elif self._library.ours or self._instrumentations:
            for module in filter(None, (self._library.module, self._library.inner)):
                _when_imported(module, self.imported)

    def imported(self, _: object = None) -> None:
        """Begin; a fault on the way leaves the program alone, and is not called work."""
        begins, self._waiting = self._waiting and self._wanted, False
        if begins and not shielded(self._begun)():
            self.at_work = False

    def _begun(self) -> bool:
        if others := instrumented_by_others(self._library.packages):
            self._undo.append(switched(self._library.silence, captures=self._wiring.captures))
            return self._left(f"{others} instruments it already")
        chosen = self._fitting() if self._instrumentations else None
        if self._instrumentations and chosen is None:
            return False
        if self._library.ours:
            ours = importlib.import_module(f".{self._library.ours}", __package__)
            self._undo.append(ours.add(self._wiring))
        if chosen is not None:
            self._instrument(chosen)
        log.debug("Sightline instruments %s: it was imported", self.name)
        return True

    def undo(self) -> None:
        self._wanted = self.at_work = False
        while self._undo:
            shielded(self._undo.pop())()

    def _fitting(self) -> Any | None:
        """The first instrumentation that fits the library's version; without one it is left alone."""
        reasons: list[str] = []
        for package in self._instrumentations:
            instrumentor = instrumentor_of(package)()
            conflict = instrumentor._check_dependency_conflicts()
            # A package that is not there at all is another name of the library, not another version.
            if conflict is None or not (conflict.found or conflict.found_any):
                return instrumentor
            reasons.append(f"{package} wants {conflict.required or ', '.join(conflict.required_any)}")
        self._left("; ".join(reasons))
        return None

    def _instrument(self, instrumentor: Any) -> None:
        with events_as_they_were():
            instrumentor.instrument(
                tracer_provider=self._wiring.tracer_provider,
                logger_provider=self._wiring.logger_provider,
                skip_dep_check=True,
            )
        self._undo.append(instrumentor.uninstrument)

    def _left(self, reason: str) -> bool:
        log.warning("Sightline leaves %s as it is: %s", self.name, reason)
        return False


def instrumented_by_others(packages: Sequence[str]) -> str:
    """The module of an instrumentor at work for one of these packages; '' when there is none."""
    known = sys.modules.get("opentelemetry.instrumentation.instrumentor")
    if known is None or not packages:
        return ""
    for kind in _kinds_below(known.BaseInstrumentor):
        instance = getattr(kind, "_instance", None)
        if (
            instance is not None
            and instance.is_instrumented_by_opentelemetry
            and any(named_in(text) in packages for text in _requirements(instance))
        ):
            return str(kind.__module__)
    return ""


@shielded
def _asked(instrumentor: Any) -> Sequence[str]:
    return tuple(instrumentor.instrumentation_dependencies())


def _requirements(instrumentor: Any) -> Sequence[str]:
    return _asked(instrumentor) or ()


def _kinds_below(kind: Any) -> Iterator[Any]:
    for below in kind.__subclasses__():
        yield below
        yield from _kinds_below(below)


def _when_imported(module: str, do: Callable[[object], None]) -> None:
    """Now, or as soon as the program imports it."""
    if module in sys.modules:
        do(sys.modules[module])
        return
    try:
        from wrapt import register_post_import_hook
    except ImportError:  # every instrumentation brings it; only libraries with spans of their own do not
        log.info(
            "Import %s before sightline.init(), or pip install wrapt: its streams are not watched", module
        )
        return
    register_post_import_hook(do, module)
