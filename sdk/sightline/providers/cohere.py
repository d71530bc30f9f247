"""Cohere's chat, version 2, and its embeddings.

    whole    message.content[], message.tool_calls[], finish_reason, usage
    stream   message-start → content-delta | tool-call-start → tool-call-delta ... → message-end (usage)

What was billed counts, not what was consumed: Cohere's own preamble is not paid for.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sightline.providers.fields import Get, arguments, field, getter, items, name, position, text
from sightline.providers.piece import Piece, ToolPiece, finish_word
from sightline.usage import Usage, count


def read(thing: object) -> Sequence[Piece] | None:
    """The pieces of an answer, of an event of its stream, or of embeddings; None for anything else."""
    get = getter(thing)
    kind = get("type")
    if type(kind) is str:
        reader = _EVENTS.get(kind)
        return None if reader is None else reader(get)
    if get("message") is not None and get("finish_reason") is not None:
        return (_whole(get),)
    billed = field(get("meta"), "billed_units")
    if billed is None:
        return None
    return (Piece(name(get("id")), usage=Usage(input_tokens=count(field(billed, "input_tokens")))),)


def usage_of(reported: object) -> Usage:
    """The block `usage`; cached tokens are inside of the input."""
    get = getter(reported)
    billed, consumed = getter(get("billed_units")), getter(get("tokens"))
    whole_in = _first(billed, consumed, "input_tokens")
    cached = count(get("cached_tokens"))
    return Usage(
        input_tokens=whole_in,
        output_tokens=_first(billed, consumed, "output_tokens"),
        cache_read_tokens=None if cached is None or whole_in is None else min(cached, whole_in),
    )


def _whole(get: Get) -> Piece:
    of_message = getter(get("message"))
    content = of_message("content")
    blocks = (content,) if isinstance(content, str) else items(content)
    said = [(block, None) if isinstance(block, str) else _block(getter(block)) for block in blocks]
    calls = tuple(_call(getter(call), None) for call in items(of_message("tool_calls")))
    reported = get("usage")
    return Piece(
        id=name(get("id")),
        usage=None if reported is None else usage_of(reported),
        text="".join(words or "" for words, _ in said),
        tool_calls=calls,
        finish_reason=finish_word(get("finish_reason")),
        reasoning=text(of_message("tool_plan")) + "".join(thought or "" for _, thought in said),
        whole=True,
    )


def _block(get: Get) -> tuple[str, str]:
    return text(get("text")), text(get("thinking"))


def _call(get: Get, index: int | None) -> ToolPiece:
    function: Any = get("function")
    return ToolPiece(
        index, name(get("id")), name(field(function, "name")), arguments(field(function, "arguments"))
    )


def _message_start(get: Get) -> Sequence[Piece]:
    return (Piece(name(get("id"))),)


def _content(get: Get) -> Sequence[Piece]:
    words, thought = _block(getter(field(_delta(get), "content")))
    return (Piece(text=words, reasoning=thought),)


def _plan(get: Get) -> Sequence[Piece]:
    return (Piece(reasoning=text(field(_delta(get), "tool_plan"))),)


def _tool_call(get: Get) -> Sequence[Piece]:
    call = field(_delta(get), "tool_calls")
    if call is None:
        return ()
    return (Piece(tool_calls=(_call(getter(call), position(get("index"))),)),)


def _message_end(get: Get) -> Sequence[Piece]:
    of_delta = getter(get("delta"))
    reported = of_delta("usage")
    usage = None if reported is None else usage_of(reported)
    return (Piece(usage=usage, finish_reason=finish_word(of_delta("finish_reason"))),)


def _nothing(get: Get) -> Sequence[Piece]:
    return ()


def _delta(get: Get) -> Any:
    return field(get("delta"), "message")


def _first(billed: Get, consumed: Get, name: str) -> int | None:
    known = count(billed(name))
    return count(consumed(name)) if known is None else known


_EVENTS: Final[dict[str, Callable[[Get], Sequence[Piece]]]] = {
    "message-start": _message_start,
    "content-start": _content,
    "content-delta": _content,
    "content-end": _nothing,
    "tool-plan-delta": _plan,
    "tool-call-start": _tool_call,
    "tool-call-delta": _tool_call,
    "tool-call-end": _nothing,
    "citation-start": _nothing,
    "citation-end": _nothing,
    "message-end": _message_end,
    "debug": _nothing,
}
