"""OpenAI's client: OpenTelemetry's own instrumentation, and what it lacks for streamed chats.

    program ─► OpenTelemetry's wrapper (the span) ─► ours ─► the client ─► HTTP
                                                     │ asks for usage where nobody did
               chunks ◄────────────────────────── watches: first token, speed, usage
               the usage-only chunk that nobody asked for stays here

Ours is the inner one, so the span is current while it works, and ends only after it has spoken. A server
that refuses `stream_options` is asked again without, once, and never asked for usage again.
"""

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

from sightline._safety import log, shielded
from sightline.instrument import Undo, Wiring

_CAPTURE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_INSTRUMENTATION: Final = "opentelemetry.instrumentation.genai.openai"


def load(wiring: Wiring) -> Undo | None:
    """Instrument `openai`, now or as soon as the program imports it."""
    if find_spec("openai") is None:
        return None
    if not _is_there(_INSTRUMENTATION):
        log.warning("openai is not observed: pip install opentelemetry-instrumentation-genai-openai")
        return None
    from wrapt import register_post_import_hook

    state = _Loading(wiring)
    register_post_import_hook(state.imported, "openai")
    return state.undo


class _Loading:
    """From `init()` until `shutdown()`, whether or not the library was ever imported."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._undo: list[Callable[[], None]] = []
        self._wanted = True

    @shielded
    def imported(self, module: object) -> None:
        if not self._wanted:
            return
        from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

        instrumentor = OpenAIInstrumentor()
        if instrumentor.is_instrumented_by_opentelemetry:
            log.info("openai is instrumented already; Sightline leaves it as it is")
            return
        self._undo.append(_content_wanted(self._wiring.captures))
        from sightline.instrument import _openai_streams

        self._undo.append(_openai_streams.watch(ask_for_usage=self._wiring.stream_usage))
        instrumentor.instrument(
            tracer_provider=self._wiring.tracer_provider, logger_provider=self._wiring.logger_provider
        )
        self._undo.append(instrumentor.uninstrument)

    def undo(self) -> None:
        self._wanted = False
        while self._undo:
            shielded(self._undo.pop())()


def _content_wanted(captures: bool) -> Undo:
    """Tell the instrumentation to record content on spans, where our guard decides what leaves; a choice that
    the user has made stays.
    """
    if os.environ.get(_CAPTURE):
        return lambda: None
    os.environ[_CAPTURE] = "SPAN_ONLY" if captures else "NO_CONTENT"

    def undo() -> None:
        os.environ.pop(_CAPTURE, None)

    return undo


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
