"""Anthropic's client: it makes its own spans since 1.14; its streams are watched for what those lack.

    program ─► the client (the span) ─► HTTP
    events  ◄── its recorder of a streamed message ◄── ours: first token, speed, the answer's words
                 read, closed, dropped or failed: the recorder is told, and ends the span

The span is not current while a stream is read, but its recorder holds it, and hears of every event and of
every end. Should a later version have no such recorder, its spans stay as they are.
"""

from collections.abc import Callable
from typing import Any, Final

from opentelemetry import trace

from sightline import _clock, attributes
from sightline._answer import Answer
from sightline._safety import shielded
from sightline.instrument import Undo, Wiring
from sightline.instrument._private import found, nothing, replaced
from sightline.providers.fields import field

_RECORDER: Final = ("anthropic.lib._tracing._streaming", "StreamedMessage")
_TRACERS: Final = ("anthropic._base_client", "get_tracer")
_ANSWER: Final = "_sightline_answer"


def add(wiring: Wiring) -> Undo:
    """Watch streams, and send spans to our provider where that is not the global one."""
    undo = _watch_streams(wiring.captures)
    undo_tracers = _use_provider(wiring.tracer_provider)

    def both() -> None:
        undo()
        undo_tracers()

    return both


def _watch_streams(captures: bool) -> Undo:
    recorder = found(*_RECORDER)
    if recorder is None:
        return nothing
    item, end = recorder.item, recorder.end

    def noting_item(self: Any, event: object) -> None:
        _note(self, event)
        item(self, event)

    def telling_end(self: Any, how: Any, error: BaseException | None = None) -> None:
        _tell(self, captures)
        end(self, how, error)

    recorder.item, recorder.end = noting_item, telling_end

    def undo() -> None:
        recorder.item, recorder.end = item, end

    return undo


@shielded
def _note(recorder: Any, event: object) -> None:
    answer = getattr(recorder, _ANSWER, None)
    if answer is None:
        since_start_ns = _clock.now_ns() - recorder._start_time
        answer = Answer(_clock.elapsed_ns() - since_start_ns)
        setattr(recorder, _ANSWER, answer)
    answer.chunk(event, _clock.elapsed_ns())


@shielded
def _tell(recorder: Any, captures: bool) -> None:
    """Write what was seen on the span; what the client knows itself, it writes after us."""
    answer: Answer | None = getattr(recorder, _ANSWER, None)
    if answer is None or not recorder._span.is_recording():
        return
    request = recorder._body
    model = field(request, "model")
    seen = answer.extras(field(request, "messages"), model if isinstance(model, str) else None)
    if captures and recorder._content:
        said = answer.attributes(None, None, captures=True)
        seen |= {name: said[name] for name in (attributes.OUTPUT_MESSAGES,) if name in said}
    recorder._span.set_attributes(seen)


def _use_provider(provider: Any) -> Undo:
    """Clients built from now on send their spans to this provider, unless they were given another."""
    if trace.get_tracer_provider() is provider:
        return nothing

    def ours(get_tracer: Callable[..., Any]) -> Callable[..., Any]:
        def of_provider(options: Any, *args: Any, **more: Any) -> Any:
            return get_tracer({"tracer_provider": provider, **options}, *args, **more)

        return of_provider

    return replaced(*_TRACERS, ours)
