"""Google's contents, whole and streamed: thoughts are counted beside the output, not in it."""

from __future__ import annotations

import json
from typing import Any

from .turns import ARGUMENTS, Json, Turn, answer_id, is_streamed, turn_for

MODEL = "gemini-2.5-flash"
"""The model that answers: a request names its own in the address only."""


def answer(request: Json, number: int) -> Any:
    """A body, or the chunks of a stream."""
    tools = request.get("tools") or [{}]
    declared = tools[0].get("functionDeclarations") or [{"name": ""}]
    has_result = '"functionResponse"' in json.dumps(request["contents"])
    turn = turn_for(request, declared[0]["name"], has_result)
    if not is_streamed(request):
        return _content(_part(turn), number, turn)
    words = [{"text": f"{word} "} for word in turn.text.split()] or [_part(turn)]
    return [*(_content(part, number) for part in words[:-1]), _content(words[-1], number, turn)]


def _part(turn: Turn) -> Json:
    return {"functionCall": {"name": turn.tool, "args": ARGUMENTS}} if turn.tool else {"text": turn.text}


def _content(part: Json, number: int, ended: Turn | None = None) -> Json:
    candidate = {"index": 0, "content": {"role": "model", "parts": [part]}}
    return {
        "candidates": [{**candidate, **({"finishReason": "STOP"} if ended else {})}],
        "modelVersion": MODEL,
        "responseId": answer_id("", number),
        **({"usageMetadata": _usage(ended)} if ended else {}),
    }


def _usage(turn: Turn) -> Json:
    return {
        "promptTokenCount": turn.input,
        "cachedContentTokenCount": turn.cached,
        "candidatesTokenCount": turn.output - turn.reasoning,
        "thoughtsTokenCount": turn.reasoning,
        "totalTokenCount": turn.total,
    }
