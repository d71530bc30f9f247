"""OpenAI's client: what OpenTelemetry's spans lack for streamed chats, and streamed responses.

    program ─► OpenTelemetry's wrapper (the span) ─► ours ─► the client ─► HTTP
                                                     │ asks for usage where nobody did
               chunks ◄────────────────────────── watches: first token, speed, usage
               the usage-only chunk that nobody asked for stays here

A server that refuses `stream_options` is asked again without, once, and never asked for usage again.
"""

from collections.abc import Callable
from typing import Any, Final

import wrapt

from sightline._safety import shielded
from sightline.instrument import Undo, Wiring
from sightline.instrument._stream_usage import Asking, aasked, asked
from sightline.instrument._streams import StreamWatcher, awatched, unwrap, watched

_CHATS: Final = "openai.resources.chat.completions"
_RESPONSES: Final = "openai.resources.responses"


def add(wiring: Wiring) -> Undo:
    """Wrap both clients' `create`; returns the way back."""
    from openai.resources.chat.completions import AsyncCompletions, Completions
    from openai.resources.responses import AsyncResponses, Responses

    ask = wiring.stream_usage
    wrapt.wrap_function_wrapper(_CHATS, "Completions.create", _chat(ask))
    wrapt.wrap_function_wrapper(_CHATS, "AsyncCompletions.create", _achat(ask))
    wrapt.wrap_function_wrapper(_RESPONSES, "Responses.create", _response)
    wrapt.wrap_function_wrapper(_RESPONSES, "AsyncResponses.create", _aresponse)

    def undo() -> None:
        for owner in (Completions, AsyncCompletions, Responses, AsyncResponses):
            unwrap(owner, "create")

    return undo


def _chat(ask: bool) -> Callable[..., Any]:
    def create(call: Callable[..., Any], client: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        if not kwargs.get("stream"):
            return call(*args, **kwargs)
        return asked(call, args, kwargs, *_watching(client, kwargs, ask))

    return create


def _achat(ask: bool) -> Callable[..., Any]:
    async def create(call: Callable[..., Any], client: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        if not kwargs.get("stream"):
            return await call(*args, **kwargs)
        return await aasked(call, args, kwargs, *_watching(client, kwargs, ask))

    return create


def _watching(client: Any, request: dict[str, Any], ask: bool) -> tuple[Asking, StreamWatcher]:
    asking = Asking(request, _address(client), wanted=ask)
    return asking, StreamWatcher(request.get("messages"), request.get("model"), hidden=asking.hides)


def _response(call: Callable[..., Any], client: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    if not kwargs.get("stream"):
        return call(*args, **kwargs)
    watcher = StreamWatcher(kwargs.get("input"), kwargs.get("model"))
    return watched(call(*args, **kwargs), watcher)


async def _aresponse(call: Callable[..., Any], client: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    if not kwargs.get("stream"):
        return await call(*args, **kwargs)
    watcher = StreamWatcher(kwargs.get("input"), kwargs.get("model"))
    return awatched(await call(*args, **kwargs), watcher)


@shielded
def _address(client: Any) -> str:
    return str(getattr(getattr(client, "_client", None), "base_url", ""))
