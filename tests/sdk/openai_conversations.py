"""The conversation with OpenAI, and with those who speak its language."""

from dataclasses import replace
from typing import Any

from sdk.conversation import Conversation, Json, attributes_of, head_of


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
    expected=attributes_of(
        2006,
        300,
        read=1920,
        reasoning=0,
        cost="0.005615",
        more={
            **head_of("c1", _GPT),
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
        **attributes_of(100, 50, read=64, reasoning=30, cost=""),
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
    expected=attributes_of(
        75,
        1186,
        reasoning=1024,
        cost="0.009638",
        more={
            **head_of("r1", _O3),
            "gen_ai.usage.cache_read.input_tokens": 0,
            "gen_ai.usage.cache_write.input_tokens": 0,
            "openai.response.service_tier": "default",
        },
    ),
    token_at=7,
    thought_at=4,
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
    expected=attributes_of(10, 5, cost="0.0000125", more=head_of("c1", _MISTRAL)),
    token_at=3,
    thought_at=2,
)

# LiteLLM lets the role come with the first word, the end without its tier, and names the model asked for.
LITELLM = replace(
    OPENAI,
    model=_GPT,
    events=[_chat(_GPT, {"role": "assistant", "content": "Hello"}), *OPENAI.events[2:]],
    token_at=1,
)
