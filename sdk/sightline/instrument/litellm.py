"""LiteLLM: usage is asked for in streams where nobody did, and the chunk that it comes in is hidden.

It hands the request on to its providers in their own ways; to OpenAI's as a raw response, which our wrapper
of that client leaves alone. So the asking is done here; a provider for which LiteLLM refuses it is asked
again without, once, and never asked for usage again.
"""

import functools
import sys
from collections.abc import Callable
from typing import Any

from sightline.instrument import Undo, Wiring
from sightline.instrument._stream_usage import Asking, aasked, asked
from sightline.instrument._streams import StreamWatcher


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
        return asked(call, args, kwargs, *_watching(args, kwargs, ask))

    return completion


def _acompletion(call: Callable[..., Any], ask: bool) -> Callable[..., Any]:
    @functools.wraps(call)
    async def acompletion(*args: Any, **kwargs: Any) -> Any:
        if not kwargs.get("stream"):
            return await call(*args, **kwargs)
        return await aasked(call, args, kwargs, *_watching(args, kwargs, ask))

    return acompletion


def _watching(args: Any, request: dict[str, Any], ask: bool) -> tuple[Asking, StreamWatcher]:
    model, messages = [*args, None, None][:2]
    model = request.get("model", model)
    asking = Asking(request, _provider(model), wanted=ask)
    return asking, StreamWatcher(request.get("messages", messages), model, hidden=asking.hides)


def _provider(model: object) -> str:
    """Whose model it is: LiteLLM itself refuses, for some, what we would add."""
    return f"litellm {str(model).partition('/')[0]}"
