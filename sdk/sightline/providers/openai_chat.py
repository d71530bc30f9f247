"""Chat completions of OpenAI, and of all who speak its language: Mistral, LiteLLM, vLLM, DeepSeek, ...

    whole   choices[].message                        usage
    chunk   choices[].delta, choices may be empty    usage in the last chunk, in every chunk, or never

Also their wrappings: Mistral's event (`data`), the event of OpenAI's own stream helper (`chunk`), embeddings
(`data` beside `usage`), and the older completions (`text`).
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sightline.providers.fields import (
    Get,
    arguments,
    field,
    first_count,
    getter,
    items,
    name,
    part,
    position,
    text,
)
from sightline.providers.piece import Piece, ToolPiece, finish_word
from sightline.usage import Usage, count, normalised

_NO_CALLS: Final[tuple[ToolPiece, ...]] = ()
_piece: Final[Callable[[Any, Any], Piece]] = tuple.__new__  # a third of what it costs to call the class


def read(thing: object) -> Sequence[Piece] | None:
    """The pieces of a chat completion, a chunk, or an embedding; None for anything else."""
    get = thing.get if type(thing) is dict else getter(thing)
    choices = get("choices")
    if choices is None:
        return _wrapped(get)
    reported = get("usage")
    usage = None if reported is None else usage_of(reported)
    if type(choices) is list and len(choices) == 1:
        return (_choice(get, usage, choices[0]),)
    pieces = [_choice(get, usage, choice) for choice in items(choices)]
    return pieces or (Piece(name(get("id")), name(get("model")), usage, name(get("service_tier"))),)


def usage_of(reported: object) -> Usage:
    """The block `usage`: parts are inside of their wholes, unless the total says otherwise."""
    get = getter(reported)
    of_prompt, of_completion = getter(get("prompt_tokens_details")), getter(get("completion_tokens_details"))
    # Beside OpenAI's own names, those of DeepSeek (hit) and of LiteLLM (creation, and Anthropic's).
    cached, written = count(of_prompt("cached_tokens")), count(of_prompt("cache_write_tokens"))
    if cached is None:
        cached = first_count(get, "prompt_cache_hit_tokens", "cache_read_input_tokens")
    if written is None:
        written = part(of_prompt, "cache_creation_tokens", count(get("cache_creation_input_tokens")))
    of_written = getter(of_prompt("cache_creation_token_details")) if written else None
    raw = Usage(
        count(get("prompt_tokens")),
        count(get("completion_tokens")),
        cached,
        written,
        count(of_completion("reasoning_tokens")),
        count(of_prompt("audio_tokens")),
        count(of_completion("audio_tokens")),
        count(of_prompt("image_tokens")),
        count(of_completion("image_tokens")),
        of_written and count(of_written("ephemeral_1h_input_tokens")),
    )
    return normalised(raw, total_tokens=count(get("total_tokens")))


def _choice(of_chunk: Get, usage: Usage | None, choice: object) -> Piece:
    get = choice.get if type(choice) is dict else getter(choice)
    said, whole = get("delta"), False
    if said is None:
        said = get("message")
        whole = said is not None
    of_said = said.get if type(said) is dict else getter(said)
    words: Any = of_said("content")
    thought = calls = None
    if type(words) is not str or type(said) is not dict or len(said) > 1:  # else there is nothing but words
        calls = of_said("tool_calls")
        thought = of_said("reasoning_content") or of_said("reasoning")
        if type(words) is not str:
            words, thought, calls = _unusual(get, of_said, words, thought, calls)
        if refusal := of_said("refusal"):
            words += text(refusal)
    id_, model, tier = of_chunk("id"), of_chunk("model"), of_chunk("service_tier")
    index, reason = get("index"), get("finish_reason")
    said_all = (
        id_ if type(id_) is str else None,
        model if type(model) is str else None,
        usage,
        tier if type(tier) is str else None,
        index if type(index) is int else 0,
        words,
        _calls(calls, whole) if calls else _NO_CALLS,
        None if reason is None else finish_word(reason),
        thought if type(thought) is str else "",
        whole,
        False,
    )
    return _piece(Piece, said_all)


def _unusual(
    of_choice: Get, of_said: Get, content: object, thought: object, calls: object
) -> tuple[str, object, object]:
    """What does not stand in `content` as a text: Mistral's parts, the transcript of a voice, the `text` of
    an older completion, the one function call of older chats.
    """
    if content is None:
        if calls is None and (call := of_said("function_call")) is not None:
            calls = ({"index": 0, "function": call},)
        return text(field(of_said("audio"), "transcript")) or text(of_choice("text")), thought, calls
    words, thoughts = [], []
    for chunk in items(content):
        words.append(text(field(chunk, "text")))
        thoughts += [text(field(thought, "text")) for thought in items(field(chunk, "thinking"))]
    return "".join(words), "".join(thoughts) or thought, calls


def _calls(calls: object, whole: bool) -> tuple[ToolPiece, ...]:
    """Whole tool calls stand for themselves; fragments say to which call they belong."""
    pieces = []
    for call in items(calls):
        of_call = getter(call)
        said: Any = of_call("function") or of_call("custom")
        given = field(said, "arguments")
        index = None if whole else position(of_call("index"))
        pieces.append(
            ToolPiece(
                index,
                name(of_call("id")),
                name(field(said, "name")),
                arguments(field(said, "input") if given is None else given),
            )
        )
    return tuple(pieces)


def _wrapped(get: Get) -> Sequence[Piece] | None:
    for wrapping in ("data", "chunk"):
        inner = get(wrapping)
        if inner is not None and field(inner, "choices") is not None:
            return read(inner)
    if get("object") == "list" and get("usage") is not None:
        return (Piece(model=name(get("model")), usage=usage_of(get("usage"))),)
    return None
