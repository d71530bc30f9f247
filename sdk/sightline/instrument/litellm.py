"""LiteLLM: usage is asked for in streams where nobody did, and the chunk that it comes in is hidden.

It hands the request on to its providers in their own ways; to OpenAI's as a raw response, which our wrapper
of that client leaves alone. So the asking is done here.
"""

import functools
import sys
from collections.abc import Callable
from typing import Any

from sightline.instrument import Undo, Wiring
from sightline.instrument._stream_usage import Asking
from sightline.instrument._streams import StreamWatcher, awatched, watched


def add(wiring: Wiring) -> Undo:
    """Wrap `completion` and `acompletion`; returns the way back."""
    module: Any = sys.modules["litellm"]
    completion, acompletion = module.completion, module.acompletion
    module.completion = _completion(completion, wiring.stream_usage)
    module.acompletion = _acompletion(acompletion, wiring.stream_usage)

    def undo() -> None:
        module.completion, module.acompletion = completion, acompletion

    return undo


def _completion(call: Callable[..., Any], ask: bool) -> Callable[..., Any]:
    @functools.wraps(call)
    def completion(*args: Any, **kwargs: Any) -> Any:
        if not kwargs.get("stream"):
            return call(*args, **kwargs)
        asking, watcher = _watching(kwargs, ask)
        return watched(call(*args, **asking.request(watcher.span)), watcher)

    return completion


def _acompletion(call: Callable[..., Any], ask: bool) -> Callable[..., Any]:
    @functools.wraps(call)
    async def acompletion(*args: Any, **kwargs: Any) -> Any:
        if not kwargs.get("stream"):
            return await call(*args, **kwargs)
        asking, watcher = _watching(kwargs, ask)
        return awatched(await call(*args, **asking.request(watcher.span)), watcher)

    return acompletion


def _watching(request: dict[str, Any], ask: bool) -> tuple[Asking, StreamWatcher]:
    asking = Asking(request, None, wanted=ask)
    return asking, StreamWatcher(request.get("messages"), request.get("model"), hidden=asking.hides)
