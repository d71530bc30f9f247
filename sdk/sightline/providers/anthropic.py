"""Anthropic's Messages, from Anthropic itself or through Bedrock and Vertex.

    whole    type: message, content[] of blocks: text, thinking, tool_use, ...
    stream   message_start → content_block_start → content_block_delta ... → message_delta → message_stop

Counts in a stream are cumulative: `message_start` has the input, and of the output only a placeholder, which
is not taken for the truth; the last `message_delta` has the output. The client's own stream helper sends
these events and, between them, others that say the same again (`text`, `thinking`, `input_json`): no notice
is taken of those.
"""

from collections.abc import Callable, Sequence
from typing import Final

from sightline.providers.fields import Get, arguments, field, getter, items, name, part, position, text
from sightline.providers.piece import Piece, ToolPiece, finish_word
from sightline.usage import Usage, count

_CALLS: Final = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})


def read(thing: object) -> Sequence[Piece] | None:
    """The pieces of a message, or of an event of its stream; None for anything else."""
    get = getter(thing)
    kind = get("type")
    if type(kind) is not str:
        return None
    reader = _KINDS.get(kind)
    return None if reader is None else reader(get)


def usage_of(reported: object) -> Usage:
    """The block `usage` as it stands: the cache's tokens are not in the input."""
    get = getter(reported)
    of_written, of_output = getter(get("cache_creation")), getter(get("output_tokens_details"))
    of_tools = getter(get("server_tool_use"))
    return Usage(
        input_tokens=count(get("input_tokens")),
        output_tokens=count(get("output_tokens")),
        cache_read_tokens=count(get("cache_read_input_tokens")),
        cache_write_tokens=count(get("cache_creation_input_tokens")),
        cache_write_1h_tokens=part(of_written, "ephemeral_1h_input_tokens"),
        reasoning_tokens=part(of_output, "thinking_tokens"),
        web_searches=part(of_tools, "web_search_requests"),
    )


def _message(get: Get) -> Sequence[Piece]:
    """A whole message, or the empty one that opens a stream."""
    words: list[str] = []
    thoughts: list[str] = []
    calls: list[ToolPiece] = []
    for block in items(get("content")):
        of_block = getter(block)
        kind = of_block("type")
        if kind == "text":
            words.append(text(of_block("text")))
        elif kind == "thinking":
            thoughts.append(text(of_block("thinking")))
        elif kind in _CALLS:
            calls.append(_call(of_block, None, arguments(of_block("input"))))
    reported = get("usage")
    return (
        Piece(
            name(get("id")),
            name(get("model")),
            None if reported is None else usage_of(reported),
            _tier(reported),
            0,
            "".join(words),
            tuple(calls),
            finish_word(get("stop_reason")),
            "".join(thoughts),
            bool(words or calls or thoughts),
            cache_outside=True,
        ),
    )


def _tier(reported: object) -> str | None:
    """What was billed: the fast mode costs more than any tier, and is told beside it."""
    return "fast" if field(reported, "speed") == "fast" else name(field(reported, "service_tier"))


def _start(get: Get) -> Sequence[Piece]:
    opening = _message(getter(get("message")))[0]
    usage = opening.usage
    return (opening._replace(usage=usage and usage._replace(output_tokens=None)),)


def _block_start(get: Get) -> Sequence[Piece]:
    of_block = getter(get("content_block"))
    kind = of_block("type")
    if kind in _CALLS:  # the input is empty here, and follows in fragments
        return (Piece(tool_calls=(_call(of_block, position(get("index")), ""),)),)
    return (Piece(text=text(of_block("text")), reasoning=text(of_block("thinking"))),)


def _block_delta(get: Get) -> Sequence[Piece]:
    of_delta = getter(get("delta"))
    kind = of_delta("type")
    if kind == "text_delta":
        return (Piece(text=text(of_delta("text"))),)
    if kind == "input_json_delta":
        fragment = text(of_delta("partial_json"))
        return (Piece(tool_calls=(ToolPiece(position(get("index")), None, None, fragment),)),)
    if kind == "thinking_delta":
        return (Piece(reasoning=text(of_delta("thinking"))),)
    return ()


def _message_delta(get: Get) -> Sequence[Piece]:
    reported = get("usage")
    usage = None if reported is None else usage_of(reported)
    reason = finish_word(field(get("delta"), "stop_reason"))
    return (Piece(usage=usage, finish_reason=reason, cache_outside=True),)


def _message_stop(get: Get) -> Sequence[Piece]:
    """The helper's last event has the whole message."""
    message = get("message")
    return () if message is None else _message(getter(message))


def _error(get: Get) -> Sequence[Piece]:
    """The server gives up in the middle; OpenAI's responses say so in the same word."""
    return (Piece(finish_reason="error"),)


def _nothing(get: Get) -> Sequence[Piece]:
    return ()


def _call(of_block: Get, index: int | None, given: str) -> ToolPiece:
    return ToolPiece(index, name(of_block("id")), name(of_block("name")), given)


_KINDS: Final[dict[str, Callable[[Get], Sequence[Piece]]]] = {
    "message": _message,
    "message_start": _start,
    "content_block_start": _block_start,
    "content_block_delta": _block_delta,
    "content_block_stop": _nothing,
    "message_delta": _message_delta,
    "message_stop": _message_stop,
    "ping": _nothing,
    "text": _nothing,
    "thinking": _nothing,
    "citation": _nothing,
    "signature": _nothing,
    "input_json": _nothing,
    "error": _error,
}
