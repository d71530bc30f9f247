"""Chat messages in OpenTelemetry's shape: a role and parts. Pure.

Reads the shapes of OpenAI's chat completions, as the client's objects or as plain JSON.
"""

from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring as quoted
from types import NoneType
from typing import Any, Final, NamedTuple

from sightline._capture import MAX_CHARS, as_json, well_formed
from sightline.providers.fields import field, parsed
from sightline.providers.piece import ToolPiece

Message = dict[str, Any]

_FEW: Final = 32


def input_messages(messages: object) -> list[Message]:
    """What was sent: a text is one user message."""
    if isinstance(messages, str):
        return [{"role": "user", "parts": [_text(messages)]}]
    if not isinstance(messages, list | tuple):
        return []
    return [_message(message) for message in messages]


class Said(NamedTuple):
    """One choice of an answer."""

    text: str
    tool_calls: Sequence[ToolPiece] = ()
    finish_reason: str | None = None
    reasoning: str = ""


def output_message(said: Said) -> Message:
    """What came back: one message a choice."""
    parts: list[dict[str, Any]] = []
    if said.reasoning:
        parts.append({"type": "reasoning", "content": said.reasoning})
    if said.text:
        parts.append(_text(said.text))
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


# Nearly all messages are a role and a text, a few of them and not too long: these are written at once, which
# takes a fourth of the time of building them and walking them.


def _joined(written: list[str]) -> str:
    """A list of messages; empty when one of them, or all together, must be written in the other way."""
    text = f"[{','.join(written)}]"
    return well_formed(text) if all(written) and len(text) <= MAX_CHARS else ""


def _spoken(message: object) -> str:
    if type(message) is not dict or message.get("tool_calls"):
        return ""
    role, content = message.get("role"), message.get("content")
    return _words_json(role, content, None) if type(role) is str and role != "tool" else ""


def _words_json(role: str, words: object, reason: object) -> str:
    if type(words) is not str or not words or not role or type(reason) not in (str, NoneType):
        return ""
    ending = f',"finish_reason":{quoted(reason)}' if reason else ""  # type: ignore[arg-type]
    return f'{{"role":{quoted(role)},"parts":[{{"type":"text","content":{quoted(words)}}}]{ending}}}'


def texts(messages: object) -> list[str]:
    """The bare text of each message, for counting."""
    return [
        " ".join(
            str(part.get("content") or part.get("response") or part.get("arguments") or "") for part in parts
        )
        for message in input_messages(messages)
        if (parts := message["parts"]) is not None
    ]


def _message(message: object) -> Message:
    if isinstance(message, str):
        return {"role": "user", "parts": [_text(message)]}
    role = str(field(message, "role") or "user")
    content = field(message, "content")
    if role == "tool":
        parts = [{"type": "tool_call_response", "id": field(message, "tool_call_id"), "response": content}]
    else:
        parts = _content_parts(content)
        parts.extend(_tool_call(call) for call in field(message, "tool_calls") or ())
    return {"role": role, "parts": parts}


def _content_parts(content: object) -> list[dict[str, Any]]:
    if content is None:
        return []
    if isinstance(content, str):
        return [_text(content)]
    if isinstance(content, list | tuple):
        return [_content_part(part) for part in content]
    return [_text(str(content))]


def _content_part(part: object) -> dict[str, Any]:
    text = part if isinstance(part, str) else field(part, "text")
    if isinstance(text, str):
        return _text(text)
    # An image or sound is named, not copied: megabytes of it would displace the words.
    return {"type": str(field(part, "type") or "unknown")}


def _text(content: str) -> dict[str, Any]:
    return {"type": "text", "content": content}


def _tool_call(call: object) -> dict[str, Any]:
    function: Any = field(call, "function") or {}
    return {
        "type": "tool_call",
        "id": field(call, "id"),
        "name": field(function, "name"),
        "arguments": field(function, "arguments"),
    }


def _called(call: ToolPiece) -> dict[str, Any]:
    return {"type": "tool_call", "id": call.id, "name": call.name, "arguments": parsed(call.arguments)}


def merged_tool_calls(pieces: Iterable[ToolPiece]) -> list[ToolPiece]:
    """A stream sends a tool call in fragments; put them together, in the order of their beginnings.

    Some servers number all calls of an answer alike: another id is another call.
    """
    calls: list[ToolPiece] = []
    fragments: list[list[str]] = []
    latest: dict[int, int] = {}  # the index a provider gives -> which of our calls it means now
    for piece in pieces:
        at = None if piece.number is None else latest.get(piece.number)
        if at is None or (piece.id and calls[at].id not in (None, piece.id)):
            at = len(calls)
            calls.append(piece)
            fragments.append([])
        elif calls[at].id is None or calls[at].name is None:
            kept = calls[at]
            calls[at] = kept._replace(id=kept.id or piece.id, name=kept.name or piece.name)
        if piece.number is not None:
            latest[piece.number] = at
        fragments[at].append(piece.arguments)
    return [call._replace(arguments="".join(words)) for call, words in zip(calls, fragments, strict=True)]
