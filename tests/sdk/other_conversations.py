"""The conversation with providers that have a language of their own."""

from typing import Any

from sdk.conversation import Conversation, Json, attributes_of, head_of
from sdk.wire import AWS, NDJSON

_CLAUDE = "claude-sonnet-4-5-20250929"
_CACHED: Json = {
    "input_tokens": 7,
    "cache_read_input_tokens": 16399,
    "cache_creation_input_tokens": 2089,
    "cache_creation": {"ephemeral_5m_input_tokens": 2000, "ephemeral_1h_input_tokens": 89},
    "service_tier": "standard",
}
_MESSAGE: Json = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": _CLAUDE,
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "Hello there"},
    ],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {**_CACHED, "output_tokens": 445},
}
_OPENING = {**_MESSAGE, "content": [], "stop_reason": None, "usage": {**_CACHED, "output_tokens": 8}}
_CLAUDE_REPORTED = {
    "gen_ai.usage.input_tokens": 18495,
    "gen_ai.usage.cache_read.input_tokens": 16399,
    "gen_ai.usage.cache_write.input_tokens": 2089,
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 89,
}
ANTHROPIC = Conversation(
    whole=_MESSAGE,
    events=[
        {"type": "message_start", "message": _OPENING},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hello"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": " there"}},
        {"type": "content_block_stop", "index": 1},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 445},
        },
        {"type": "message_stop"},
    ],
    provider="anthropic",
    model="claude-sonnet-4-5",
    expected=attributes_of(
        18495,
        445,
        read=16399,
        write=2089,
        cost="0.0196497",
        more={
            **head_of("msg_1", _CLAUDE),
            "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 89,
            "openai.response.service_tier": "standard",
        },
    ),
    token_at=7,
    thought_at=3,
    reported=_CLAUDE_REPORTED,
)

_GEMINI = "gemini-2.5-pro"
_GEMINI_USAGE = {
    "promptTokenCount": 1000,
    "candidatesTokenCount": 200,
    "thoughtsTokenCount": 800,
    "totalTokenCount": 2000,
}


def _candidate(*parts: Json, finish: str | None = None, usage: Json | None = None) -> Json:
    candidate = {
        "index": 0,
        "content": {"role": "model", "parts": list(parts)},
        **({"finishReason": finish} if finish else {}),
    }
    return {
        "candidates": [candidate],
        "modelVersion": _GEMINI,
        "responseId": "g1",
        "usageMetadata": usage or _GEMINI_USAGE,
    }


_GEMINI_BEGUN = {"promptTokenCount": 1000, "thoughtsTokenCount": 20, "totalTokenCount": 1020}
GOOGLE = Conversation(
    whole=_candidate({"text": "hm", "thought": True}, {"text": "Hello there"}, finish="STOP"),
    events=[
        _candidate({"text": "hm", "thought": True}, usage=_GEMINI_BEGUN),
        _candidate(
            {"text": "Hello"}, usage={**_GEMINI_BEGUN, "thoughtsTokenCount": 800, "candidatesTokenCount": 100}
        ),
        _candidate({"text": " there"}, finish="STOP"),
    ],
    provider="gcp.gemini",
    model=_GEMINI,
    expected=attributes_of(1000, 1000, reasoning=800, cost="0.01125", more=head_of("g1", _GEMINI)),
    token_at=2,
    thought_at=1,
    reported={
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 900,
        "gen_ai.usage.reasoning.output_tokens": 800,
    },
)

_BEDROCK_USAGE = {
    "inputTokens": 7,
    "outputTokens": 445,
    "totalTokens": 18940,
    "cacheReadInputTokens": 16399,
    "cacheWriteInputTokens": 2089,
}
_BEDROCK_MODEL = "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
BEDROCK = Conversation(
    whole={
        "output": {
            "message": {
                "role": "assistant",
                "content": [{"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"text": "Hello there"}],
            }
        },
        "stopReason": "end_turn",
        "usage": _BEDROCK_USAGE,
        "metrics": {"latencyMs": 5},
    },
    events=[
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"reasoningContent": {"text": "hm"}}, "contentBlockIndex": 0}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"contentBlockDelta": {"delta": {"text": "Hello"}, "contentBlockIndex": 1}},
        {"contentBlockDelta": {"delta": {"text": " there"}, "contentBlockIndex": 1}},
        {"contentBlockStop": {"contentBlockIndex": 1}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": _BEDROCK_USAGE, "metrics": {"latencyMs": 5}}},
    ],
    provider="aws.bedrock",
    model=_BEDROCK_MODEL,
    expected=attributes_of(18495, 445, read=16399, write=2089, cost="0.01944945"),
    token_at=4,
    thought_at=2,
    framing=AWS,
)

_COHERE_USAGE = {
    "billed_units": {"input_tokens": 10, "output_tokens": 5},
    "tokens": {"input_tokens": 500, "output_tokens": 5},
    "cached_tokens": 0,
}
COHERE = Conversation(
    whole={
        "id": "co1",
        "finish_reason": "COMPLETE",
        "message": {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hello there"}],
        },
        "usage": _COHERE_USAGE,
    },
    events=[
        {"type": "message-start", "id": "co1", "delta": {"message": {"role": "assistant", "content": []}}},
        {
            "type": "content-start",
            "index": 0,
            "delta": {"message": {"content": {"type": "thinking", "thinking": ""}}},
        },
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"thinking": "hm"}}}},
        {"type": "content-end", "index": 0},
        {
            "type": "content-start",
            "index": 1,
            "delta": {"message": {"content": {"type": "text", "text": ""}}},
        },
        {"type": "content-delta", "index": 1, "delta": {"message": {"content": {"text": "Hello"}}}},
        {"type": "content-delta", "index": 1, "delta": {"message": {"content": {"text": " there"}}}},
        {"type": "content-end", "index": 1},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": _COHERE_USAGE}},
    ],
    provider="cohere",
    model="command-a-03-2025",
    expected={
        **attributes_of(10, 5, cost="0.000075"),
        "gen_ai.response.id": "co1",
        "gen_ai.usage.cache_read.input_tokens": 0,
    },
    token_at=6,
    thought_at=3,
)


def _ollama(message: Json, *, done: bool = False, **more: Any) -> Json:
    return {
        "model": "llama3.2",
        "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", **message},
        "done": done,
        **more,
    }


_OLLAMA_END = {"done_reason": "stop", "total_duration": 9, "prompt_eval_count": 10, "eval_count": 5}
OLLAMA = Conversation(
    whole=_ollama({"content": "Hello there", "thinking": "hm"}, done=True, **_OLLAMA_END),
    events=[
        _ollama({"content": "", "thinking": "hm"}),
        _ollama({"content": "Hello"}),
        _ollama({"content": " there"}),
        _ollama({"content": ""}, done=True, **_OLLAMA_END),
    ],
    provider="ollama",
    model="llama3.2",
    expected={
        **attributes_of(10, 5, cost=""),
        "gen_ai.response.model": "llama3.2",
        "sightline.cost_reason": "no_provider",
    },
    token_at=2,
    thought_at=1,
    framing=NDJSON,
)
