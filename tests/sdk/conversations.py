"""The same small conversations as each provider's server would have them, as the JSON it sends.

In each the model says "Hello there", after a thought where the provider shows thoughts; or it calls the tool
`weather` for Oslo. `sdk.clients` has the calls of the providers' own clients.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from sdk.wire import AWS, NDJSON, SSE

Json = dict[str, Any]


@dataclass(frozen=True)
class Conversation:
    """What a server sends, whole and streamed, and what its span must say.

    `token_at` and `thought_at` are the numbers of the first events with content, counted from 1; `reported`
    is what is reported of a stream that breaks off after the first content.
    """

    whole: Json
    events: list[Json]
    provider: str
    model: str
    expected: Json
    token_at: int
    thought_at: int | None = None
    framing: str = SSE
    reported: Json = field(default_factory=dict)


def _attributes(
    in_: int,
    out: int,
    *,
    read: int = 0,
    write: int = 0,
    reasoning: int | None = None,
    cost: str,
    more: Json | None = None,
) -> Json:
    counts: Json = {"gen_ai.usage.input_tokens": in_, "gen_ai.usage.output_tokens": out}
    if read:
        counts["gen_ai.usage.cache_read.input_tokens"] = read
    if write:
        counts["gen_ai.usage.cache_write.input_tokens"] = write
    if reasoning is not None:
        counts["gen_ai.usage.reasoning.output_tokens"] = reasoning
    return {**counts, "gen_ai.response.finish_reasons": ["stop"], "sightline.cost_usd": cost, **(more or {})}


def _head(id_: str, model: str) -> Json:
    return {"gen_ai.response.id": id_, "gen_ai.response.model": model}


def _chat(model: str, delta: Json | None, finish: str | None = None, **more: Any) -> Json:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": model,
        "choices": choices,
        **more,
    }


def _completion(model: str, message: Json, usage: Json, **more: Any) -> Json:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    head = {"id": "c1", "object": "chat.completion", "created": 1, "model": model}
    return {**head, "choices": [choice], "usage": usage, **more}


_GPT = "gpt-4o-2024-08-06"
_GPT_USAGE = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "total_tokens": 2306,
    "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
OPENAI = Conversation(
    whole=_completion(_GPT, {"content": "Hello there"}, _GPT_USAGE, service_tier="default"),
    events=[
        _chat(_GPT, {"role": "assistant", "content": ""}),
        _chat(_GPT, {"content": "Hello"}),
        _chat(_GPT, {"content": " there"}),
        _chat(_GPT, {}, "stop", service_tier="default"),
        _chat(_GPT, None, usage=_GPT_USAGE),
    ],
    provider="openai",
    model="gpt-4o",
    expected=_attributes(
        2006,
        300,
        read=1920,
        reasoning=0,
        cost="0.005615",
        more={
            **_head("c1", _GPT),
            "gen_ai.usage.audio.input_tokens": 0,
            "gen_ai.usage.audio.output_tokens": 0,
            "openai.response.service_tier": "default",
        },
    ),
    token_at=2,
)

_DEEPSEEK_USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "total_tokens": 150,
    "prompt_cache_hit_tokens": 64,
    "completion_tokens_details": {"reasoning_tokens": 30},
}
COMPATIBLE = Conversation(
    whole={
        **_completion("my-model", {"content": "Hello there", "reasoning_content": "hm"}, _DEEPSEEK_USAGE),
        "id": "",
    },
    events=[
        {"id": "", "object": "chat.completion.chunk", "created": 1, "model": "my-model", "choices": []},
        _chat("my-model", {"role": "assistant", "content": None, "reasoning_content": ""}, id=""),
        _chat(
            "my-model",
            {"content": None, "reasoning_content": "h"},
            id="",
            usage={**_DEEPSEEK_USAGE, "completion_tokens": 1},
        ),
        _chat(
            "my-model",
            {"content": "", "reasoning": "m"},
            id="",
            usage={**_DEEPSEEK_USAGE, "completion_tokens": 2},
        ),
        _chat(
            "my-model", {"content": "Hello there"}, id="", usage={**_DEEPSEEK_USAGE, "completion_tokens": 50}
        ),
        _chat("my-model", {}, "stop", id="", usage=_DEEPSEEK_USAGE),
    ],
    provider="openai",
    model="my-model",
    expected={
        **_attributes(100, 50, read=64, reasoning=30, cost=""),
        "gen_ai.response.model": "my-model",
        "sightline.cost_reason": "no_model",
    },
    token_at=5,
    thought_at=3,
    reported={
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.cache_read.input_tokens": 64,
        "gen_ai.usage.reasoning.output_tokens": 30,
    },
)

_O3 = "o3-2025-04-16"
_O3_RESPONSE: Json = {
    "id": "r1",
    "object": "response",
    "created_at": 1,
    "model": _O3,
    "status": "completed",
    "service_tier": "default",
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "output": [
        {"type": "reasoning", "id": "rs1", "summary": [{"type": "summary_text", "text": "hm"}]},
        {
            "type": "message",
            "id": "m1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hello there", "annotations": []}],
        },
    ],
    "usage": {
        "input_tokens": 75,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 1186,
        "output_tokens_details": {"reasoning_tokens": 1024},
        "total_tokens": 1261,
    },
}
_BEGUN = {**_O3_RESPONSE, "status": "in_progress", "output": [], "usage": None}
_WORDS = {"item_id": "m1", "output_index": 1, "content_index": 0, "logprobs": []}
RESPONSES = Conversation(
    whole=_O3_RESPONSE,
    events=[
        {"sequence_number": number, **event}
        for number, event in enumerate[Json](
            [
                {"type": "response.created", "response": _BEGUN},
                {"type": "response.in_progress", "response": _BEGUN},
                {
                    "type": "response.output_item.added",
                    "output_index": 0,
                    "item": {"type": "reasoning", "id": "rs1", "summary": []},
                },
                {
                    "type": "response.reasoning_summary_text.delta",
                    "item_id": "rs1",
                    "output_index": 0,
                    "summary_index": 0,
                    "delta": "hm",
                },
                {
                    "type": "response.output_item.added",
                    "output_index": 1,
                    "item": {
                        "type": "message",
                        "id": "m1",
                        "role": "assistant",
                        "status": "in_progress",
                        "content": [],
                    },
                },
                {
                    "type": "response.content_part.added",
                    "item_id": "m1",
                    "output_index": 1,
                    "content_index": 0,
                    "part": {"type": "output_text", "text": "", "annotations": []},
                },
                {"type": "response.output_text.delta", "delta": "Hello", **_WORDS},
                {"type": "response.output_text.delta", "delta": " there", **_WORDS},
                {"type": "response.output_text.done", "text": "Hello there", **_WORDS},
                {"type": "response.completed", "response": _O3_RESPONSE},
            ]
        )
    ],
    provider="openai",
    model="o3",
    expected=_attributes(
        75,
        1186,
        reasoning=1024,
        cost="0.009638",
        more={
            **_head("r1", _O3),
            "gen_ai.usage.cache_read.input_tokens": 0,
            "gen_ai.usage.cache_write.input_tokens": 0,
            "openai.response.service_tier": "default",
        },
    ),
    token_at=7,
    thought_at=4,
)

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
    expected=_attributes(
        18495,
        445,
        read=16399,
        write=2089,
        cost="0.0196497",
        more={
            **_head("msg_1", _CLAUDE),
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
    expected=_attributes(1000, 1000, reasoning=800, cost="0.01125", more=_head("g1", _GEMINI)),
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
    expected=_attributes(18495, 445, read=16399, write=2089, cost="0.01944945"),
    token_at=4,
    thought_at=2,
    framing=AWS,
)

_MISTRAL = "mistral-large-2512"
_MISTRAL_USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
_THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
MISTRAL = Conversation(
    whole=_completion(
        _MISTRAL, {"content": [_THINKING, {"type": "text", "text": "Hello there"}]}, _MISTRAL_USAGE
    ),
    events=[
        _chat(_MISTRAL, {"role": "assistant", "content": ""}),
        _chat(_MISTRAL, {"content": [_THINKING]}),
        _chat(_MISTRAL, {"content": "Hello"}),
        _chat(_MISTRAL, {"content": " there"}, "stop", usage=_MISTRAL_USAGE),
    ],
    provider="mistral_ai",
    model="mistral-large-latest",
    expected=_attributes(10, 5, cost="0.0000125", more=_head("c1", _MISTRAL)),
    token_at=3,
    thought_at=2,
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
        **_attributes(10, 5, cost="0.000075"),
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
        **_attributes(10, 5, cost=""),
        "gen_ai.response.model": "llama3.2",
        "sightline.cost_reason": "no_provider",
    },
    token_at=2,
    thought_at=1,
    framing=NDJSON,
)

# LiteLLM lets the role come with the first word, the end without its tier, and names the model asked for.
LITELLM = replace(
    OPENAI,
    model=_GPT,
    events=[_chat(_GPT, {"role": "assistant", "content": "Hello"}), *OPENAI.events[2:]],
    token_at=1,
)

CONVERSATIONS = {
    "openai": OPENAI,
    "compatible": COMPATIBLE,
    "responses": RESPONSES,
    "anthropic": ANTHROPIC,
    "google": GOOGLE,
    "bedrock": BEDROCK,
    "mistral": MISTRAL,
    "cohere": COHERE,
    "ollama": OLLAMA,
    "litellm": LITELLM,
}

_INPUT = {"gen_ai.usage.input_tokens": 1_000_000}
_LIST = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}]}
_PAID = {"usage": {"prompt_tokens": 1_000_000, "total_tokens": 1_000_000}}
# client -> what its server sends for an embedding, provider, model, counts, cost
EMBEDDED: dict[str, tuple[Json, str, str, Json, str | None]] = {
    "openai": (
        {**_LIST, **_PAID, "model": "text-embedding-3-small"},
        "openai",
        "text-embedding-3-small",
        _INPUT,
        "0.02",
    ),
    "mistral": (
        {**_LIST, **_PAID, "id": "e1", "model": "mistral-embed"},
        "mistral_ai",
        "mistral-embed",
        {**_INPUT, "gen_ai.usage.output_tokens": 0},
        "0.1",
    ),
    "cohere": (
        {
            "id": "e1",
            "response_type": "embeddings_by_type",
            "embeddings": {"float": [[0.1]]},
            "texts": ["hello"],
            "meta": {"billed_units": {"input_tokens": 1_000_000}},
        },
        "cohere",
        "embed-v4.0",
        _INPUT,
        "0.12",
    ),
    # Gemini does not say; what is known of the request is estimated.
    "google": (
        {"embeddings": [{"values": [0.1]}]},
        "gcp.gemini",
        "gemini-embedding-001",
        {"gen_ai.usage.input_tokens": 2 + 3 + 3, "sightline.usage.estimated": True},
        "0.0000012",
    ),
    "ollama": (
        {"model": "nomic-embed-text", "embeddings": [[0.1]], "prompt_eval_count": 5},
        "ollama",
        "nomic-embed-text",
        {"gen_ai.usage.input_tokens": 5},
        None,
    ),
}
