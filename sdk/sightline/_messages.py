"""Chat messages in OpenTelemetry's shape: a role and parts. Pure.

Reads the requests of every provider in `providers`, as clients' objects or as plain JSON: the `messages` of
chat completions, Anthropic, Bedrock, Cohere and Ollama, the `input` of OpenAI's responses, Gemini's
`contents`, or a bare text.
"""

from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring as quoted
from types import NoneType
from typing import Any, Final, NamedTuple

from sightline._capture import MAX_CHARS, as_json, well_formed
from sightline.providers.fields import arguments, field, getter, items, parsed
from sightline.providers.parts import (
    Part,
    call_part,
    part_of,
    parts_of,
    response_part,
    text_part,
)
from sightline.providers.piece import ToolPiece
from sightline.providers.tools import definitions

Message = dict[str, Any]

_FEW: Final = 32
# Items of OpenAI's responses that stand beside messages -> who said them.
_ITEM_ROLES: Final = {
    "function_call": "assistant",
    "custom_tool_call": "assistant",
    "reasoning": "assistant",
    "function_call_output": "tool",
    "custom_tool_call_output": "tool",
}
_ROLES: Final = {"model": "assistant"}  # Gemini's word
_NOT_PLAIN: Final = ("tool", *_ROLES)


class Said(NamedTuple):
    """One choice of an answer."""

    text: str
    tool_calls: Sequence[ToolPiece] = ()
    finish_reason: str | None = None
    reasoning: str = ""


def input_messages(messages: object) -> list[Message]:
    """What was sent: a text is one user message."""
    if messages is None:
        return []
    if not isinstance(messages, list | tuple):
        messages = (messages,)
    return [_message(message) for message in messages]


def output_message(said: Said) -> Message:
    """What came back: one message a choice."""
    parts: list[Part] = []
    if said.reasoning:
        parts.append({"type": "reasoning", "content": said.reasoning})
    if said.text:
        parts.append(text_part(said.text))
    parts.extend(_called(call) for call in said.tool_calls)
    message: Message = {"role": "assistant", "parts": parts}
    return {**message, "finish_reason": said.finish_reason} if said.finish_reason else message


def input_json(messages: object) -> str:
    """What was sent, as JSON text."""
    if type(messages) is list and len(messages) <= _FEW:
        text = _joined([_spoken(message) for message in messages])
        if text:
            return text
    return as_json(input_messages(messages))


def output_json(choices: Sequence[Said]) -> str:
    """What came back, as JSON text: the words, tool calls, finish reason and thoughts of each choice."""
    if len(choices) <= _FEW and not any(said.tool_calls or said.reasoning for said in choices):
        text = _joined([_words_json("assistant", said.text, said.finish_reason) for said in choices])
        if text:
            return text
    return as_json([output_message(said) for said in choices])


def system_json(system: object) -> str:
    """What the model was told before the conversation, as JSON text: parts, without a role."""
    instructions = system if field(system, "parts") is None else field(system, "parts")
    return as_json(parts_of(instructions))


def tools_json(tools: object) -> str:
    """The tools that the model was offered, as JSON text."""
    return as_json(definitions(tools))


# Nearly all messages are a role and a text, a few of them and not too long: these are written at once, which
# takes a fourth of the time of building them and walking them.


def _joined(written: list[str]) -> str:
    """A list of messages; empty when one of them, or all together, must be written in the other way."""
    text = f"[{','.join(written)}]"
    return well_formed(text) if all(written) and len(text) <= MAX_CHARS else ""


def _spoken(message: object) -> str:
    if type(message) is not dict or len(message) != 2:
        return ""
    role, content = message.get("role"), message.get("content")
    return _words_json(role, content, None) if type(role) is str and role not in _NOT_PLAIN else ""


def _words_json(role: str, words: object, reason: object) -> str:
    if type(words) is not str or not words or not role or type(reason) not in (str, NoneType):
        return ""
    ending = f',"finish_reason":{quoted(reason)}' if reason else ""  # type: ignore[arg-type]
    return f'{{"role":{quoted(role)},"parts":[{{"type":"text","content":{quoted(words)}}}]{ending}}}'


def texts(messages: object) -> list[str]:
    """The bare text of each message, for counting."""
    return [" ".join(map(_bare, message["parts"])) for message in input_messages(messages)]


def _bare(part: Part) -> str:
    if part["type"] == "tool_call":
        return f"{part['name'] or ''} {arguments(part['arguments'])}"
    said = part.get("content") or part.get("response")
    return arguments(said)


def _message(message: object) -> Message:
    if isinstance(message, str):
        return {"role": "user", "parts": [text_part(message)]}
    get = getter(message)
    kind, role = get("type"), get("role")
    if role is None and isinstance(kind, str) and kind in _ITEM_ROLES:
        return {"role": _ITEM_ROLES[kind], "parts": parts_of([message])}
    content = get("parts") if get("content") is None else get("content")
    if role is None and content is None and not get("tool_calls"):
        part = part_of(message)  # Gemini takes parts without a message around them
        return {"role": "user", "parts": [] if part is None else [part]}
    role = _ROLES.get(str(role), str(role)) if role else "user"
    if role == "tool" and (get("tool_call_id") or get("tool_name") or isinstance(content, str)):
        return {"role": role, "parts": [response_part(get("tool_call_id") or get("tool_name"), content)]}
    parts: list[Part] = []
    if isinstance(thought := get("thinking") or get("reasoning_content"), str) and thought:
        parts.append({"type": "reasoning", "content": thought})
    parts += parts_of(content)
    parts += [{"type": "blob", "modality": "image"} for _ in items(get("images"))]
    parts += [call_part(call) for call in items(get("tool_calls"))]
    return {"role": role, "parts": parts}


def _called(call: ToolPiece) -> Part:
    return {"type": "tool_call", "id": call.id, "name": call.name, "arguments": parsed(call.arguments)}


def merged_tool_calls(pieces: Iterable[ToolPiece]) -> list[ToolPiece]:
    """A stream sends a tool call in fragments; put them together, in the order of their beginnings.

    Some servers number all calls of an answer alike: another id is another call.
    """
    calls: list[ToolPiece] = []
    fragments: list[list[str]] = []
    meant: dict[int, int] = {}  # the number that a provider gives -> which of our calls it means now
    for piece in pieces:
        at = None if piece.number is None else meant.get(piece.number)
        if at is None or (piece.id and calls[at].id not in (None, piece.id)):
            at = len(calls)
            calls.append(piece)
            fragments.append([])
        elif calls[at].id is None or calls[at].name is None:
            kept = calls[at]
            calls[at] = kept._replace(id=kept.id or piece.id, name=kept.name or piece.name)
        if piece.number is not None:
            meant[piece.number] = at
        fragments[at].append(piece.arguments)
    return [call._replace(arguments="".join(words)) for call, words in zip(calls, fragments, strict=True)]
