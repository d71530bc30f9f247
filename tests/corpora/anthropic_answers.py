"""Anthropic's messages, whole and streamed: what a cache holds is counted beside the input, not in it."""

from __future__ import annotations

import json
from typing import Any

from .turns import ARGUMENTS, Json, Turn, answer_id, is_streamed, turn_for

DATED = {"claude-sonnet-4-5": "claude-sonnet-4-5-20250929"}
PLACEHOLDER = 1
"""Output tokens that the first event of a stream reports, before there are any."""


def answer(request: Json, number: int) -> Any:
    """A body, or the events of a stream."""
    tools = request.get("tools") or [{"name": ""}]
    turn = turn_for(request, tools[0]["name"], '"tool_result"' in json.dumps(request["messages"]))
    whole = {
        "id": answer_id("msg_", number),
        "type": "message",
        "role": "assistant",
        "model": DATED.get(request["model"], request["model"]),
        "content": [_block(turn, number)],
        "stop_reason": "tool_use" if turn.tool else "end_turn",
        "stop_sequence": None,
        "usage": _usage(turn),
    }
    return _events(whole, turn) if is_streamed(request) else whole


def _block(turn: Turn, number: int) -> Json:
    if turn.tool:
        return {"type": "tool_use", "id": f"toolu_{number}", "name": turn.tool, "input": ARGUMENTS}
    return {"type": "text", "text": turn.text}


def _usage(turn: Turn) -> Json:
    return {
        "input_tokens": turn.input - turn.cached - turn.written,
        "cache_read_input_tokens": turn.cached,
        "cache_creation_input_tokens": turn.written,
        "cache_creation": {"ephemeral_5m_input_tokens": turn.written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": turn.output,
        "service_tier": "standard",
    }


def _events(whole: Json, turn: Turn) -> list[Json]:
    usage = {**whole["usage"], "output_tokens": PLACEHOLDER}
    begun = {**whole, "content": [], "stop_reason": None, "usage": usage}
    (block,) = whole["content"]
    if turn.tool:
        opened = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
    else:
        opened = {**block, "text": ""}
        deltas = [{"type": "text_delta", "text": f"{word} "} for word in turn.text.split()]
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    return [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": opened},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ended, "usage": {"output_tokens": turn.output}},
        {"type": "message_stop"},
    ]
