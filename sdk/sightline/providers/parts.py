"""The parts of a message in OpenTelemetry's shape, whichever provider's request they are from. Pure.

    {"type": "text", "content"}            {"type": "tool_call", "id", "name", "arguments"}
    {"type": "reasoning", "content"}       {"type": "tool_call_response", "id", "response"}
    {"type": "uri" | "file" | "blob", "modality", ...}     pictures, sounds, documents

A picture in the message itself is named, not copied: megabytes of it would displace the words.
"""

from collections.abc import Callable
from typing import Any, Final

from sightline.providers.fields import Get, either, field, getter, items, name, parsed, text

Part = dict[str, Any]


def text_part(content: str) -> Part:
    return {"type": "text", "content": content}


def parts_of(content: object) -> list[Part]:
    """The parts of a message's content: a text, blocks in a list, or one block."""
    if content is None:
        return []
    if isinstance(content, str):
        return [text_part(content)]
    blocks = content if isinstance(content, list | tuple) else (content,)
    return [found for block in blocks if (found := part_of(block)) is not None]


def part_of(block: object) -> Part | None:
    """One block as a part; None for what only marks a place, and is nothing that was said."""
    if isinstance(block, str):
        return text_part(block)
    get = getter(block)
    kind = get("type")
    if isinstance(kind, str):
        reader = _BY_TYPE.get(kind)
        if reader is not None:
            return reader(get)
        words = get("text")
        return text_part(words) if isinstance(words, str) else {"type": kind}
    for key, of_key in _BY_KEY:
        if (value := get(key)) is not None:
            return of_key(get, value)
    return {"type": "unknown"}


def call_part(call: object) -> Part:
    """A tool call in an assistant's message, as OpenAI, Cohere, Mistral and Ollama write it."""
    of_call = getter(call)
    said: Any = of_call("function") or of_call("custom")
    given = field(said, "arguments")
    return _call(of_call("id"), field(said, "name"), field(said, "input") if given is None else given)


def response_part(call_id: object, response: object) -> Part:
    """What a tool answered: its words if it has only words."""
    return {"type": "tool_call_response", "id": name(call_id), "response": _plain(response)}


def _call(id_: object, called: object, given: object) -> Part:
    return {"type": "tool_call", "id": name(id_), "name": name(called), "arguments": parsed(given)}


def _plain(response: object) -> Any:
    if not isinstance(response, list | tuple):
        return response
    parts = parts_of(response)
    if all(part["type"] == "text" for part in parts):
        return "".join(part["content"] for part in parts)
    return parts


def _words(get: Get) -> Part:
    return text_part(text(get("text")) or text(get("refusal")))


def _thought(get: Get) -> Part:
    """Anthropic's thinking, Mistral's list of it, or the summary of OpenAI's reasoning."""
    thinking = get("thinking")
    if isinstance(thinking, str):
        return {"type": "reasoning", "content": thinking}
    shown = [*items(thinking), *items(get("summary")), *items(get("content"))]
    return {"type": "reasoning", "content": "".join(text(field(piece, "text")) for piece in shown)}


def _tool_use(get: Get) -> Part:
    given = get("input")
    return _call(get("call_id") or get("id"), get("name"), get("arguments") if given is None else given)


def _tool_result(get: Get) -> Part:
    answered = get("content") if get("output") is None else get("output")
    return response_part(get("tool_use_id") or get("call_id"), answered)


def _media(modality: str) -> Callable[[Get], Part]:
    def media(get: Get) -> Part:
        """By its address, its file, or as bytes that stay here: OpenAI's, Anthropic's and Mistral's ways."""
        inner = get("source") or get("file") or get("image_url") or get("document_url") or get("input_audio")
        url = inner if isinstance(inner, str) else either(getter(inner), "url", "uri")
        url = url if isinstance(url, str) else get("file_url")
        if isinstance(url, str) and not url.startswith("data:"):
            return {"type": "uri", "modality": modality, "uri": url}
        file_id = name(field(inner, "file_id")) or name(get("file_id"))
        if file_id is not None:
            return {"type": "file", "modality": modality, "file_id": file_id}
        kind = field(inner, "media_type") if url is None else url[len("data:") :].partition(";")[0]
        return _blob(modality, kind)

    return media


def _blob(modality: str, mime_type: object) -> Part:
    known = name(mime_type)
    return {"type": "blob", "modality": modality, **({"mime_type": known} if known else {})}


_BY_TYPE: Final[dict[str, Callable[[Get], Part]]] = {
    "text": _words,
    "input_text": _words,
    "output_text": _words,
    "summary_text": _words,
    "refusal": _words,
    "thinking": _thought,
    "reasoning": _thought,
    "tool_use": _tool_use,
    "server_tool_use": _tool_use,
    "mcp_tool_use": _tool_use,
    "function_call": _tool_use,
    "custom_tool_call": _tool_use,
    "tool_result": _tool_result,
    "mcp_tool_result": _tool_result,
    "function_call_output": _tool_result,
    "custom_tool_call_output": _tool_result,
    "image": _media("image"),
    "image_url": _media("image"),
    "input_image": _media("image"),
    "input_audio": _media("audio"),
    "file": _media("document"),
    "input_file": _media("document"),
    "document_url": _media("document"),
}


# Blocks without a type say by a key what they are: Gemini's parts and Bedrock's blocks.


def _untyped_text(get: Get, words: object) -> Part:
    return {"type": "reasoning" if get("thought") is True else "text", "content": text(words)}


def _untyped_call(get: Get, call: object) -> Part:
    of_call = getter(call)
    given = of_call("input")
    return _call(
        either(of_call, "toolUseId", "id"), of_call("name"), of_call("args") if given is None else given
    )


def _untyped_result(get: Get, result: object) -> Part:
    of_result = getter(result)
    if (content := of_result("content")) is None:  # Gemini's calls have names, and seldom ids
        return response_part(of_result("id") or of_result("name"), of_result("response"))
    values = [field(block, "json") for block in items(content)]
    if len(values) == 1 and values[0] is not None:
        return response_part(of_result("toolUseId"), values[0])
    return response_part(of_result("toolUseId"), content)


def _untyped_thought(get: Get, content: object) -> Part:
    return {"type": "reasoning", "content": text(field(field(content, "reasoningText"), "text"))}


def _untyped_bytes(get: Get, data: object) -> Part:
    mime_type = either(getter(data), "mime_type", "mimeType")
    return _blob(text(mime_type).partition("/")[0] or "unknown", mime_type)


def _untyped_file(get: Get, data: object) -> Part:
    of_data = getter(data)
    modality = text(either(of_data, "mime_type", "mimeType")).partition("/")[0] or "unknown"
    return {"type": "uri", "modality": modality, "uri": name(either(of_data, "file_uri", "fileUri"))}


def _untyped_media(modality: str) -> Callable[[Get, object], Part]:
    def media(get: Get, block: object) -> Part:
        form = name(field(block, "format"))
        return _blob(modality, f"{modality}/{form}" if form and modality != "document" else form)

    return media


def _mark(get: Get, mark: object) -> None:
    """Where the cache may be cut: nothing that was said."""


_BY_KEY: Final[tuple[tuple[str, Callable[[Get, object], Part | None]], ...]] = (
    ("text", _untyped_text),
    ("toolUse", _untyped_call),
    ("function_call", _untyped_call),
    ("functionCall", _untyped_call),
    ("toolResult", _untyped_result),
    ("function_response", _untyped_result),
    ("functionResponse", _untyped_result),
    ("reasoningContent", _untyped_thought),
    ("inline_data", _untyped_bytes),
    ("inlineData", _untyped_bytes),
    ("file_data", _untyped_file),
    ("fileData", _untyped_file),
    ("image", _untyped_media("image")),
    ("video", _untyped_media("video")),
    ("audio", _untyped_media("audio")),
    ("document", _untyped_media("document")),
    ("cachePoint", _mark),
)
