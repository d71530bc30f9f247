"""Chat messages in OpenTelemetry's shape: a role and parts. Pure.

Reads the shapes of OpenAI's chat completions, as the client's objects or as plain JSON.
"""

from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring as quoted
from types import NoneType
from typing import Any, Final

from sightline._capture import MAX_CHARS, as_json, well_formed
from sightline.usage import field

Message = dict[str, Any]

_FEW: Final = 32


def input_messages(messages: object) -> list[Message]:
    """What was sent: a text is one user message."""
    if isinstance(messages, str):
        return [{"role": "user", "parts": [_text(messages)]}]
    if not isinstance(messages, list | tuple):
        return []
    return [_message(message) for message in messages]


def output_message(text: str, tool_calls: Iterable[object], finish_reason: str | None) -> Message:
    """What came back: one message a choice."""
    parts = [_text(text)] if text else []
    parts.extend(_tool_call(call) for call in tool_calls)
    message = {"role": "assistant", "parts": parts}
    return {**message, "finish_reason": finish_reason} if finish_reason else message


def input_json(messages: object) -> str:
    """What was sent, as JSON text."""
    if type(messages) is list and len(messages) <= _FEW:
        text = _joined([_spoken(message) for message in messages])
        if text:
            return text
    return as_json(input_messages(messages))


def output_json(choices: Sequence[tuple[str, Sequence[object], str | None]]) -> str:
    """What came back, as JSON text: the words, tool calls and finish reason of each choice."""
    if len(choices) <= _FEW and not any(calls for _, calls, _ in choices):
        text = _joined([_words_json("assistant", words, reason) for words, _, reason in choices])
        if text:
            return text
    return as_json([output_message(*choice) for choice in choices])


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


def merged_tool_calls(fragments: Iterable[object]) -> list[Mapping[str, Any]]:
    """A stream sends a tool call in pieces, numbered by `index`; put them together."""
    calls: dict[int, dict[str, Any]] = {}
    for fragment in fragments:
        index = field(fragment, "index") or 0
        call = calls.setdefault(index, {"id": None, "function": {"name": None, "arguments": ""}})
        function: Any = field(fragment, "function") or {}
        call["id"] = call["id"] or field(fragment, "id")
        call["function"]["name"] = call["function"]["name"] or field(function, "name")
        call["function"]["arguments"] += field(function, "arguments") or ""
    return [calls[index] for index in sorted(calls)]
