"""What Anthropic's server answers: whole messages, and the events of a streamed one."""

from __future__ import annotations

from typing import Any

MODEL = "claude-sonnet-4-5-20250929"
USAGE = {
    "input_tokens": 7,
    "cache_creation_input_tokens": 2089,
    "cache_read_input_tokens": 16399,
    "cache_creation": {"ephemeral_5m_input_tokens": 2089, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 445,
    "service_tier": "standard",
}
"""18,495 tokens in, most of them cached: 0.01944945 USD with the 445 that came out."""


def message(**changes: Any) -> dict[str, Any]:
    """A whole answer."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [{"type": "text", "text": "Hello there"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": USAGE,
        **changes,
    }


def text(words: str) -> dict[str, Any]:
    """A piece of the answer."""
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": words}}


START = {
    "type": "message_start",
    "message": message(content=[], stop_reason=None, usage={**USAGE, "output_tokens": 1}),
}
BLOCK = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
ENDING = [
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 445},
    },
    {"type": "message_stop"},
]
STREAM = [START, BLOCK, text("Hello"), text(" there"), *ENDING]
"""A whole streamed answer; the count of its first event is a placeholder."""
