"""What OpenAI's server answers to its newer protocol: whole responses, and the events of a streamed one."""

from __future__ import annotations

from typing import Any

USAGE = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 800, "cache_write_tokens": 0},
    "output_tokens": 50,
    "output_tokens_details": {"reasoning_tokens": 30},
    "total_tokens": 1050,
}
"""What a chat completion reports, in other words: 0.00012 USD."""

_WORDS = {"item_id": "m1", "output_index": 0, "content_index": 0}
_MESSAGE = {"type": "message", "id": "m1", "role": "assistant"}


def response(words: str = "Hello there", **changes: Any) -> dict[str, Any]:
    """A whole answer."""
    content = [{"type": "output_text", "text": words, "annotations": []}]
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "status": "completed",
        "output": [{**_MESSAGE, "status": "completed", "content": content}],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": USAGE,
        **changes,
    }


def _numbered(*events: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def delta(words: str) -> dict[str, Any]:
    """A piece of the answer."""
    return {"type": "response.output_text.delta", "delta": words, "logprobs": [], **_WORDS}


_BEGUN = response(status="in_progress", output=[], usage=None)
STREAM = _numbered(
    {"type": "response.created", "response": _BEGUN},
    {
        "type": "response.output_item.added",
        "output_index": 0,
        "item": {**_MESSAGE, "status": "in_progress", "content": []},
    },
    {
        "type": "response.content_part.added",
        "part": {"type": "output_text", "text": "", "annotations": []},
        **_WORDS,
    },
    delta("Hello"),
    delta(" there"),
    {"type": "response.output_text.done", "text": "Hello there", "logprobs": [], **_WORDS},
    {"type": "response.completed", "response": response()},
)
