"""Amazon Bedrock: Converse and ConverseStream, as the plain dictionaries of boto3.

    whole    output.message.content[] of blocks, stopReason, usage
    stream   messageStart → contentBlockStart → contentBlockDelta ... → messageStop → metadata (usage)

Bodies of InvokeModel are the model maker's own JSON, mostly that of another reader here; those of a stream
come as bytes (`chunk.bytes`), and Nova's look like Converse's.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sightline.providers.fields import Get, arguments, field, first_count, getter, items, name, position, text
from sightline.providers.piece import Piece, ToolPiece, finish_word
from sightline.usage import Usage, count

_METRICS: Final = "amazon-bedrock-invocationMetrics"


def read(thing: object) -> Sequence[Piece] | None:
    """The pieces of a Converse answer, or of an event of its stream; None for anything else."""
    if not isinstance(thing, Mapping):
        return None
    if field(field(thing, "output"), "message") is not None:
        return _whole(getter(thing))
    for kind, reader in _EVENTS.items():
        if isinstance(event := thing.get(kind), Mapping):
            return reader(getter(event))
    return None


def body(thing: object) -> Any:
    """The JSON in an event of `invoke_model_with_response_stream`; None when it is none."""
    if type(thing) is dict and "chunk" not in thing:
        return None
    raw = field(field(thing, "chunk"), "bytes") if isinstance(thing, Mapping) else None
    if not isinstance(raw, bytes | bytearray):
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def usage_of(reported: object) -> Usage:
    """The block `usage` as it stands: the cache's tokens are not in the input."""
    get = getter(reported)
    long = [
        count(field(part, "inputTokens")) for part in items(get("cacheDetails")) if field(part, "ttl") == "1h"
    ]
    return Usage(
        input_tokens=count(get("inputTokens")),
        output_tokens=count(get("outputTokens")),
        cache_read_tokens=first_count(get, "cacheReadInputTokens", "cacheReadInputTokenCount"),
        cache_write_tokens=first_count(get, "cacheWriteInputTokens", "cacheWriteInputTokenCount"),
        cache_write_1h_tokens=sum(each or 0 for each in long) if long else None,
    )


def _whole(get: Get) -> Sequence[Piece]:
    words: list[str] = []
    thoughts: list[str] = []
    calls: list[ToolPiece] = []
    for block in items(field(field(get("output"), "message"), "content")):
        of_block = getter(block)
        words.append(text(of_block("text")))
        cited = items(field(of_block("citationsContent"), "content"))
        words += [text(field(part, "text")) for part in cited]
        thoughts.append(text(field(field(of_block("reasoningContent"), "reasoningText"), "text")))
        if (call := of_block("toolUse")) is not None:
            calls.append(_call(getter(call), None))
    reported = get("usage")
    return (
        Piece(
            usage=None if reported is None else usage_of(reported),
            service_tier=name(field(get("serviceTier"), "type")),
            text="".join(words),
            tool_calls=tuple(calls),
            finish_reason=finish_word(get("stopReason")),
            reasoning="".join(thoughts),
            whole=True,
            cache_outside=True,
        ),
    )


def _call(get: Get, index: int | None) -> ToolPiece:
    return ToolPiece(index, name(get("toolUseId")), name(get("name")), arguments(get("input")))


def _message_start(get: Get) -> Sequence[Piece]:
    return ()


def _block_start(get: Get) -> Sequence[Piece]:
    call = field(get("start"), "toolUse")
    if call is None:
        return ()
    return (Piece(tool_calls=(_call(getter(call), position(get("contentBlockIndex"))),)),)


def _block_delta(get: Get) -> Sequence[Piece]:
    of_delta = getter(get("delta"))
    call = of_delta("toolUse")
    fragments: tuple[ToolPiece, ...] = ()
    if call is not None:
        fragments = (ToolPiece(position(get("contentBlockIndex")), None, None, text(field(call, "input"))),)
    thought = text(field(of_delta("reasoningContent"), "text"))
    return (Piece(text=text(of_delta("text")), tool_calls=fragments, reasoning=thought),)


def _message_stop(get: Get) -> Sequence[Piece]:
    return (Piece(finish_reason=finish_word(get("stopReason"))),)


def _metadata(get: Get) -> Sequence[Piece]:
    reported, tier = get("usage"), name(field(get("serviceTier"), "type"))
    usage = None if reported is None else usage_of(reported)
    return (Piece(usage=usage, service_tier=tier, cache_outside=True),)


def _metrics(get: Get) -> Sequence[Piece]:
    """What Bedrock itself counted, in the last event of a stream of whatever model."""
    usage = Usage(
        count(get("inputTokenCount")),
        count(get("outputTokenCount")),
        count(get("cacheReadInputTokenCount")),
        count(get("cacheWriteInputTokenCount")),
    )
    return (Piece(usage=usage, cache_outside=True),)


_EVENTS: Final[dict[str, Callable[[Get], Sequence[Piece]]]] = {
    "contentBlockDelta": _block_delta,
    "contentBlockStart": _block_start,
    "contentBlockStop": _message_start,
    "messageStart": _message_start,
    "messageStop": _message_stop,
    "metadata": _metadata,
    _METRICS: _metrics,
}
