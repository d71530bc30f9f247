"""OpenAI's languages: chat completions (Mistral's, too), responses, embeddings; whole and streamed."""

from __future__ import annotations

import json
from typing import Any

from .turns import ARGUMENTS, EMBEDDED_TOKENS, Json, Turn, answer_id, is_streamed, turn_for

DATED = {"gpt-5-mini": "gpt-5-mini-2025-08-07"}
"""The model that answers, of the one asked for."""
MISTRAL = "mistral-small-latest"
"""The model behind Mistral's agents: a request to one names the agent only."""


def answer(request: Json, number: int) -> Any:
    """A body, or the chunks of a stream."""
    asked = request.get("model", MISTRAL)
    model = DATED.get(asked, asked)
    if "embedding" in model:
        return _embeddings(request, model)
    if "input" in request:
        return _responses(request, model, number)
    return _chat(request, model, number)


def _embeddings(request: Json, model: str) -> Json:
    texts = request["input"] if isinstance(request["input"], list) else [request["input"]]
    vectors = [{"object": "embedding", "index": n, "embedding": [0.1, 0.2]} for n in range(len(texts))]
    usage = {"prompt_tokens": EMBEDDED_TOKENS, "total_tokens": EMBEDDED_TOKENS}
    return {"object": "list", "data": vectors, "model": model, "usage": usage}


def _chat(request: Json, model: str, number: int) -> Any:
    tools = request.get("tools") or [{"function": {"name": ""}}]
    has_result = any(message["role"] == "tool" for message in request["messages"])
    turn = turn_for(request, tools[0]["function"]["name"], has_result)
    head = {"id": answer_id("chatcmpl-", number), "created": 1, "model": model, "service_tier": "default"}
    finish = "tool_calls" if turn.tool else "stop"
    if not is_streamed(request):
        message = {"role": "assistant", "content": turn.text or None, **_tool_calls(turn, number)}
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return {**head, "object": "chat.completion", "choices": [choice], "usage": _chat_usage(turn)}
    asked = model == MISTRAL or (request.get("stream_options") or {}).get("include_usage")
    deltas = [
        {"role": "assistant", "content": ""},
        *({"content": f"{word} "} for word in turn.text.split()),
        *([_tool_calls(turn, number)] if turn.tool else []),
    ]
    choices = [[{"index": 0, "delta": delta, "finish_reason": None}] for delta in deltas]
    choices.append([{"index": 0, "delta": {}, "finish_reason": finish}])
    head["object"] = "chat.completion.chunk"
    last = [{**head, "choices": [], "usage": _chat_usage(turn)}] if asked else []
    return [*({**head, "choices": choice} for choice in choices), *last]


def _tool_calls(turn: Turn, number: int) -> Json:
    if not turn.tool:
        return {}
    function = {"name": turn.tool, "arguments": json.dumps(ARGUMENTS)}
    return {"tool_calls": [{"index": 0, "id": f"call_{number}", "type": "function", "function": function}]}


def _chat_usage(turn: Turn) -> Json:
    return {
        "prompt_tokens": turn.input,
        "completion_tokens": turn.output,
        "total_tokens": turn.total,
        "prompt_tokens_details": {"cached_tokens": turn.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": turn.reasoning, "audio_tokens": 0},
    }


def _responses(request: Json, model: str, number: int) -> Any:
    tools = request.get("tools") or [{"name": ""}]
    items = request["input"] if isinstance(request["input"], list) else []
    has_result = any(item.get("type") == "function_call_output" for item in items)
    turn = turn_for(request, tools[0]["name"], has_result)
    item = _item(turn, number)
    whole = {
        "id": answer_id("resp_", number),
        "object": "response",
        "created_at": 1,
        "model": model,
        "status": "completed",
        "service_tier": "default",
        "output": [item],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": request.get("tools", []),
        "usage": _responses_usage(turn),
    }
    return _response_events(whole, item, turn) if is_streamed(request) else whole


def _item(turn: Turn, number: int) -> Json:
    if turn.tool:
        call = {"call_id": f"call_{number}", "name": turn.tool, "arguments": json.dumps(ARGUMENTS)}
        return {"type": "function_call", "id": f"fc_{number}", "status": "completed", **call}
    content = [{"type": "output_text", "text": turn.text, "annotations": []}]
    said = {"role": "assistant", "content": content}
    return {"type": "message", "id": f"msg_{number}", "status": "completed", **said}


def _responses_usage(turn: Turn) -> Json:
    return {
        "input_tokens": turn.input,
        "input_tokens_details": {"cached_tokens": turn.cached, "cache_write_tokens": 0},
        "output_tokens": turn.output,
        "output_tokens_details": {"reasoning_tokens": turn.reasoning},
        "total_tokens": turn.total,
    }


def _response_events(whole: Json, item: Json, turn: Turn) -> list[Json]:
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    where = {"item_id": item["id"], "output_index": 0}
    if turn.tool:
        opened = {**item, "arguments": "", "status": "in_progress"}
        pieces = [
            {"type": "response.function_call_arguments.delta", "delta": item["arguments"], **where},
            {"type": "response.function_call_arguments.done", "arguments": item["arguments"], **where},
        ]
    else:
        opened = {**item, "content": [], "status": "in_progress"}
        words = {"content_index": 0, "logprobs": [], **where}
        part = {"type": "output_text", "text": "", "annotations": []}
        pieces = [
            {"type": "response.content_part.added", "content_index": 0, "part": part, **where},
            *({"type": "response.output_text.delta", "delta": f"{w} ", **words} for w in turn.text.split()),
            {"type": "response.output_text.done", "text": turn.text, **words},
        ]
    events = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        *pieces,
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate[Json](events)]
