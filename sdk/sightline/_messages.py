"""Chat messages in OpenTelemetry's shape: a role and parts. Pure.

Reads the shapes of OpenAI's chat completions, as the client's objects or as plain JSON.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sightline._capture import MAX_CHARS, MAX_NODES, as_json, plain_json
from sightline.usage import field

Message = dict[str, Any]


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


def to_json(messages: list[Message]) -> str:
    """JSON text of messages made here: walked only if something in them is large, or no text."""
    values = [value for message in messages for part in message["parts"] for value in part.values()]
    if all(value is None or type(value) is str for value in values):
        chars = sum(len(value) for value in values if value)
        if chars <= MAX_CHARS and len(values) <= MAX_NODES:
            return plain_json(messages)
    return as_json(messages)


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
