"""Bedrock's Converse, whole: what a cache holds is counted beside the input, yet in the total."""

from __future__ import annotations

import json
from typing import Any

from .turns import ARGUMENTS, Json, Turn, turn_for


def is_converse(request: Json) -> bool:
    """A request names its model in the address only, and its contents are lists of blocks."""
    return "model" not in request and isinstance(request.get("messages", [{}])[0].get("content"), list)


def answer(request: Json, number: int) -> Any:
    """A body."""
    tools = request.get("toolConfig", {}).get("tools") or [{"toolSpec": {"name": ""}}]
    turn = turn_for(request, tools[0]["toolSpec"]["name"], '"toolResult"' in json.dumps(request["messages"]))
    return {
        "output": {"message": {"role": "assistant", "content": [_block(turn, number)]}},
        "stopReason": "tool_use" if turn.tool else "end_turn",
        "usage": _usage(turn),
        "metrics": {"latencyMs": 5},
    }


def _block(turn: Turn, number: int) -> Json:
    if turn.tool:
        return {"toolUse": {"toolUseId": f"tooluse_{number}", "name": turn.tool, "input": ARGUMENTS}}
    return {"text": turn.text}


def _usage(turn: Turn) -> Json:
    return {
        "inputTokens": turn.input - turn.cached - turn.written,
        "outputTokens": turn.output,
        "totalTokens": turn.total,
        "cacheReadInputTokens": turn.cached,
        "cacheWriteInputTokens": turn.written,
    }
