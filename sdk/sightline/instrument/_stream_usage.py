"""Usage in streamed chats: asked for where nobody did; the chunk that it comes in is not the caller's.

OpenAI's way of asking, which LiteLLM has too: `stream_options={"include_usage": True}`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry import trace

from sightline._safety import shielded
from sightline.instrument._streams import StreamWatcher, awatched, watched
from sightline.providers.fields import field

_RAW_RESPONSE: Final = "X-Stainless-Raw-Response"
_REFUSING_STATUS: Final = (400, 422)
_OUR_ADDITION: Final = ("stream_options", "include_usage")
_MAX_REFUSING: Final = 1_000  # servers remembered as refusing; beyond that they are asked again

_refusing: set[str] = set()


class Asking:
    """One request to a server, by whatever name: whether usage is asked for, and what it said to that."""

    def __init__(self, request: Mapping[str, Any], server: str | None, *, wanted: bool) -> None:
        self._request, self._server = request, server or ""
        self._wanted = wanted
        self._asked = False

    def request(self, span: trace.Span) -> dict[str, Any]:
        """What to send. Nothing is added where no span could take what comes of it."""
        self._asked = self._wanted and span.is_recording() and bool(self._may_ask())
        added = {"stream_options": {"include_usage": True}} if self._asked else {}
        return {**self._request, **added}

    @shielded
    def hides(self, chunk: object) -> bool:
        """Whether a chunk says nothing but the usage that we asked for."""
        return (
            self._asked
            and field(chunk, "usage") is not None
            and not any(_says_more(choice) for choice in field(chunk, "choices") or ())
        )

    @shielded
    def was_refused(self, error: Exception) -> bool:
        """Whether the server refused just our addition; it is remembered."""
        if not self._asked or field(error, "status_code") not in _REFUSING_STATUS:
            return False
        text = _words_of(error) or ""
        if not any(word in text for word in _OUR_ADDITION):
            return False
        if len(_refusing) < _MAX_REFUSING:
            _refusing.add(self._server)
        self._asked = False
        return True

    @shielded
    def _may_ask(self) -> bool:
        """Only where the caller said nothing about it, and reads chunks rather than the raw response."""
        headers = self._request.get("extra_headers") or {}
        body = self._request.get("extra_body") or {}
        silent = not isinstance(self._request.get("stream_options"), Mapping) and "stream_options" not in body
        return silent and _RAW_RESPONSE not in headers and self._server not in _refusing


def asked(
    call: Callable[..., Any], args: Any, kwargs: dict[str, Any], asking: Asking, watcher: StreamWatcher
) -> Any:
    """The streamed call with usage asked for, watched; without, where just that was refused."""
    try:
        return watched(call(*args, **asking.request(watcher.span)), watcher)
    except Exception as error:
        if not asking.was_refused(error):
            raise
    return watched(call(*args, **kwargs), watcher)


async def aasked(
    call: Callable[..., Any], args: Any, kwargs: dict[str, Any], asking: Asking, watcher: StreamWatcher
) -> Any:
    """The same of an asynchronous client."""
    try:
        return awatched(await call(*args, **asking.request(watcher.span)), watcher)
    except Exception as error:
        if not asking.was_refused(error):
            raise
    return awatched(await call(*args, **kwargs), watcher)


def _says_more(choice: object) -> bool:
    """LiteLLM's usage comes with an empty choice."""
    delta = field(choice, "delta")
    return any((field(choice, "finish_reason"), field(delta, "content"), field(delta, "tool_calls")))


@shielded
def _words_of(error: Any) -> str:
    """All that the server said, in whatever shape it says such things."""
    return f"{error} {field(field(error, 'response'), 'text')}"
