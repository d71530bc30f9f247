"""Amazon Bedrock: its streamed answers are watched for first token, speed, and the usage of broken ones.

All of boto3's calls go through one method; two of them stream, each under a key of its own.
"""

from collections.abc import Callable
from typing import Any, Final

import wrapt

from sightline.instrument import Undo, Wiring
from sightline.instrument._streams import StreamWatcher, unwrap, watched_events
from sightline.providers.fields import field

_STREAMS: Final = {"ConverseStream": "stream", "InvokeModelWithResponseStream": "body"}


def add(wiring: Wiring) -> Undo:
    """Wrap the client's one method; returns the way back."""
    from botocore.client import BaseClient

    wrapt.wrap_function_wrapper("botocore.client", "BaseClient._make_api_call", _call)
    return lambda: unwrap(BaseClient, "_make_api_call")


def _call(call: Callable[..., Any], client: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    key = _STREAMS.get(args[0]) if args else None
    if key is None:
        return call(*args, **kwargs)
    request = args[1] if len(args) > 1 else {}
    watcher = StreamWatcher(field(request, "messages"), field(request, "modelId"))
    response = call(*args, **kwargs)
    if key in response:
        response[key] = watched_events(response[key], watcher)
    return response
