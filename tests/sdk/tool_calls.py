"""What each provider's server sends when the model calls the tool `weather` for Oslo, whole and streamed."""

from dataclasses import dataclass
from typing import Any

from sdk.wire import AWS, NDJSON, SSE

Json = dict[str, Any]

OSLO = '{"city": "Oslo"}'
HALVES = OSLO[:7], OSLO[7:]


@dataclass(frozen=True)
class Called:
    """`begins_at` is the number of the event that the call begins with, from 1; `id` is the call's."""

    whole: Json
    events: list[Json]
    begins_at: int
    id: str | None = "t1"
    framing: str = SSE


def _function(arguments: str, **more: Any) -> Json:
    return {"index": 0, "function": {"arguments": arguments, **more}}


def _chunk(delta: Json, finish: str | None = None) -> Json:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _completion(call: Json) -> Json:
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    head = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m"}
    return {**head, "choices": [choice], "usage": usage}


_CALL = {"id": "t1", "type": "function", "function": {"name": "weather", "arguments": OSLO}}
OPENAI = Called(
    whole=_completion(_CALL),
    events=[
        _chunk({"role": "assistant", "content": None}),
        _chunk({"tool_calls": [{**_function("", name="weather"), "id": "t1", "type": "function"}]}),
        *[_chunk({"tool_calls": [_function(half)]}) for half in HALVES],
        _chunk({}, "tool_calls"),
    ],
    begins_at=2,
)
MISTRAL = Called(
    whole=_completion(_CALL),
    events=[
        _chunk({"role": "assistant", "content": ""}),
        _chunk({"content": "", "tool_calls": [{**_CALL, "index": 0}]}, "tool_calls"),
    ],
    begins_at=2,
)

_ITEM = {"type": "function_call", "id": "fc1", "call_id": "t1", "name": "weather", "status": "completed"}
_RESPONSE = {
    "id": "r1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "completed",
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "output": [{**_ITEM, "arguments": OSLO}],
}
RESPONSES = Called(
    whole=_RESPONSE,
    events=[
        {"type": "response.created", "response": {**_RESPONSE, "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": {**_ITEM, "arguments": ""}},
        *[
            {
                "type": "response.function_call_arguments.delta",
                "item_id": "fc1",
                "output_index": 0,
                "delta": half,
            }
            for half in HALVES
        ],
        {"type": "response.completed", "response": _RESPONSE},
    ],
    begins_at=2,
)

_MESSAGE = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Oslo"}}],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
ANTHROPIC = Called(
    whole=_MESSAGE,
    events=[
        {"type": "message_start", "message": {**_MESSAGE, "content": [], "stop_reason": None}},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "tool_use", "id": "t1", "name": "weather", "input": {}},
        },
        *[
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "input_json_delta", "partial_json": half},
            }
            for half in HALVES
        ],
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ],
    begins_at=2,
)

_PARTS = [{"functionCall": {"id": "t1", "name": "weather", "args": {"city": "Oslo"}}}]
_GEMINI = {"candidates": [{"content": {"role": "model", "parts": _PARTS}, "finishReason": "STOP"}]}
GOOGLE = Called(whole=_GEMINI, events=[_GEMINI], begins_at=1)

_USE = {"toolUseId": "t1", "name": "weather"}
_COUNTS = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
BEDROCK = Called(
    whole={
        "output": {
            "message": {"role": "assistant", "content": [{"toolUse": {**_USE, "input": {"city": "Oslo"}}}]}
        },
        "stopReason": "tool_use",
        "usage": _COUNTS,
    },
    events=[
        {"messageStart": {"role": "assistant"}},
        {"contentBlockStart": {"start": {"toolUse": _USE}, "contentBlockIndex": 0}},
        *[
            {"contentBlockDelta": {"delta": {"toolUse": {"input": half}}, "contentBlockIndex": 0}}
            for half in HALVES
        ],
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "tool_use"}},
        {"metadata": {"usage": _COUNTS}},
    ],
    begins_at=2,
    framing=AWS,
)


def _cohere(kind: str, call: Json) -> Json:
    return {"type": kind, "index": 0, "delta": {"message": {"tool_calls": call}}}


COHERE = Called(
    whole={
        "id": "co1",
        "finish_reason": "TOOL_CALL",
        "message": {"role": "assistant", "tool_calls": [_CALL]},
    },
    events=[
        {"type": "message-start", "id": "co1", "delta": {"message": {"role": "assistant"}}},
        _cohere(
            "tool-call-start",
            {"id": "t1", "type": "function", "function": {"name": "weather", "arguments": ""}},
        ),
        *[_cohere("tool-call-delta", {"function": {"arguments": half}}) for half in HALVES],
        {"type": "tool-call-end", "index": 0},
        {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}},
    ],
    begins_at=2,
)

_OLLAMA = {
    "model": "m",
    "created_at": "2026-01-01T00:00:00Z",
    "message": {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Oslo"}}}],
    },
    "done": False,
}
_OLLAMA_END = {
    **_OLLAMA,
    "message": {"role": "assistant", "content": ""},
    "done": True,
    "done_reason": "tool_calls",
}
OLLAMA = Called(
    whole={**_OLLAMA, "done": True, "done_reason": "tool_calls"},
    events=[_OLLAMA, _OLLAMA_END],
    begins_at=1,
    id=None,
    framing=NDJSON,
)

TOOL_CALLS = {
    "openai": OPENAI,
    "responses": RESPONSES,
    "anthropic": ANTHROPIC,
    "google": GOOGLE,
    "bedrock": BEDROCK,
    "mistral": MISTRAL,
    "cohere": COHERE,
    "ollama": OLLAMA,
}
