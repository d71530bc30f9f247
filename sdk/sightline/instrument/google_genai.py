"""Google's client: its streamed answers are watched for first token, speed, and the usage of broken ones."""

from collections.abc import Callable
from typing import Any

import wrapt

from sightline.instrument import Undo, Wiring
from sightline.instrument._streams import StreamWatcher, awatched, unwrap, watched

_MODELS = "google.genai.models"
_STREAM = "generate_content_stream"


def add(wiring: Wiring) -> Undo:
    """Wrap both clients' streams; returns the way back."""
    from google.genai.models import AsyncModels, Models

    wrapt.wrap_function_wrapper(_MODELS, f"Models.{_STREAM}", _stream)
    wrapt.wrap_function_wrapper(_MODELS, f"AsyncModels.{_STREAM}", _astream)

    def undo() -> None:
        for owner in (Models, AsyncModels):
            unwrap(owner, _STREAM)

    return undo


def _stream(call: Callable[..., Any], client: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    watcher = StreamWatcher(kwargs.get("contents"), kwargs.get("model"))
    return watched(call(*args, **kwargs), watcher)


async def _astream(call: Callable[..., Any], client: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    watcher = StreamWatcher(kwargs.get("contents"), kwargs.get("model"))
    return awatched(await call(*args, **kwargs), watcher)
