"""Ollama's own API: chat, generate and embed.

whole and chunk alike   message.content | response, done   prompt_eval_count, eval_count in the last
"""

from collections.abc import Sequence
from typing import Any

from sightline.providers.fields import Get, arguments, field, getter, items, name, text
from sightline.providers.piece import Piece, ToolPiece, finish_word
from sightline.usage import Usage, count


def read(thing: object) -> Sequence[Piece] | None:
    """The pieces of an answer, of a chunk of its stream, or of embeddings; None for anything else."""
    get = getter(thing)
    message, generated = get("message"), get("response")
    if type(get("done")) is not bool or (message is None and generated is None):
        return _embedded(get)
    of_said, words = (get, generated) if message is None else (getter(message), field(message, "content"))
    return (
        Piece(
            model=name(get("model")),
            usage=_usage(get),
            text=text(words),
            tool_calls=tuple(_call(call) for call in items(of_said("tool_calls"))),
            finish_reason=finish_word(get("done_reason")),
            reasoning=text(of_said("thinking")),
        ),
    )


def _embedded(get: Get) -> Sequence[Piece] | None:
    if get("embeddings") is None or get("prompt_eval_count") is None:
        return None
    return (Piece(model=name(get("model")), usage=_usage(get)),)


def _usage(get: Get) -> Usage | None:
    """A prompt that was in the cache has no count of its own."""
    sent, said = get("prompt_eval_count"), get("eval_count")
    return None if sent is None and said is None else Usage(count(sent), count(said))


def _call(call: object) -> ToolPiece:
    function: Any = field(call, "function")
    given = arguments(field(function, "arguments"))
    return ToolPiece(None, name(field(call, "id")), name(field(function, "name")), given)
