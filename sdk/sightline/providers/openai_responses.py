"""OpenAI's Responses API.

    whole    object: response, output[] of items: message, function_call, reasoning, ...
    stream   response.created → response.output_item.added → response.*.delta ... → response.completed

Usage comes with the last event, which carries the whole response once more.
"""

from collections.abc import Callable, Sequence
from typing import Final

from sightline.providers.fields import Get, arguments, field, getter, items, name, part, position, text
from sightline.providers.piece import Piece, ToolPiece, finish_word
from sightline.usage import Usage, count, normalised

_PREFIX: Final = "response."
_TERMINAL: Final = frozenset({"completed", "incomplete", "failed", "cancelled"})


def read(thing: object) -> Sequence[Piece] | None:
    """The pieces of a response, or of an event of its stream; None for anything else."""
    get = getter(thing)
    if get("object") == "response":
        return (_whole(get),)
    kind = get("type")
    if type(kind) is not str or not kind.startswith(_PREFIX):
        return None
    reader = _EVENTS.get(kind[len(_PREFIX) :])
    return reader(get) if reader else ()


def usage_of(reported: object) -> Usage:
    """The block `usage`: cached and reasoning tokens are inside of their wholes."""
    get = getter(reported)
    of_input, of_output = getter(get("input_tokens_details")), getter(get("output_tokens_details"))
    raw = Usage(
        input_tokens=count(get("input_tokens")),
        output_tokens=count(get("output_tokens")),
        cache_read_tokens=part(of_input, "cached_tokens"),
        cache_write_tokens=part(of_input, "cache_write_tokens"),
        reasoning_tokens=part(of_output, "reasoning_tokens"),
        audio_input_tokens=part(of_input, "audio_tokens"),
        audio_output_tokens=part(of_output, "audio_tokens"),
        image_input_tokens=part(of_input, "image_tokens"),
        image_output_tokens=part(of_output, "image_tokens"),
    )
    return normalised(raw, total_tokens=count(get("total_tokens")))


def _whole(get: Get) -> Piece:
    words: list[str] = []
    thoughts: list[str] = []
    calls: list[ToolPiece] = []
    searches = 0
    for item in items(get("output")):
        of_item = getter(item)
        kind = of_item("type")
        if kind == "message":
            parts = [getter(content) for content in items(of_item("content"))]
            words += [text(of_part("text")) or text(of_part("refusal")) for of_part in parts]
        elif kind == "reasoning":
            shown = [*items(of_item("summary")), *items(of_item("content"))]
            thoughts += [text(field(part, "text")) for part in shown]
        elif kind in _CALLS:
            calls.append(_call(of_item))
        searches += kind == "web_search_call"
    reported = get("usage")
    usage = None if reported is None else usage_of(reported).with_searches(searches)
    return Piece(
        name(get("id")),
        name(get("model")),
        usage,
        name(get("service_tier")),
        0,
        "".join(words),
        tuple(calls),
        _finish(get, called=bool(calls)),
        "".join(thoughts),
        bool(words or calls or thoughts),
    )


def _finish(get: Get, *, called: bool) -> str | None:
    status = get("status")
    if status == "incomplete":
        return finish_word(field(get("incomplete_details"), "reason")) or "length"
    if status == "completed":
        return "tool_calls" if called else "stop"
    return finish_word(status) if status in _TERMINAL else None


_CALLS: Final = frozenset({"function_call", "custom_tool_call"})


def _call(of_item: Get, index: int | None = None) -> ToolPiece:
    given = of_item("arguments")
    return ToolPiece(
        index,
        name(of_item("call_id")) or name(of_item("id")),
        name(of_item("name")),
        arguments(of_item("input") if given is None else given),
    )


def _snapshot(get: Get) -> Sequence[Piece]:
    response = get("response")
    return () if response is None else (_whole(getter(response)),)


def _words(get: Get) -> Sequence[Piece]:
    return (Piece(text=text(get("delta"))),)


def _thought(get: Get) -> Sequence[Piece]:
    return (Piece(reasoning=text(get("delta"))),)


def _item_added(get: Get) -> Sequence[Piece]:
    of_item = getter(get("item"))
    if of_item("type") not in _CALLS:
        return ()
    return (Piece(tool_calls=(_call(of_item, position(get("output_index"))),)),)


def _arguments(get: Get) -> Sequence[Piece]:
    return (Piece(tool_calls=(ToolPiece(position(get("output_index")), None, None, text(get("delta"))),)),)


_EVENTS: Final[dict[str, Callable[[Get], Sequence[Piece]]]] = {
    "created": _snapshot,
    "in_progress": _snapshot,
    "queued": _snapshot,
    "completed": _snapshot,
    "incomplete": _snapshot,
    "failed": _snapshot,
    "output_text.delta": _words,
    "refusal.delta": _words,
    "audio.transcript.delta": _words,
    "reasoning_text.delta": _thought,
    "reasoning_summary_text.delta": _thought,
    "output_item.added": _item_added,
    "function_call_arguments.delta": _arguments,
    "custom_tool_call_input.delta": _arguments,
}
